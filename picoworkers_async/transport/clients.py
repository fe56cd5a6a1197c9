"""The httpx client that requests go through: one of ours, or one that the user shares with us."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Protocol

import httpx

from .bodies import BytesStream
from .lanes import Lanes
from .proxies import environment_proxy


class ClientSource(Protocol):
    """Where an adapter has its client from. `ours` says that its transport is of this library too.

    `watched` says whether it matters when each request is written; `traces` whether the client tells, as far as is
    known.
    """

    ours: bool
    watched: bool
    traces: bool

    @property
    def client(self) -> Any:
        """An `httpx.AsyncClient`, or the same of httpx2."""

    def request(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, extensions: dict[str, Any]
    ) -> Any:
        """A request of the client's own kind."""

    async def aclose(self) -> None: ...


class OwnClient:
    """A client of ours, made when it is first needed, where the event loop runs, and closed with us.

    It sends through the user's `transport`, or without one over so many lanes, with the proxy that the environment
    names for `base_url`. `paced` says that requests keep a distance in time.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport | None,
        *,
        max_connections: int,
        base_url: str,
        paced: bool,
    ) -> None:
        self.ours = transport is None
        self.watched = paced or not self.ours
        self.traces = False
        self._transport = transport
        self._max_connections = max_connections
        self._base_url = base_url

    @cached_property
    def client(self) -> httpx.AsyncClient:
        transport = self._transport or Lanes(self._max_connections, proxy=environment_proxy(self._base_url))
        self.traces = self.watched and isinstance(transport, Lanes | httpx.AsyncHTTPTransport)
        return _Client(transport=transport, trust_env=False)

    def request(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, extensions: dict[str, Any]
    ) -> httpx.Request:
        request = httpx.Request(method, _parsed(url), headers=headers, content=content, extensions=extensions)
        request.stream = BytesStream(request.content)
        return request

    async def aclose(self) -> None:
        await self.client.aclose()


class SharedClient:
    """A client that belongs to the user, and is never closed from here.

    Its transport, proxies, limits, headers and hooks stay in force; its own authentication and its following of
    redirects do not.
    """

    ours = False
    watched = True

    def __init__(self, client: Any) -> None:
        self.client = client
        self.traces = False

    def request(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, extensions: dict[str, Any]
    ) -> Any:
        return self.client.build_request(method, url, headers=headers, content=content, extensions=extensions)

    async def aclose(self) -> None:
        """The client is not ours to close."""


@functools.lru_cache(maxsize=64)
def _parsed(url: str) -> httpx.URL:
    """An address, which cannot be changed. To parse one takes httpx a tenth of all that a request costs."""
    return httpx.URL(url)


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, response: httpx.Response) -> None:
        """Keep none, so that no answer leaves anything behind for the next request, or another account's."""


class _Client(httpx.AsyncClient):
    """An `httpx.AsyncClient` that has no cookies."""

    @property  # type: ignore[misc]
    def cookies(self) -> httpx.Cookies:
        return _NO_COOKIES


_NO_COOKIES = _NoCookies()
