"""Ctrl-C and SIGTERM while a batch runs: the first has it end in good order, the second leaves it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from ..rating.batch import Batch
from ..rating.options import GRACE_SECONDS
from .exits import Exit
from .output import say

_SHOW_CURSOR = "\x1b[?25h"
_UNHEARD_SECONDS = 1.0
"""After so long without a turn of the event loop it is said that something blocks it."""
_ENDED = "ended: with a journal, the next run settles what was sent\n"


class Stopping:
    """What signals asked for. Open it before the batch is opened, so that none is missed."""

    def __init__(self) -> None:
        self.count: int = 0
        """How many were heard: a function that blocks the event loop keeps it from hearing."""
        self._asked = 0
        self._number = signal.SIGINT
        self._more: asyncio.Event | None = None
        self._to_watch: queue.SimpleQueue[int] = queue.SimpleQueue()

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Handle the signals in the block, where possible; elsewhere they end the command as always."""
        # Elsewhere event loops know of no signals, and other threads than the first get none.
        if os.name != "posix" or threading.current_thread() is not threading.main_thread():
            yield
            return
        loop, more = asyncio.get_running_loop(), asyncio.Event()

        def asked(number: int, _frame: object) -> None:
            # The loop's own handlers would wait for a turn of it; this one runs while a function blocks it.
            self._asked += 1
            self._number = signal.Signals(number)
            if self._asked > 2:
                _end_process()
            self._to_watch.put(self._asked)
            loop.call_soon_threadsafe(more.set)

        self._more = more
        threading.Thread(target=self._watch, name="picoworkers stopping", daemon=True).start()
        before = {number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self._more = None
            self._to_watch.put(0)

    async def listen(self, batch: Batch, block: anyio.CancelScope) -> None:
        """Stop the batch at the first signal, cancel its block at the second. The third ends the process."""
        more = self._more
        if more is None:
            return
        while self.count < 2:
            await more.wait()
            more.clear()
            while self.count < self._asked:
                self.count += 1
                if self.count == 1:
                    again = "; press Ctrl-C again to leave at once" if self._number == signal.SIGINT else ""
                    say(f"stopping: sending what was decided, for {2 * GRACE_SECONDS:.0f} s at most{again}")
                    batch.stop()
                else:
                    say(f"leaving: requests in flight have {GRACE_SECONDS:.0f} s to get their answer")
                    block.cancel()

    def _watch(self) -> None:
        """Report signals that are not heard, and what helps; runs in a thread of its own."""
        while asked := self._to_watch.get():
            time.sleep(_UNHEARD_SECONDS)
            if self._more is not None and self.count < asked == self._asked:
                again = "twice more ends" if asked == 1 else "once more ends"
                say(f"not heard yet: something blocks, such as a function without --threads; {again} the process")


def _end_process() -> None:
    """End the process at once, from a signal handler: what it interrupted may hold the stream."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        number = sys.stderr.fileno()
        words = _SHOW_CURSOR + _ENDED if os.isatty(number) else _ENDED
        os.write(number, words.encode())
    os._exit(Exit.INTERRUPTED)
