"""One request out, one answer in: over our own transport, or over a client that the user shares with us."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable
from functools import cached_property
from typing import Any, NamedTuple, Protocol, Self

import httpx

from ..credentials import Credentials

_COMMON_SIZES = 1024


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

    def open(self) -> None:
        """Get ready, before anything waits for a slot: what takes time now would have a request arrive late."""

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
    """The bytes of a request or an answer in one piece.

    httpx's own is an async generator, which a failed connection leaves behind unfinished.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._given = not content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._given:
            raise StopAsyncIteration
        self._given = True
        return self.content


class Lean(httpx.Request):
    """A request whose parts are made already. httpx's own constructor copies and completes them each time."""

    def __init__(
        self,
        method: str,
        url: httpx.URL,
        headers: httpx.Headers,
        stream: httpx.AsyncByteStream,
        extensions: dict[str, Any],
    ) -> None:
        self.method = method
        self.url = url
        self.headers = headers
        self.stream = stream
        self.extensions = extensions


class Chosen:
    """The transport, chosen when it is first needed: where the event loop runs."""

    def __init__(self, choose: Callable[[], httpx.AsyncBaseTransport]) -> None:
        self._choose = choose

    @cached_property
    def transport(self) -> httpx.AsyncBaseTransport:
        return self._choose()


class TransportWire:
    """Hands lean requests straight to an httpx transport of our own, which is closed with us."""

    def __init__(
        self,
        choose: Callable[[], httpx.AsyncBaseTransport],
        credentials: Credentials,
        user_agent: str,
        timeout: float,
        base_url: str,
    ) -> None:
        self._chosen = Chosen(choose)
        self._get = _headers(credentials, user_agent)
        self._get["Host"] = httpx.URL(base_url).netloc.decode()
        self._post = httpx.Headers(self._get)
        self._post["Content-Type"] = "application/json"
        self._extensions = _timeouts(timeout)
        self._urls: dict[str, httpx.URL] = {}
        self._sized: list[httpx.Headers] = []

    async def send(self, method: str, url: str, content: bytes | None) -> Answer:
        if content is None:
            request = Lean(method, httpx.URL(url), self._get, Body(b""), self._extensions)
        else:
            target = self._urls.get(url) or self._urls.setdefault(url, httpx.URL(url))
            size = len(content)
            headers = self._sized[size] if size < len(self._sized) else self._of_size(size)
            request = Lean(method, target, headers, Body(content), self._extensions)
        response = await self._chosen.transport.handle_async_request(request)
        if isinstance(response.stream, Body):
            return Answer(response.status_code, response.headers, response.stream.content)
        if response.is_closed:
            return Answer(response.status_code, response.headers, response.content)
        response.request = request
        try:
            body = await response.aread()
        finally:
            await response.aclose()
        return Answer(response.status_code, response.headers, body)

    def _of_size(self, size: int) -> httpx.Headers:
        """The headers of a request with a body of so many bytes; those of common sizes are made once."""
        if size >= _COMMON_SIZES:
            headers = httpx.Headers(self._post)
            headers["Content-Length"] = str(size)
            return headers
        while len(self._sized) <= size:
            headers = httpx.Headers(self._post)
            headers["Content-Length"] = str(len(self._sized))
            self._sized.append(headers)
        return self._sized[size]

    def with_timeout(self, timeout: float) -> Self:
        other = copy.copy(self)
        other._extensions = _timeouts(timeout)
        return other

    def open(self) -> None:
        _ = self._chosen.transport

    async def aclose(self) -> None:
        await self._chosen.transport.aclose()


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

    def open(self) -> None:
        """The client is ready when it is given."""

    async def send(self, method: str, url: str, content: bytes | None) -> Answer:
        request = self._client.build_request(method, url, headers=self._headers, content=content, **self._options)
        if content is not None:
            request.headers["Content-Type"] = "application/json"
        response = await self._client.send(request, auth=None, follow_redirects=False)
        return Answer(response.status_code, response.headers, response.content)

    async def aclose(self) -> None:
        """The client is not ours to close."""
