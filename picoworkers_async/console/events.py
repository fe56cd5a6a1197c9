"""Updates for a viewer as server-sent events. Nothing is queued: each message has what differs by then."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio

EVERY_SECONDS = 0.25
"""The least time between two messages to a viewer."""
_ALIVE_SECONDS = 10.0

Parts = dict[str, Any]


class Shared:
    """One snapshot for all viewers of a page: made once in `EVERY_SECONDS`, less often if it is slow."""

    def __init__(self, make: Callable[[int], Awaitable[Parts]]) -> None:
        self._make = make
        self._kept: dict[int, tuple[float, Parts]] = {}
        # Made in one event loop and used in another, that of the server, which is asyncio's.
        self._lock = asyncio.Lock()

    async def parts(self, page: int) -> Parts:
        """What is shown on this page; at most a moment old."""
        async with self._lock:
            now = time.monotonic()
            self._kept = {number: kept for number, kept in self._kept.items() if kept[0] > now}
            if page in self._kept:
                return self._kept[page][1]
            parts = await self._make(page)
            took = time.monotonic() - now
            self._kept[page] = (now + took + max(EVERY_SECONDS * 0.9, 10 * took), parts)
            return parts


async def messages(
    parts: Callable[[], Awaitable[Parts]],
    is_over: Callable[[], Awaitable[bool]],
) -> AsyncIterator[bytes]:
    """The events of one viewer, until it is over. A slow reader gets fewer, each with the newest state."""
    had: dict[str, str] = {}
    told = time.monotonic()
    yield b"retry: 1000\n\n"
    while not await is_over():
        now = {name: json.dumps(part, separators=(",", ":")) for name, part in (await parts()).items()}
        news = [f"{json.dumps(name)}:{text}" for name, text in now.items() if had.get(name) != text]
        had = now
        if news:
            told = time.monotonic()
            yield f"data: {{{','.join(news)}}}\n\n".encode()
        elif time.monotonic() - told > _ALIVE_SECONDS:
            told = time.monotonic()
            yield b": nothing new\n\n"
        await anyio.sleep(EVERY_SECONDS)
