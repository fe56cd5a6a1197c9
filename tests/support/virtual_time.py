"""Event loops whose time is virtual: a sleep takes none, and nothing depends on how busy the machine is.

Time moves only when every task waits for it. Work in threads counts as work; sockets must not be used under it.
"""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from unittest import mock

import anyio
import anyio.to_thread
import trio.testing

from picoworkers_async.journal.thread import WorkerThread

T = TypeVar("T")

_POLL = 0.001


class _Threads:
    """How many threads work for the loop now."""

    busy = 0


class _Selector(selectors.DefaultSelector):
    """Instead of waiting until a timer is due, moves the time to that moment."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        events = super().select(0)
        if events or (timeout is not None and timeout <= 0):
            return events
        while timeout is None or _Threads.busy:
            events = super().select(_POLL)
            if events:
                return events
        events = super().select(0)
        if not events:
            self.now += timeout
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop, on virtual time that starts at 1,000 seconds."""

    def __init__(self) -> None:
        self._clock = _Selector()
        self._clock.now = 1000.0
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


@contextmanager
def virtual(backend: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The backend's name and options for virtual time, with threads counted while the block lasts."""
    clock = trio.testing.MockClock(autojump_threshold=0)
    run_sync, start = anyio.to_thread.run_sync, WorkerThread.start

    def begin() -> None:
        _Threads.busy += 1
        if backend == "trio":
            clock.autojump_threshold = math.inf

    def end() -> None:
        _Threads.busy -= 1
        if backend == "trio" and not _Threads.busy:
            clock.autojump_threshold = 0

    async def counted(func: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        begin()
        try:
            return await run_sync(func, *arguments, **options)
        finally:
            end()

    def counted_start(self: WorkerThread, work: Callable[[], object], ended: Callable[[], object]) -> None:
        def counted_end() -> None:
            end()
            ended()

        begin()
        start(self, work, counted_end)

    _Threads.busy = 0
    with (
        mock.patch.object(anyio.to_thread, "run_sync", counted),
        mock.patch.object(WorkerThread, "start", counted_start),
    ):
        yield (backend, {"clock": clock} if backend == "trio" else {"loop_factory": VirtualLoop})


def run(function: Callable[..., Awaitable[T]], *arguments: Any, backend: str = "asyncio") -> T:
    """`anyio.run` on virtual time."""
    with virtual(backend) as (name, options):
        return anyio.run(function, *arguments, backend=name, backend_options=options)
