"""Ratings that wait to be sent: bounded, and handed out one after the other."""

from __future__ import annotations

from collections import deque

import anyio
import attrs

from ..models import Rating, Task


@attrs.define(eq=False)
class Entry:
    """One rating on its way.

    `attempts` counts the requests that certainly did not arrive, `looks` how often its fate was unknown.
    `refusal` is the service's answer to a repeat, which may only mean that the first request had taken effect.
    `noted` says that the journal knows it as sent; a `quiet` one has its outcome in the journal only.
    """

    rating: Rating
    task: Task | None = None
    attempts: int = 0
    looks: int = 0
    refusal: str | None = None
    noted: bool = False
    quiet: bool = False


class Pool:
    """Where deciding hands over to sending. `size` bounds what waits: a slow service slows the reading."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._line: deque[Entry] = deque()
        self._closed = False
        self._paused = False
        self._changed = anyio.Event()

    async def put(self, entry: Entry) -> None:
        """Add a rating, when there is room."""
        while len(self._line) >= self._size:
            await self._changed.wait()
        self._line.append(entry)
        self._notify()

    def put_back(self, entry: Entry) -> None:
        """Return a rating that was not sent: it is the next."""
        self._line.appendleft(entry)
        self._notify()

    async def take(self) -> Entry | None:
        """The next rating, when there is one; None when there will be none."""
        while self._paused or not self._line:
            if self._closed:
                return None
            await self._changed.wait()
        entry = self._line.popleft()
        self._notify()
        return entry

    def pause(self) -> None:
        """Hand nothing out until `resume`."""
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        self._notify()

    def close(self) -> None:
        """Nothing more will be put in."""
        self._closed = True
        self._notify()

    def _notify(self) -> None:
        if self._changed.statistics().tasks_waiting:
            self._changed.set()
            self._changed = anyio.Event()
