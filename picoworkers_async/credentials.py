"""The account's name and secret, kept out of every repr, log, message and traceback."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from typing import NoReturn
from urllib.parse import quote, quote_plus

from .errors import InvalidRequestError
from .problems import Problem, ProblemCode, text_code

_HIDDEN = "(hidden)"


class Hidden:
    """Stands in place of a secret that would be shown."""

    def __repr__(self) -> str:
        return _HIDDEN


class Credentials:
    """A user id and its API secret, ready as a Basic `Authorization` header (section 2 of the API document)."""

    __slots__ = ("_authorization", "_pattern", "user_id")

    def __init__(self, user_id: str, authorization: str) -> None:
        self.user_id: str = user_id
        self._authorization = authorization
        self._pattern: re.Pattern[str] | None = None

    def __repr__(self) -> str:
        return f"Credentials(user_id={self.user_id!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not pickled or copied: make a client from them where it is used")

    def authorization(self) -> str:
        """The value of the `Authorization` header."""
        return self._authorization

    def account(self) -> str:
        """A name for the account that does not reveal the secret: the same in every process that uses it."""
        return hashlib.sha256(self.user_id.encode()).hexdigest()[:16]

    def hide(self, text: str) -> str:
        """A text from outside, with the secret and the header's value replaced by `(hidden)`.

        Finds them as they are, and as they appear in an address, in JSON and in Python's notation. Use it before
        the text is cut: half a secret would not be found.
        """
        if self._pattern is None:
            self._pattern = re.compile("|".join(map(re.escape, self._forms())), re.IGNORECASE)
        return self._pattern.sub(_HIDDEN, text)

    def _forms(self) -> list[str]:
        token = self._authorization.removeprefix("Basic ")
        given = base64.b64decode(token).decode()
        secret = given.partition(":")[2]
        # A value in an address may be quoted twice, where one address is part of another.
        forms = {form for whole in (token, token.rstrip("="), secret) for form in _written(whole)}
        return sorted(forms, key=len, reverse=True)


def _written(text: str) -> Iterator[str]:
    yield text
    for quoted in (quote(text, safe=""), quote(text), quote_plus(text)):
        yield quoted
        yield quote(quoted, safe="")
    for as_json in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        yield as_json
        yield as_json.replace("/", "\\/")
    yield repr(text)[1:-1]
    yield repr(text.encode())[2:-1]
    yield text.encode().decode("latin-1")


def credentials(user_id: str, api_secret: str) -> Credentials:
    """Check and encode both. Raises `InvalidRequestError` for what cannot be sent; it never shows the secret.

    Both may be any text that UTF-8 can encode; the user id has no colon, which separates it from the secret.
    """
    login, problems = checked_credentials(user_id, api_secret)
    # Whoever shows the variables of a traceback's frames sees these.
    user_id = api_secret = ""
    if login is None:
        raise InvalidRequestError("AsyncPicoworkers", problems, sends=False)
    return login


def checked_credentials(user_id: str, api_secret: str) -> tuple[Credentials | None, list[Problem]]:
    """Both encoded, or what keeps them from being sent; see `credentials`. No problem shows the secret."""
    problems = []
    given: object = user_id
    if not isinstance(given, str):
        # It may be anything, both of them in a tuple included.
        problems.append(Problem("user_id", type(given), "a non-empty string", ProblemCode.TYPE))
    elif ":" in user_id:
        limit = "no colon: it separates the user id from the secret, which is an argument of its own"
        problems.append(Problem("user_id", Hidden(), limit, ProblemCode.FORMAT))
    elif not user_id.strip():
        problems.append(Problem("user_id", user_id, "a non-empty string", ProblemCode.REQUIRED))
    elif not _can_be_encoded(user_id):
        problems.append(
            Problem(
                "user_id", user_id, "a string that UTF-8 can encode, without lone surrogates", ProblemCode.FORMAT
            )
        )
    if not isinstance(api_secret, str) or not api_secret.strip():
        problems.append(Problem("api_secret", Hidden(), "a non-empty string", text_code(api_secret)))
    elif not _can_be_encoded(api_secret):
        problems.append(
            Problem(
                "api_secret",
                Hidden(),
                "a string that UTF-8 can encode, without lone surrogates",
                ProblemCode.FORMAT,
            )
        )
    if problems:
        return None, problems
    token = base64.b64encode(f"{user_id}:{api_secret}".encode()).decode()
    return Credentials(user_id, f"Basic {token}"), []


def _can_be_encoded(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
