"""Whether a body was signed with a secret that only the service and its user know."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from typing import Any

from ..credentials import Hidden
from ..errors import InvalidRequestError
from ..problems import Problem, ProblemCode

HEADER = "x-sproutgigs-signature"
_SIGNATURE = re.compile(r"sha256=([0-9A-Fa-f]{64})")
_LEAST_SECRET = 8
_LIMIT = f"a text of at least {_LEAST_SECRET} characters, without white space at either end"


class Signatures:
    """Verifies bodies by one signing secret, or by several while one is being changed: any of them is accepted.

    Keeps no secret as text. Raises `InvalidRequestError` for a secret of less than 8 characters, or with white
    space at an end. Source: seen in use (`X-Sproutgigs-Signature: sha256=` and the HMAC-SHA256 of the raw body).
    """

    def __init__(self, secrets: str | Iterable[str]) -> None:
        texts: list[str] = [secrets] if isinstance(secrets, str) else _listed(secrets)
        problems = [
            Problem(
                "signing_secret" if secrets is text else ("signing_secret", place),
                Hidden(),
                _LIMIT,
                ProblemCode.FORMAT,
            )
            for place, text in enumerate(texts)
            if not _fits(text)
        ]
        if not texts:
            problems.append(
                Problem("signing_secret", Hidden(), "a text, or a list of at least one", ProblemCode.REQUIRED)
            )
        if problems:
            raise InvalidRequestError("Receiver", problems, sends=False)
        self._keyed = [hmac.new(text.encode(), digestmod=hashlib.sha256) for text in texts]

    def problem_of_header(self, values: Sequence[str]) -> str | None:
        """What is wrong with the request's signature headers, whatever the body; None if nothing is."""
        if not values:
            return "it has no header X-Sproutgigs-Signature"
        if len(values) > 1:
            return "it has more than one header X-Sproutgigs-Signature"
        if _SIGNATURE.fullmatch(values[0]) is None:
            return "its header X-Sproutgigs-Signature is not `sha256=` and 64 hexadecimal digits"
        return None

    def match(self, value: str, body: bytes) -> bool:
        """Whether the header's value is the body's signature by one of the secrets, compared in constant time."""
        found = _SIGNATURE.fullmatch(value)
        if found is None:
            return False
        # Every secret is tried: when the answer comes must not tell which one it is.
        given, digests = found[1].lower(), [_digest(keyed, body) for keyed in self._keyed]
        return sum(hmac.compare_digest(given, digest) for digest in digests) > 0


def _listed(secrets: Any) -> list[Any]:
    return list(secrets) if isinstance(secrets, Iterable) and not isinstance(secrets, bytes) else [secrets]


def _fits(secret: object) -> bool:
    if not isinstance(secret, str) or len(secret) < _LEAST_SECRET or secret != secret.strip():
        return False
    return not any("\ud800" <= character <= "\udfff" for character in secret)


def _digest(keyed: hmac.HMAC, body: bytes) -> str:
    fresh = keyed.copy()
    fresh.update(body)
    return fresh.hexdigest()
