"""One request out, one answer in: over our own transport, or over a client that the user shares with us."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from typing import Any, NamedTuple, Protocol, Self

import httpx

from .credentials import Credentials


class Answer(NamedTuple):
    """What came back: the status, the headers (names in any letter case), and the whole body."""

    status: int
    headers: Any
    body: bytes


class Wire(Protocol):
    """Sends one request and reads its whole answer. Never follows a redirect, never repeats anything."""

    async def send(self, method: str, url: str, content: bytes | None) -> Answer: ...

    def with_timeout(self, timeout: float) -> Self:
        """The same wire, with another timeout in seconds."""

    async def aclose(self) -> None: ...


def _headers(credentials: Credentials, user_agent: str) -> httpx.Headers:
    return httpx.Headers(
        {
            "Authorization": credentials.authorization(),
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": user_agent,
        }
    )


def _timeouts(timeout: float) -> dict[str, Any]:
    return {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), timeout)}


class Body(httpx.AsyncByteStream):
    """The bytes of a request in one piece.

    httpx's own is an async generator, which a failed connection leaves behind unfinished.
    """

    def __init__(self, content: bytes) -> None:
        self._content: bytes | None = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._content:
            raise StopAsyncIteration
        content, self._content = self._content, None
        return content


class TransportWire:
    """Hands lean requests straight to an httpx transport of our own, which is closed with us."""

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        credentials: Credentials,
        user_agent: str,
        timeout: float,
        base_url: str,
    ) -> None:
        self._transport = transport
        self._get = _headers(credentials, user_agent)
        self._get["Host"] = httpx.URL(base_url).netloc.decode()
        self._post = httpx.Headers(self._get)
        self._post["Content-Type"] = "application/json"
        self._extensions = _timeouts(timeout)
        self._urls: dict[str, httpx.URL] = {}

    async def send(self, method: str, url: str, content: bytes | None) -> Answer:
        headers: httpx.Headers = self._get
        target: httpx.URL | str = url
        if content is not None:
            headers = httpx.Headers(self._post)
            headers["Content-Length"] = str(len(content))
            target = self._urls.get(url) or self._urls.setdefault(url, httpx.URL(url))
        request = httpx.Request(
            method, target, headers=headers, stream=Body(content or b""), extensions=self._extensions
        )
        response = await self._transport.handle_async_request(request)
        response.request = request
        try:
            body = await response.aread()
        finally:
            await response.aclose()
        return Answer(response.status_code, response.headers, body)

    def with_timeout(self, timeout: float) -> Self:
        other = copy.copy(self)
        other._extensions = _timeouts(timeout)
        return other

    async def aclose(self) -> None:
        await self._transport.aclose()


class ClientWire:
    """Uses a client that belongs to the user: `httpx.AsyncClient`, or the same of its successor httpx2.

    Its transport, proxies, limits and hooks stay in force; its own authentication and its following of
    redirects do not. It is never closed from here.
    """

    def __init__(self, http_client: Any, credentials: Credentials, user_agent: str, timeout: float | None) -> None:
        self._client = http_client
        self._headers = _headers(credentials, user_agent)
        self._options = {} if timeout is None else {"timeout": timeout}

    def with_timeout(self, timeout: float) -> Self:
        other = copy.copy(self)
        other._options = {"timeout": timeout}
        return other

    async def send(self, method: str, url: str, content: bytes | None) -> Answer:
        request = self._client.build_request(method, url, headers=self._headers, content=content, **self._options)
        if content is not None:
            request.headers["Content-Type"] = "application/json"
        response = await self._client.send(request, auth=None, follow_redirects=False)
        return Answer(response.status_code, response.headers, response.content)

    async def aclose(self) -> None:
        """The client is not ours to close."""
