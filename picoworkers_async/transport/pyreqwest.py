"""The fast transport, over pyreqwest's own interface. Needs the extra `picoworkers-async[fast]` and asyncio."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import anyio.lowlevel
import httpx
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import DetailedPyreqwestError, PoolTimeoutError, PyreqwestError
from pyreqwest.proxy import ProxyBuilder
from pyreqwest.request import StreamRequest
from pyreqwest.response import Response

_OPENING = "client error (Connect)"
_SENDING = "client error (SendRequest)"


class PyreqwestTransport(httpx.AsyncBaseTransport):
    """Sends through pyreqwest (Rust's reqwest), without its middle layers.

    `max_connections` requests may be under way at once; `timeout`, in seconds, is for getting a connection, for
    opening it, and for the request as a whole unless the request's own `read` timeout says otherwise. The body of
    an answer is streamed, packed as it came. Raises the exceptions that httpx's own transport would. Follows no
    redirect, and never sends a request a second time, except where the connection was closed before a byte of it
    was written.
    """

    def __init__(self, *, max_connections: int, timeout: float, proxy: str | None = None) -> None:
        opening = timedelta(seconds=timeout)
        builder = (
            ClientBuilder()
            .max_connections(max_connections)
            .pool_max_idle_per_host(max_connections)
            .connect_timeout(opening)
            .pool_timeout(opening)
            .follow_redirects(False)
            .referer(False)
            .http1_only()
            .gzip(False)
            .deflate(False)
            .brotli(False)
            .zstd(False)
        )
        if certificates := os.environ.get("SSL_CERT_FILE"):
            builder = builder.add_root_certificate_pem(Path(certificates).read_bytes())
        builder = builder.no_proxy() if proxy is None else builder.proxy(ProxyBuilder.all(proxy))
        self._client: Client = builder.build()
        self._timeout = timeout

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        builder = self._client.request(request.method, str(request.url)).headers(request.headers.multi_items())
        if body := await request.aread():
            builder = builder.body_bytes(body)
        seconds = request.extensions.get("timeout", {}).get("read", self._timeout)
        if seconds is not None:
            builder = builder.timeout(timedelta(seconds=seconds))
        sending = builder.build_streamed()
        try:
            response = await sending.__aenter__()
        except PyreqwestError as error:
            raise as_httpx(error, request) from error
        except asyncio.CancelledError:
            # pyreqwest raises one of its own, which no cancel scope would know for its own cancellation.
            await anyio.lowlevel.checkpoint_if_cancelled()
            raise
        stream = _BytesStream(sending, response, request)
        return httpx.Response(response.status, headers=list(response.headers.items()), stream=stream)

    async def aclose(self) -> None:
        await self._client.close()


class _BytesStream(httpx.AsyncByteStream):
    """The body of an answer as it comes. Its connection is used again if it was read whole, dropped if not."""

    def __init__(self, sending: StreamRequest, response: Response, request: httpx.Request) -> None:
        self._sending = sending
        self._reader = response.body_reader
        self._request = request

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            part = await self._reader.read_chunk()
        except PyreqwestError as error:
            raise as_httpx(error, self._request) from error
        except asyncio.CancelledError:
            await anyio.lowlevel.checkpoint_if_cancelled()
            raise
        if part is None:
            raise StopAsyncIteration
        return bytes(part)

    async def aclose(self) -> None:
        await self._sending.__aexit__(None, None, None)


def as_httpx(error: PyreqwestError, request: httpx.Request) -> httpx.TransportError:
    """The exception that httpx would have raised, by what the error's own causes prove.

    pyreqwest's classes do not tell whether a request was on its way: a connection that is cut after sending is a
    `ConnectError` to it, and an answer that does not come a `ConnectTimeoutError`. reqwest's causes do. Whatever
    they do not prove to have failed before sending counts as sent.
    """
    details = error.details if isinstance(error, DetailedPyreqwestError) else None
    causes = [] if details is None else [str(cause["message"]) for cause in details.get("causes") or ()]
    text = f"{type(error).__name__}: {causes[-1] if causes else error}"
    timed_out = isinstance(error, TimeoutError)
    if isinstance(error, PoolTimeoutError):
        return httpx.PoolTimeout(text, request=request)
    if _OPENING in causes and _SENDING not in causes:
        kind: type[httpx.TransportError] = httpx.ConnectTimeout if timed_out else httpx.ConnectError
        return kind(text, request=request)
    return (httpx.ReadTimeout if timed_out else httpx.ReadError)(text, request=request)
