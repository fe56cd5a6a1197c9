"""The end of the process, which a function of the user's that never returns would put off for ever."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

_OF_FUNCTIONS = "AnyIO worker thread"
_IDLE_SECONDS = 1.0
"""A thread with nothing to do ends by itself, but not at once."""


def leave_threads(code: int) -> None:
    """End the process at once, with this code, where a thread still runs a function; else do nothing.

    Nobody waits for what it gives: the batch has ended without it, and Python would wait for it.
    """
    running = [thread for thread in threading.enumerate() if thread.name == _OF_FUNCTIONS]
    with suppress(KeyboardInterrupt):
        for thread in running:
            thread.join(_IDLE_SECONDS)
    if not any(thread.is_alive() for thread in running):
        return
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(code)
