"""The pages that a batch reads: counted, so that its sending can keep out of their way."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

import anyio

from ..models import Page, Task


class Reads:
    """How many pages were read, and for how long none has been."""

    def __init__(self) -> None:
        self.done = 0
        self._open = 0
        self._last = -math.inf

    def quiet(self, now: float) -> float:
        """The seconds since a page was last being read; 0 while one is."""
        return 0.0 if self._open else now - self._last

    async def count(self, read: Callable[[], Awaitable[Page[Task]]]) -> Page[Task]:
        """Read a page."""
        self._open += 1
        try:
            return await read()
        finally:
            self._open -= 1
            self._last = anyio.current_time()
            self.done += 1
