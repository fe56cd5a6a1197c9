"""What a forked child does, told to its parent; a child that hangs is ended."""

from __future__ import annotations

import os
import select
import signal
import traceback
from collections.abc import Callable

PATIENCE_SECONDS = 20.0


def in_child(work: Callable[[], str]) -> str:
    """Fork, and give what `work` gave in the child, or the traceback of what it raised."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            try:
                told = work()
            except BaseException:
                told = traceback.format_exc()
            os.write(writing, told.encode() or b"-")
        finally:
            # Neither pytest's ends nor those of threads that are not here are this process's.
            os._exit(0)
    os.close(writing)
    try:
        ready, _, _ = select.select([reading], [], [], PATIENCE_SECONDS)
        if not ready:
            os.kill(child, signal.SIGKILL)
            return "the child hangs"
        return os.read(reading, 65536).decode()
    finally:
        os.close(reading)
        os.waitpid(child, 0)
