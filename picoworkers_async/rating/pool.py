"""Ratings that wait to be sent: bounded, and handed out one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import anyio
import attrs

from ..errors import CallError
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


@attrs.frozen
class Answered:
    """What a request brought for one rating: no error is an acknowledgement."""

    entry: Entry
    message: str | None = None
    error: CallError | None = None


Note = Callable[[list[Entry]], Awaitable[list[Entry]]]
"""Makes it durable that these are about to be sent, and gives those that may be."""

Settle = Callable[[Sequence[Answered]], Awaitable[None]]
"""Takes what a request brought, and sees to what follows."""


class Sender(Protocol):
    """How ratings get from a batch to the service: one by one, or many in a request."""

    async def run(self) -> None:
        """Send what is put in, until `close`."""

    async def put(self, entry: Entry) -> None:
        """Add a rating, when there is room."""

    def put_back(self, entries: Sequence[Entry]) -> None:
        """Return ratings that were not sent: they are the next."""

    async def hold(self) -> None:
        """Stop sending, and wait for the requests under way."""

    def resume(self) -> None:
        """Go on after `hold`."""

    def hurry(self, on: bool) -> None:
        """Whether nothing more is to come for now, so that waiting for it is in vain."""

    def close(self) -> None:
        """Nothing more will be put in."""


class Pool:
    """Where deciding hands over to sending. `size` bounds what waits: a slow service slows the reading.

    A rating wakes one who waits for it, first come, first served; room is told of when half of it is free.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._line: deque[Entry] = deque()
        self._closed = False
        self._paused = False
        self._takers: deque[anyio.Event] = deque()
        self._givers: deque[anyio.Event] = deque()

    async def put(self, entry: Entry) -> None:
        """Add a rating, when there is room."""
        while len(self._line) >= self._size:
            await _turn(self._givers)
        self._line.append(entry)
        _wake_one(self._takers)

    def put_back(self, entries: Sequence[Entry]) -> None:
        """Return ratings that were not sent: they are the next."""
        self._line.extendleft(reversed(entries))
        for _ in entries:
            _wake_one(self._takers)

    async def take(self) -> Entry | None:
        """The next rating, when there is one; None when there will be none."""
        while self._paused or not self._line:
            if self._closed:
                return None
            await _turn(self._takers)
        entry = self._line.popleft()
        if self._givers and 2 * len(self._line) <= self._size:
            # Not for each place: who gives then fills many at once, and is woken for all of them.
            for _ in range(self._size - len(self._line)):
                _wake_one(self._givers)
        return entry

    def pause(self) -> None:
        """Hand nothing out until `resume`."""
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        for _ in range(len(self._takers)):
            _wake_one(self._takers)

    def close(self) -> None:
        """Nothing more will be put in."""
        self._closed = True
        for _ in range(len(self._takers)):
            _wake_one(self._takers)


async def _turn(waiting: deque[anyio.Event]) -> None:
    """Wait to be woken; one that is cancelled after it was woken passes the turn on."""
    event = anyio.Event()
    waiting.append(event)
    try:
        await event.wait()
    except BaseException:
        if event in waiting:
            waiting.remove(event)
        else:
            _wake_one(waiting)
        raise


def _wake_one(waiting: deque[anyio.Event]) -> None:
    if waiting:
        waiting.popleft().set()
