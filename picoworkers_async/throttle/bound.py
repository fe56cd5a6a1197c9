"""How long one call may wait at the gate, and how much of that is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio
import attrs

from ..errors import GateTimeoutError


@attrs.define(eq=False)
class WaitBound:
    """How many seconds a call may wait at the gate, in all its attempts together; `left` of them are left."""

    call: str
    seconds: float
    left: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.left = self.seconds

    @contextmanager
    def counting(self, why: Callable[[], str]) -> Iterator[None]:
        """A block that waits: raises `GateTimeoutError` if that took too long; `why` says what it waits for.

        Only the time in such blocks counts, not that of connections and answers.
        """
        began = anyio.current_time()
        with anyio.CancelScope(deadline=began + self.left) as scope:
            yield
        self.left = max(0.0, self.left - (anyio.current_time() - began))
        if scope.cancelled_caught:
            raise GateTimeoutError(self.call, self.seconds, why())
