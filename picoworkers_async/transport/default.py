"""Which adapter a client sends through."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Self

import anyio

from ..credentials import Credentials
from ..throttle import Permit
from ..version import __version__
from .adapters import HttpAdapter, Response
from .clients import OwnClient, SharedClient
from .httpx_adapter import HttpxAdapter
from .proxies import environment_proxy

if TYPE_CHECKING:
    import httpx
    import httpx2

_TIMEOUT = 30.0
_USER_AGENT = f"picoworkers_async/{__version__}"


def choose_adapter(
    base_url: str,
    credentials: Credentials,
    *,
    http_client: httpx.AsyncClient | httpx2.AsyncClient | None,
    transport: httpx.AsyncBaseTransport | httpx2.AsyncBaseTransport | None,
    timeout: float | None,
    max_bytes: int,
    max_connections: int,
    paced: bool,
) -> HttpAdapter:
    """An adapter over what the user gave; with neither a client nor a transport, the fastest that can run.

    That is one on asyncio's own connections, if the loop is asyncio's, the extra `fast` is installed and the
    environment names no proxy; else lanes. `timeout` is in seconds for a whole request: None stands for 30, or for
    the timeouts of a client that was given. `paced` says that requests keep a distance in time.
    """
    if http_client is not None:
        shared = SharedClient(http_client)
        return HttpxAdapter(shared, credentials, user_agent=_USER_AGENT, timeout=timeout, max_bytes=max_bytes)
    seconds = _TIMEOUT if timeout is None else timeout

    def own() -> HttpAdapter:
        source = OwnClient(transport, max_connections=max_connections, base_url=base_url, paced=paced)
        return HttpxAdapter(source, credentials, user_agent=_USER_AGENT, timeout=seconds, max_bytes=max_bytes)

    if transport is not None:
        return own()

    def fastest() -> HttpAdapter:
        if not _on_asyncio() or not importlib.util.find_spec("httptools") or environment_proxy(base_url):
            return own()
        from .asyncio_adapter import AsyncioAdapter

        return AsyncioAdapter(base_url, credentials, user_agent=_USER_AGENT, timeout=seconds, max_bytes=max_bytes)

    return LateAdapter(fastest)


class LateAdapter:
    """An adapter that is made when it is first needed, where the event loop runs."""

    def __init__(self, make: Callable[[], HttpAdapter]) -> None:
        self._made = functools.cache(make)

    def with_timeout(self, timeout: float) -> Self:
        """The same adapter, with another timeout in seconds."""
        return type(self)(lambda: self._made().with_timeout(timeout))

    def open(self) -> None:
        """Make it, before anything waits for a slot."""
        self._made().open()

    async def aclose(self) -> None:
        await self._made().aclose()

    def send(self, method: str, url: str, content: bytes | None, permit: Permit) -> Coroutine[Any, Any, Response]:
        """Send the request when the permit lets it be written, and read the answer."""
        return self._made().send(method, url, content, permit)


def _on_asyncio() -> bool:
    import asyncio  # 10 ms of the time to import us, and loaded already where an event loop of it runs

    return anyio.get_cancelled_exc_class() is asyncio.CancelledError
