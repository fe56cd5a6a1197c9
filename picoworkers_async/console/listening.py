"""An ASGI application on a port: uvicorn in a thread, with an event loop of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import anyio
import anyio.to_thread
import uvicorn
from starlette.types import ASGIApp


class _Server(uvicorn.Server):
    """A server that signals when it is ready, and leaves the process's signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


# What listens everywhere, and where that is reached from here: no client sends to the first.
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


@asynccontextmanager
async def listening(
    application: ASGIApp, host: str, port: int, *, name: str, http: type[Any] | Literal["h11"] = "h11"
) -> AsyncIterator[str]:
    """Serve for as long as the block lasts, in a thread of this name; yields the URL, without a path.

    Port 0 is a free one. For a host that means every address, the URL is the one to use on this machine.
    """
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
        application,
        http=http,
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name=name, daemon=True)
    thread.start()
    try:
        await anyio.to_thread.run_sync(server.ready.wait)
        yield f"http://{_reached_as(host)}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(thread.join)
        listener.close()


def _reached_as(host: str) -> str:
    """The host by which this machine reaches an address."""
    name = _ANY.get(host, host)
    return f"[{name}]" if ":" in name else name
