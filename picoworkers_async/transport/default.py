"""Which httpx transport a client of ours sends through, when none is given."""

from __future__ import annotations

import asyncio
import importlib.util
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import anyio
import httpx


class Lanes(httpx.AsyncBaseTransport):
    """Many transports of one connection each: a request takes a free one, so none looks at all the others.

    `options` are those of `httpx.AsyncHTTPTransport` (`verify`, `cert`, `proxy`, `http2`, `retries` and so on),
    except `limits`. `lanes` is how many requests may be under way at once; one more waits for as long as its
    `pool` timeout says, and raises `httpx.PoolTimeout` after that. Works on asyncio and trio.
    """

    def __init__(self, lanes: int, **options: Any) -> None:
        verify = options.pop("verify", True)
        if not isinstance(verify, bool) or verify:
            # Certificates are loaded once, not for each lane.
            trust_env = options.get("trust_env", True)
            verify = httpx.create_ssl_context(verify=verify, cert=options.pop("cert", None), trust_env=trust_env)
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        transports = [httpx.AsyncHTTPTransport(verify=verify, limits=limits, **options) for _ in range(lanes)]
        self._all = tuple(transports)
        # The one that was given back last is the likeliest to have its connection still open.
        self._free: deque[httpx.AsyncBaseTransport] = deque(reversed(transports))
        self._waiting: deque[anyio.Event] = deque()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        lane = self._free.pop() if self._free else await self._next_free(request)
        try:
            response = await lane.handle_async_request(request)
            stream = cast("httpx.AsyncByteStream", response.stream)
            response.stream = _LaneStream(stream, lambda: self._give_back(lane))
        except BaseException:
            self._give_back(lane)
            raise
        return response

    async def aclose(self) -> None:
        for transport in self._all:
            await transport.aclose()

    async def _next_free(self, request: httpx.Request) -> httpx.AsyncBaseTransport:
        timeout = request.extensions.get("timeout", {}).get("pool")
        with anyio.move_on_after(timeout):
            while not self._free:
                event = anyio.Event()
                self._waiting.append(event)
                try:
                    await event.wait()
                except BaseException:
                    if event in self._waiting:
                        self._waiting.remove(event)
                    else:
                        self._wake()
                    raise
            return self._free.pop()
        raise httpx.PoolTimeout("no lane became free", request=request)

    def _give_back(self, lane: httpx.AsyncBaseTransport) -> None:
        self._free.append(lane)
        self._wake()

    def _wake(self) -> None:
        if self._waiting:
            self._waiting.popleft().set()


class _LaneStream(httpx.AsyncByteStream):
    """The body of an answer; its lane is free once it is closed."""

    def __init__(self, stream: httpx.AsyncByteStream, give_back: Callable[[], None]) -> None:
        self._stream = stream
        self._give_back: Callable[[], None] | None = give_back

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._stream.__aiter__()

    async def aclose(self) -> None:
        give_back, self._give_back = self._give_back, None
        if give_back is not None:
            try:
                await self._stream.aclose()
            finally:
                give_back()


def default_transport(*, max_connections: int, timeout: float, base_url: str) -> httpx.AsyncBaseTransport:
    """The fast transport on asyncio where it is installed, else lanes; to be called where the event loop runs.

    Proxies and certificates are those of the environment, as for an `httpx.AsyncClient`.
    """
    proxy = environment_proxy(base_url)
    if anyio.get_cancelled_exc_class() is asyncio.CancelledError and importlib.util.find_spec("pyreqwest"):
        from .pyreqwest import Fast

        return Fast(max_connections=max_connections, timeout=timeout, proxy=proxy)
    return Lanes(max_connections, proxy=proxy)


def environment_proxy(url: str) -> str | None:
    """The proxy that the environment names for an address (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`), if any."""
    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy is None or (parts.hostname and proxy_bypass(parts.hostname)):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
