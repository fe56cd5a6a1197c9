"""Ctrl-C and SIGTERM while a batch runs: the first has it end in good order, the second leaves it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import anyio

from ..rating.batch import Batch
from ..rating.options import GRACE_SECONDS
from .exits import Exit
from .output import say

_SHOW_CURSOR = "\x1b[?25h"


class Stopping:
    """What signals asked for. Open it before the batch is opened, so that none is missed."""

    def __init__(self) -> None:
        self.count: int = 0
        self._signals: AsyncIterator[signal.Signals] | None = None

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Handle the signals in the block, where possible; elsewhere they end the command as always."""
        # Elsewhere event loops know of no signals, and other threads than the first get none.
        if os.name != "posix" or threading.current_thread() is not threading.main_thread():
            yield
            return
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            self._signals = signals
            yield

    async def listen(self, batch: Batch, block: anyio.CancelScope) -> None:
        """Stop the batch at the first signal, cancel its block at the second, end the process at the third."""
        if self._signals is None:
            return
        async for number in self._signals:
            self.count += 1
            if self.count == 1:
                again = "; press Ctrl-C again to leave at once" if number == signal.SIGINT else ""
                say(f"stopping: sending what was decided, for {2 * GRACE_SECONDS:.0f} s at most{again}")
                batch.stop()
            elif self.count == 2:
                say(f"leaving: requests in flight have {GRACE_SECONDS:.0f} s to get their answer")
                block.cancel()
            else:
                if sys.stderr.isatty():
                    sys.stderr.write(_SHOW_CURSOR)
                say("ended: with a journal, the next run settles what was sent")
                os._exit(Exit.INTERRUPTED)
