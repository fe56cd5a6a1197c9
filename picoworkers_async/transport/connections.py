"""The connections of the fast adapter to one service."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

from .connection import Connection
from .tls import environment_tls

# An idle connection is used again for less than the five seconds after which common services close theirs.
_IDLE_SECONDS = 4.0
# How much later the next of a host's addresses is tried while the one before it does not answer.
_NEXT_ADDRESS_SECONDS = 0.25


class Connections:
    """The connections to the service at an address: idle ones to take, and all of them, to close at the end.

    Each request carries its own credentials, so clients of many accounts may share them. Create it where the
    event loop runs.
    """

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        secure, host, port = parts.scheme == "https", str(parts.hostname), parts.port
        default = 443 if secure else 80
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        name = f"[{host}]" if ":" in host else host
        self.host_header: str = name if port in (None, default) else f"{name}:{port}"
        self._address: dict[str, Any] = {"host": host, "port": port or default}
        self._address["ssl"] = environment_tls() if secure else None
        if isinstance(self.loop, asyncio.BaseEventLoop):
            # uvloop's has no such option.
            self._address["happy_eyeballs_delay"] = _NEXT_ADDRESS_SECONDS
        # The one that was given back last is the likeliest to be open still.
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._opening: set[asyncio.Task[Connection]] = set()
        self._closed = False
        self._none_left = asyncio.Event()

    def take(self, now: float) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and now - connection.idle_since < _IDLE_SECONDS:
                return connection
            connection.abort()
        return None

    def give_back(self, connection: Connection) -> None:
        if connection.is_open:
            connection.idle_since = self.loop.time()
            self._idle.append(connection)
        else:
            connection.abort()

    async def opened(self, seconds: float) -> Connection:
        if self._closed:
            raise ConnectionAbortedError("the client was closed")
        # In a task of its own: asyncio's race between addresses loses an open socket when it is cancelled.
        opening = self.loop.create_task(self._open(seconds))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_unused)
            task = asyncio.current_task()
            if opening.cancelled() and task is not None and not task.cancelling():
                raise ConnectionAbortedError("the client was closed") from None
            raise

    async def _open(self, seconds: float) -> Connection:
        async with asyncio.timeout(seconds):
            _, connection = await self.loop.create_connection(self._make, **self._address)
        if connection.is_open:
            self._all.add(connection)
        return connection

    def _make(self) -> Connection:
        return Connection(self._lost)

    def _lost(self, connection: Connection) -> None:
        self._all.discard(connection)
        if not self._all:
            self._none_left.set()

    async def aclose(self) -> None:
        """Close all of them; may be called again, at once or later."""
        self._closed = True
        for opening in tuple(self._opening):
            opening.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        for connection in tuple(self._all):
            connection.abort()
        if self._all:
            self._none_left.clear()
            await self._none_left.wait()


def _close_unused(opening: asyncio.Task[Connection]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().abort()
