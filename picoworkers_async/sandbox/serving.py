"""The sandbox over real HTTP: uvicorn on a port of loopback, or elsewhere, in a thread with a loop of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.to_thread
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from .app import application
from .delivery import Delivery

_IDLE = 0.01
# What listens everywhere, and where that is reached from here: no client sends to the first.
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


class Connection:
    """A way for the application to cut the connection that a request came on."""

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


class _Server(uvicorn.Server):
    """A server that tells when it is ready, and leaves the process's signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@asynccontextmanager
async def serve(delivery: Delivery, port: int = 0, host: str = "127.0.0.1") -> AsyncIterator[str]:
    """Serve for as long as the block lasts; gives the base URL, which ends with `/api/`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio switches Nagle's algorithm off, which would cost 40 ms an answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    config = uvicorn.Config(
        application(delivery),
        http=CuttableProtocol,
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="picoworkers-sandbox", daemon=True)
    thread.start()
    try:
        await anyio.to_thread.run_sync(server.ready.wait)
        yield f"http://{_reached_as(host)}:{listener.getsockname()[1]}/api/"
    finally:
        server.should_exit = True
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(thread.join)
        listener.close()


def _reached_as(host: str) -> str:
    """The host of an address that reaches it from this machine."""
    name = _ANY.get(host, host)
    return f"[{name}]" if ":" in name else name
