"""One request out, one answer in: over our own transport, or over a client that the user shares with us."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

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


class TransportWire:
    """Hands lean requests straight to an httpx transport of our own, which is closed with us."""

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        credentials: Credentials,
        user_agent: str,
        timeout: float,
    ) -> None:
        self._transport = transport
        self._get = _headers(credentials, user_agent)
        self._post = httpx.Headers(self._get)
        self._post["Content-Type"] = "application/json"
        self._extensions = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), timeout)}
        self._urls: dict[str, httpx.URL] = {}

    async def send(self, method: str, url: str, content: bytes | None) -> Answer:
        if content is None:
            request = httpx.Request(method, url, headers=self._get, extensions=self._extensions)
        else:
            target = self._urls.get(url)
            if target is None:
                target = self._urls[url] = httpx.URL(url)
            request = httpx.Request(
                method, target, headers=self._post, content=content, extensions=self._extensions
            )
        response = await self._transport.handle_async_request(request)
        response.request = request
        try:
            body = await response.aread()
        finally:
            await response.aclose()
        return Answer(response.status_code, response.headers, body)

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

    async def send(self, method: str, url: str, content: bytes | None) -> Answer:
        request = self._client.build_request(method, url, headers=self._headers, content=content, **self._options)
        if content is not None:
            request.headers["Content-Type"] = "application/json"
        response = await self._client.send(request, auth=None, follow_redirects=False)
        return Answer(response.status_code, response.headers, response.content)

    async def aclose(self) -> None:
        """The client is not ours to close."""
