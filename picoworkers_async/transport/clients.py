"""The client of httpx or httpx2 that requests go through: our own, or one that the user shares with us."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Mapping
from functools import cached_property
from typing import Any, Protocol

from .lanes import Lanes
from .package import made_of, package_of
from .proxies import usable_proxy
from .tls import environment_tls


class ClientSource(Protocol):
    """Where an adapter gets its client. `ours` says that its transport is this library's, too.

    `watched` says whether it matters when each request is written; `traces` whether the client reports that, as
    far as is known. `name` says what the client is, or what it sends over.
    """

    name: str
    ours: bool
    watched: bool
    traces: bool

    @property
    def client(self) -> Any:
        """An `httpx.AsyncClient`, or the same of httpx2."""

    def headers(self, fields: Mapping[str, str]) -> Mapping[str, str]:
        """These headers, in the form that a request accepts fastest."""

    def request(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, extensions: dict[str, Any]
    ) -> Any:
        """A request of the client's own kind."""

    async def aclose(self) -> None: ...


class OwnClient:
    """Our own client, made when it is first needed, where the event loop runs, and closed with us.

    `make` makes it, from the package. `ours` is as above, `paced` says that requests keep a distance in time,
    `name` is what it sends over.
    """

    def __init__(self, package: Any, make: Callable[[], Any], name: str, *, ours: bool, paced: bool) -> None:
        self.name: str = name
        self.ours: bool = ours
        self.watched: bool = paced or not ours
        self.traces: bool = False
        self._package = package
        self._make = make

    @cached_property
    def client(self) -> Any:
        client = self._make()
        tells = isinstance(client._transport, Lanes | self._package.AsyncHTTPTransport)
        self.traces = self.watched and tells
        return client

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
        request.stream = made_of(BytesStream, package.AsyncByteStream)(request.content)
        return request

    async def aclose(self) -> None:
        await self.client.aclose()


def client_over(transport: Any, package: Any) -> Any:
    """A client that sends through a transport, and through no other, whatever the environment names."""
    return _client_class(package.AsyncClient, package.Cookies)(transport=transport, trust_env=False)


def client_with_lanes(package: Any, lanes: int, base_url: str) -> Any:
    """A client over this many lanes, with the proxy that the environment names for an address."""
    return client_over(Lanes(lanes, package, proxy=usable_proxy(base_url, package)), package)


def client_with_pool(package: Any, connections: int | None, base_url: str) -> Any:
    """A client with httpx's own pool of this many connections (None: no limit), and the same proxy.

    It uses only this of the environment: httpx itself would send an address without TLS to `HTTP_PROXY`.
    """
    limits = package.Limits(max_connections=connections, max_keepalive_connections=connections)
    proxy, kind = usable_proxy(base_url, package), _client_class(package.AsyncClient, package.Cookies)
    return kind(limits=limits, verify=environment_tls(), proxy=proxy, trust_env=False)


class SharedClient:
    """A client that belongs to the user, and is never closed from here.

    Its transport, proxies, limits, headers and hooks stay in force; its own authentication and its following of
    redirects do not.
    """

    name = "http_client"
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
    """The package of a transport, whose clients can send through it. None if it is not a transport."""
    return transport.package if isinstance(transport, Lanes) else package_of(transport, "AsyncBaseTransport")


class BytesStream:
    """The body of a request in one piece; make it of a package's `AsyncByteStream`.

    That of httpx itself is an async generator, which a failed connection leaves unfinished.
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
    """An address, which cannot be changed. Parsing one takes httpx a tenth of what a request costs."""
    return package.URL(url)


@functools.cache
def _client_class(base: Any, cookies: Any) -> Any:
    """A package's `AsyncClient`, or its stand-in, without cookies: no answer leaves one for another account."""

    class NoCookies(cookies):  # type: ignore[misc]
        def extract_cookies(self, response: Any) -> None:
            """Keep none."""

    none = NoCookies()

    class Client(base):  # type: ignore[misc]
        @property
        def cookies(self) -> Any:
            return none

    return Client
