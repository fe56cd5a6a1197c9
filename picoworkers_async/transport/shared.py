"""One transport for many clients, which share its connections and its TLS context."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import anyio

from ..credentials import Credentials
from ..errors import ClientStateError, InvalidRequestError
from ..problems import Problem
from ..running import running_loop
from ..throttle import Permit
from .adapters import HttpAdapter, Response
from .choice import (
    VARIABLE,
    Choice,
    TransportName,
    choose,
    environment_name,
    name_problems,
    way_problems,
)
from .clients import OwnClient, client_with_lanes, client_with_pool
from .httpx_adapter import HttpxAdapter
from .package import default_package


class SharedTransport:
    """Connections that the clients of many accounts share: `async with SharedTransport() as shared:`.

    Give it to each client: `AsyncPicoworkers(..., transport=shared)`. `transport` is "fast", "lanes" or
    "client"; if you leave it out, it is chosen as for a client. Each request carries its own credentials, and no
    cookie is kept, so no account is mistaken for another's. Each client keeps its own throttle, timeouts and
    limits.

    There are as many connections to a service as requests were ever in flight at once, and no more than the
    places of all the clients' throttles together. Closing a client closes none of them; the end of this block
    does. Before the block, after it, and in an event loop other than the block's, its clients raise
    `ClientStateError`.

    Raises `InvalidRequestError` for an unknown name, given or in the environment.
    """

    def __init__(self, transport: TransportName | None = None) -> None:
        named = environment_name() if transport is None else None
        problems = [] if transport is None else name_problems("transport", transport)
        problems += [] if named is None else name_problems(VARIABLE, named)
        if problems:
            raise InvalidRequestError("SharedTransport", problems, sends=False)
        self._name = transport
        self._named = named
        self._state = "new"
        self._loop: object = None
        self._choices: dict[str, Choice] = {}
        # The connections, or the client, for each service.
        self._carriers: dict[str, Any] = {}

    def __repr__(self) -> str:
        names = sorted({str(choice.name) for choice in self._choices.values()}) or [self._name or "to be chosen"]
        return f"SharedTransport({', '.join(names)}; {_STATES[self._state]})"

    async def __aenter__(self) -> Self:
        if self._state != "new":
            raise ClientStateError(f"a SharedTransport is entered once, and this one is {_STATES[self._state]}")
        self._loop = running_loop()
        self._state = "open"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections, as the end of the block does; requests in flight fail. May be repeated."""
        self._state = "closed"
        carriers = list(self._carriers.values())
        with anyio.CancelScope(shield=True):
            for carrier in carriers:
                await carrier.aclose()

    def problems(self, base_url: str) -> list[Problem]:
        """What keeps a client of this address from using this transport."""
        if self._name is None:
            return way_problems(VARIABLE, self._named, base_url)
        return way_problems("transport", self._name, base_url)

    def require_open(self) -> None:
        """Raises `ClientStateError` outside the block."""
        if self._state != "open":
            raise ClientStateError(
                f"nothing was sent: the SharedTransport of this client is {_STATES[self._state]}; "
                "use the client inside its `async with` block"
            )

    def choice(self, base_url: str) -> Choice:
        """The transport for requests to this address: the same for all clients of its service.

        Raises `ClientStateError` outside the block, and in an event loop other than the block's.
        """
        self.require_open()
        if running_loop() is not self._loop:
            raise ClientStateError("nothing was sent: the SharedTransport was entered in another event loop")
        service = _service(base_url)
        if service not in self._choices:
            self._choices[service] = choose(self._name, self._named, base_url)
        return self._choices[service]

    def adapter(
        self,
        choice: Choice,
        base_url: str,
        credentials: Credentials,
        *,
        user_agent: str,
        timeout: float,
        max_bytes: int,
        paced: bool,
    ) -> HttpAdapter:
        """An adapter for one client, over the shared connections to its service."""
        carrier = self._carrier(choice, base_url)
        adapter: HttpAdapter
        if choice.name == "fast":
            from .asyncio_adapter import AsyncioAdapter

            adapter = AsyncioAdapter(
                base_url, credentials, user_agent=user_agent, timeout=timeout, max_bytes=max_bytes, shared=carrier
            )
        else:
            source = OwnClient(default_package(), lambda: carrier, choice.name, ours=True, paced=paced)
            adapter = HttpxAdapter(
                source, credentials, user_agent=user_agent, timeout=timeout, max_bytes=max_bytes
            )
        return _LentAdapter(self, adapter)

    def _carrier(self, choice: Choice, base_url: str) -> Any:
        """What carries all requests to a service: the connections of `fast`, or a client."""
        service = _service(base_url)
        if (carrier := self._carriers.get(service)) is not None:
            return carrier
        if choice.name == "fast":
            from .connections import Connections

            carrier = Connections(base_url)
        elif choice.name == "client":
            carrier = client_with_pool(default_package(), None, base_url)
        else:
            carrier = client_with_lanes(default_package(), sys.maxsize, base_url)
        self._carriers[service] = carrier
        return carrier


class _LentAdapter:
    """An adapter over connections that belong to the shared transport, for as long as they are open."""

    def __init__(self, shared: SharedTransport, adapter: HttpAdapter) -> None:
        self._shared = shared
        self._adapter = adapter
        self.name = f"{adapter.name}, shared"

    def with_timeout(self, timeout: float) -> Self:
        return type(self)(self._shared, self._adapter.with_timeout(timeout))

    async def open(self) -> None:
        self._shared.require_open()
        await self._adapter.open()

    async def aclose(self) -> None:
        """The connections stay open for the others."""

    async def send(self, method: str, url: str, content: bytes | None, permit: Permit) -> Response:
        self._shared.require_open()
        return await self._adapter.send(method, url, content, permit)


_STATES = {"new": "not open yet", "open": "open", "closed": "closed"}


def _service(base_url: str) -> str:
    """What the addresses of one service have in common."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}".lower()
