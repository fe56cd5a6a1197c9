"""The interface that sends one request and returns its whole answer, and the types of the result."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any, NamedTuple, Protocol, Self

from ..credentials import Credentials
from ..errors import Fate
from ..throttle import Permit

# What part of a request's time getting and opening a connection may take: less than the whole, so that a
# connection that does not open is told as that, and not as an answer that did not come.
OPENING_SHARE = 0.9


class Response(NamedTuple):
    """An answer: the status, the headers (by names in lower case), the body, and why that is missing."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    problem: str | None = None

    def __repr__(self) -> str:
        # A service may echo what it was sent, the secret too.
        return f"Response(status={self.status}, {len(self.body)} bytes)"


class NoResponseError(Exception):
    """No whole answer came: `failure` is why, without its frames; `fate` is what that proves of the request."""

    def __init__(self, fate: Fate, failure: Exception) -> None:
        super().__init__(fate, failure)
        self.fate = fate
        self.failure = failure


class HttpAdapter(Protocol):
    """Sends one request and reads its whole answer. Never follows a redirect, never repeats anything.

    `name` says what it sends over, for people to read.
    """

    @property
    def name(self) -> str: ...

    def with_timeout(self, timeout: float) -> Self:
        """The same adapter, with another timeout in seconds for the whole of a request."""

    async def open(self) -> None:
        """Get ready before anything waits for a slot: what takes time now would make a request arrive late.

        Raises `ClientStateError` if it cannot send from this event loop.
        """

    async def aclose(self) -> None:
        """Close all our own connections."""

    def send(self, method: str, url: str, content: bytes | None, permit: Permit) -> Coroutine[Any, Any, Response]:
        """Send the request when the permit lets it be written, and read the answer.

        Raises `NoResponseError`, and the errors of a permit that cannot be used.
        """


def request_headers(credentials: Credentials, user_agent: str) -> dict[str, str]:
    """The headers of every request; one with a body has `Content-Type: application/json`, too."""
    return {
        "Authorization": credentials.authorization(),
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "User-Agent": user_agent,
    }
