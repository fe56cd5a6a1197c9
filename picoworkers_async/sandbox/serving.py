"""The sandbox over real HTTP: the service, and its console."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from .app import application
from .delivery import Delivery

_IDLE = 0.01
# Browsers ask for a picture unasked: that is no request to the service either.
_OF_THE_PAGE = ("/", "/favicon.ico")


class Connection:
    """Lets the application cut the connection that a request came on."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def abort(self) -> None:
        """Reset it, dropping whatever has not been sent."""
        self._transport.abort()

    def close(self) -> None:
        """Close it once what was written has been sent."""
        self._transport.close()

    def abort_soon(self) -> None:
        """Reset it a moment later, when it idles."""
        asyncio.get_running_loop().call_later(_IDLE, self._transport.abort)


class CuttableProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, whose requests carry their connection."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        served = self.app

        async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})["picoworkers.connection"] = Connection(transport)
            await served(scope, receive, send)

        self.app = app


@asynccontextmanager
async def serve(delivery: Delivery, port: int = 0, host: str = "127.0.0.1") -> AsyncIterator[str]:
    """Serve for as long as the block lasts; yields the base URL, ending with `/api/`. The console is at `/`."""
    from ..console.listening import listening  # loaded by who serves only
    from ..console.site import PREFIX, Site
    from .board import SandboxBoard

    service, site = application(delivery), Site(SandboxBoard(delivery))

    async def both(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        of_console = path in _OF_THE_PAGE or path.startswith(PREFIX)
        await (site if of_console else service)(scope, receive, send)

    async with listening(both, host, port, name="picoworkers-sandbox", http=CuttableProtocol) as url:
        try:
            yield f"{url}/api/"
        finally:
            site.close()
