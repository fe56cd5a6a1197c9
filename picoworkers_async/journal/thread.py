"""A thread of a journal's own: it does one thing after the other, and reports each to the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import anyio

T = TypeVar("T")


class WorkerThread:
    """Does what it is given, in that order, until `end`. Make it in the event loop that it works for.

    One thread that stays costs less than half of one that is taken from a pool each time. A forked process has
    no such thread, so nothing is served there.
    """

    def __init__(self, name: str, idle: tuple[float, Callable[[], object]] | None = None) -> None:
        """`idle`: whenever it was given nothing for so many seconds, it does this, which must not raise."""
        self._way_in: Callable[[Callable[[], object]], object] = _way_into_the_loop()
        self._given: SimpleQueue[tuple[Callable[[], object], Callable[[], object]] | None] = SimpleQueue()
        self._ended: anyio.Event | None = None
        self._idle = idle
        # An event loop that is gone without having ended it must not keep the process from ending.
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    @property
    def serves(self) -> bool:
        """Whether it takes anything more."""
        return self._ended is None and self._thread.is_alive()

    def start(self, work: Callable[[], object], ended: Callable[[], object]) -> None:
        """Have it do this, which must not raise, then call `ended` in the event loop.

        Whoever waits for it may be cancelled: it is done all the same.
        """
        self._given.put((work, ended))

    def call_in_loop(self, function: Callable[[], object]) -> None:
        """Have the event loop call this, after what is ready to run there now. Call it from any thread."""
        self._way_in(function)

    async def run(self, work: Callable[[], T]) -> T:
        """Have it do this, and return what it returns or raise what it raises."""
        done = anyio.Event()
        kept: dict[str, Any] = {}

        def keep() -> None:
            try:
                kept["result"] = work()
            except BaseException as error:
                kept["error"] = error

        self.start(keep, done.set)
        await done.wait()
        if "error" in kept:
            raise kept["error"]
        result: T = kept["result"]
        return result

    async def end(self, last: Callable[[], object]) -> None:
        """Have it do what it was given, then this, which must not raise, then no more. Again: wait for that."""
        if self._ended is None:
            self._ended = anyio.Event()
            self.start(last, self._ended.set)
            self._given.put(None)
        if self._thread.is_alive():
            await self._ended.wait()
            self._thread.join()

    def _serve(self) -> None:
        while True:
            seconds, when_idle = (None, None) if self._idle is None else self._idle
            try:
                given = self._given.get(timeout=seconds)
            except Empty:
                if when_idle is not None:
                    when_idle()
                continue
            if given is None:
                return
            work, ended = given
            try:
                work()
            finally:
                with contextlib.suppress(RuntimeError):  # The event loop is gone.
                    self.call_in_loop(ended)
            del given, work, ended


def _way_into_the_loop() -> Callable[[Callable[[], object]], object]:
    """How to have the running event loop call a function; for use from any thread."""
    if "trio" in sys.modules:
        import trio

        # Asked first: trio may be a guest in a loop of asyncio.
        with contextlib.suppress(RuntimeError):
            return trio.lowlevel.current_trio_token().run_sync_soon
    return asyncio.get_running_loop().call_soon_threadsafe
