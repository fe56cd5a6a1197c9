"""The sandbox's time: that of whichever event loop asks, joined into one line that never runs backwards."""

from __future__ import annotations

import time
from uuid import uuid4

import anyio
from anyio.lowlevel import RunVar


class Clock:
    """Seconds that pass as they do in the event loop that asks, so that virtual time counts.

    The loops of a test, of a server's thread and of a second run each have their own zero. The first one's is
    kept; a later one continues from where time stood, plus the real seconds since. Without a running loop only
    real time passes.
    """

    def __init__(self) -> None:
        self._now: float | None = None
        self._looked = 0.0
        self._offset: RunVar[float] = RunVar(f"picoworkers_async.sandbox.{uuid4()}")

    def now(self) -> float:
        """The time now, in seconds. Only one thread at a time may ask."""
        real = time.monotonic()
        before = self._now
        passed = real if before is None else before + real - self._looked
        try:
            local = anyio.current_time()
        except RuntimeError:
            now = passed
        else:
            offset = self._offset.get(None)
            if offset is None:
                offset = 0.0 if before is None else passed - local
                self._offset.set(offset)
            now = local + offset
        self._now = now if before is None else max(before, now)
        self._looked = real
        return self._now
