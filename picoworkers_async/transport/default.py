"""The adapter that a client sends through."""

from __future__ import annotations

import copy
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Self

from ..credentials import Credentials
from ..observing import logger
from ..throttle import Permit
from ..version import __version__
from .adapters import HttpAdapter, Response
from .choice import Choice, TransportName, choose, environment_name
from .clients import (
    OwnClient,
    SharedClient,
    client_over,
    client_with_lanes,
    client_with_pool,
    package_of_transport,
)
from .httpx_adapter import HttpxAdapter
from .loading import load
from .package import default_package
from .shared import SharedTransport

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
    transport: TransportName | httpx.AsyncBaseTransport | httpx2.AsyncBaseTransport | SharedTransport | None,
    timeout: float | None,
    max_bytes: int,
    max_connections: int,
    paced: bool,
) -> HttpAdapter:
    """An adapter over what the user gave or named; with neither, `choice.choose` decides.

    What is named, or left out, is decided when the client is entered, where the event loop runs. `timeout` is in
    seconds for a whole request: None means 30, or the timeouts of a client that was given. `paced` says that
    requests keep a distance in time.
    """
    if http_client is not None:
        _tell(base_url, SharedClient.name, "it was given")
        shared = SharedClient(http_client)
        return HttpxAdapter(shared, credentials, user_agent=_USER_AGENT, timeout=timeout, max_bytes=max_bytes)
    seconds = _TIMEOUT if timeout is None else timeout

    def over(source: OwnClient) -> HttpAdapter:
        return HttpxAdapter(source, credentials, user_agent=_USER_AGENT, timeout=seconds, max_bytes=max_bytes)

    def own(choice: Choice) -> HttpAdapter:
        if choice.name == "fast":
            from .asyncio_adapter import AsyncioAdapter

            return AsyncioAdapter(
                base_url, credentials, user_agent=_USER_AGENT, timeout=seconds, max_bytes=max_bytes
            )
        package = default_package()
        if choice.name == "client":
            make = lambda: client_with_pool(package, max_connections, base_url)  # noqa: E731
        else:
            make = lambda: client_with_lanes(package, max_connections, base_url)  # noqa: E731
        return over(OwnClient(package, make, choice.name, ours=True, paced=paced))

    if transport is None or isinstance(transport, str):
        # Not again when it is entered: it may be another by then, that nobody has checked.
        named = environment_name()
        return LateAdapter(base_url, transport, lambda: choose(transport, named, base_url), own)
    if isinstance(transport, SharedTransport):

        def lent(choice: Choice) -> HttpAdapter:
            return transport.adapter(
                choice,
                base_url,
                credentials,
                user_agent=_USER_AGENT,
                timeout=seconds,
                max_bytes=max_bytes,
                paced=paced,
            )

        return LateAdapter(base_url, repr(transport), lambda: transport.choice(base_url), lent)
    package, name = package_of_transport(transport), type(transport).__name__
    _tell(base_url, name, "it was given")
    return over(OwnClient(package, lambda: client_over(transport, package), name, ours=False, paced=paced))


class LateAdapter:
    """An adapter that is chosen and made when it is first needed, where the event loop runs.

    `given` is what the user named, None for nothing.
    """

    def __init__(
        self,
        base_url: str,
        given: str | None,
        choose: Callable[[], Choice],
        make: Callable[[Choice], HttpAdapter],
    ) -> None:
        self._base_url = base_url
        self._given = given
        self._choose = choose
        self._make = make
        self._timeout: float | None = None
        self._shared = _Made()
        self._own: HttpAdapter | None = None

    @property
    def name(self) -> str:
        made = self._shared.adapter
        return (self._given or "to be chosen when it is entered") if made is None else made.name

    def with_timeout(self, timeout: float) -> Self:
        """The same adapter, with another timeout in seconds."""
        other = copy.copy(self)
        other._timeout, other._own = timeout, None
        return other

    async def open(self) -> None:
        """Choose and make it, before anything waits for a slot."""
        choice = self._choose()
        await load(choice.name, self._base_url)
        await self._made(choice).open()

    async def aclose(self) -> None:
        if self._shared.adapter is not None:
            await self._shared.adapter.aclose()

    def send(self, method: str, url: str, content: bytes | None, permit: Permit) -> Coroutine[Any, Any, Response]:
        """Send the request when the permit lets it be written, and read the answer."""
        return (self._own or self._made()).send(method, url, content, permit)

    def _made(self, choice: Choice | None = None) -> HttpAdapter:
        shared = self._shared
        if shared.adapter is None:
            choice = choice or self._choose()
            shared.adapter = self._make(choice)
            _tell(self._base_url, shared.adapter.name, choice.why)
        made = shared.adapter
        self._own = made if self._timeout is None else made.with_timeout(self._timeout)
        return self._own


class _Made:
    """The adapter that was made, for all views with other timeouts."""

    adapter: HttpAdapter | None = None


def _tell(base_url: str, name: str, why: str) -> None:
    # As with events, what the line says is beside it, too.
    fields = {"base_url": base_url, "transport": name, "why": why}
    line = "requests to %(base_url)s go over %(transport)s: %(why)s"
    logger.debug(line, fields, extra={"event": "transport_chosen", **fields})
