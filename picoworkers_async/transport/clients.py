"""The client of httpx or httpx2 that requests go through: one of ours, or one that the user shares with us."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Mapping
from functools import cached_property
from typing import Any, Protocol

from .lanes import Lanes
from .package import default_package, made_of, package_of
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

    def headers(self, fields: Mapping[str, str]) -> Mapping[str, str]:
        """These headers, in the form that a request takes soonest."""

    def request(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, extensions: dict[str, Any]
    ) -> Any:
        """A request of the client's own kind."""

    async def aclose(self) -> None: ...


class OwnClient:
    """A client of ours, made when it is first needed, where the event loop runs, and closed with us.

    It sends through the user's `transport`, and is of the same package as that; or without one over so many lanes,
    with the proxy that the environment names for `base_url`. `paced` says that requests keep a distance in time.
    """

    def __init__(
        self,
        transport: Any,
        *,
        max_connections: int,
        base_url: str,
        paced: bool,
    ) -> None:
        self.ours: bool = transport is None
        self.watched: bool = paced or not self.ours
        self.traces: bool = False
        self._package = package_of_transport(transport) or default_package()
        self._transport = transport
        self._max_connections = max_connections
        self._base_url = base_url

    @cached_property
    def client(self) -> Any:
        package = self._package
        transport = self._transport
        if transport is None:
            transport = Lanes(self._max_connections, package, proxy=environment_proxy(self._base_url))
        self.traces = self.watched and isinstance(transport, Lanes | package.AsyncHTTPTransport)
        return _client_class(package)(transport=transport, trust_env=False)

    def headers(self, fields: Mapping[str, str]) -> Mapping[str, str]:
        headers: Mapping[str, str] = self._package.Headers(fields)
        return headers

    def request(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, extensions: dict[str, Any]
    ) -> Any:
        package = self._package
        request = package.Request(
            method, _parsed(package, url), headers=headers, content=content, extensions=extensions
        )
        request.stream = made_of(package, BytesStream, "AsyncByteStream")(request.content)
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

    def headers(self, fields: Mapping[str, str]) -> Mapping[str, str]:
        package = package_of(self.client, "AsyncClient")
        headers: Mapping[str, str] = fields if package is None else package.Headers(fields)
        return headers

    def request(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, extensions: dict[str, Any]
    ) -> Any:
        return self.client.build_request(method, url, headers=headers, content=content, extensions=extensions)

    async def aclose(self) -> None:
        """The client is not ours to close."""


def package_of_transport(transport: object) -> Any:
    """The package that a transport is of: its clients can send through it. None if it is no transport."""
    return transport.package if isinstance(transport, Lanes) else package_of(transport, "AsyncBaseTransport")


class BytesStream:
    """The body of a request in one piece; to be made of a package's `AsyncByteStream`.

    That of httpx itself is an async generator, which a failed connection leaves behind unfinished.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._given = not content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return type(self)(self._content)

    async def __anext__(self) -> bytes:
        if self._given:
            raise StopAsyncIteration
        self._given = True
        return self._content


@functools.lru_cache(maxsize=64)
def _parsed(package: Any, url: str) -> Any:
    """An address, which cannot be changed. To parse one takes httpx a tenth of all that a request costs."""
    return package.URL(url)


@functools.cache
def _client_class(package: Any) -> Any:
    """The package's `AsyncClient` without cookies: no answer leaves anything behind for the next account's."""

    class NoCookies(package.Cookies):  # type: ignore[misc]
        def extract_cookies(self, response: Any) -> None:
            """Keep none."""

    none = NoCookies()

    class Client(package.AsyncClient):  # type: ignore[misc]
        @property
        def cookies(self) -> Any:
            return none

    return Client
