"""Time for requests under way to learn their answer when the block around them is left."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

import anyio

from .errors import Fate, NoAnswerError, OutcomeUnknownError

T = TypeVar("T")


class GracePeriod:
    """Shields requests that are on the wire from cancellation, until `end` gives them a last deadline.

    A rating that was sent may have paid somebody; cutting it off would only lose the answer.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._scopes: set[anyio.CancelScope] = set()
        self._deadline: float | None = None

    async def keep(self, call: str, request: Coroutine[Any, Any, T]) -> T:
        """Await the request to its end, whatever is cancelled around it, within the deadline once there is one.

        Raises `OutcomeUnknownError` when the deadline passed first.
        """
        with anyio.CancelScope(shield=True) as scope:
            if self._deadline is not None:
                scope.deadline = self._deadline
            self._scopes.add(scope)
            try:
                return await request
            finally:
                self._scopes.discard(scope)
        left = f"the batch was left, and no answer came within {self.seconds:g} s"
        raise OutcomeUnknownError(call, NoAnswerError(call, left, fate=Fate.UNKNOWN))

    def end(self) -> None:
        """The block is being left: what is on the wire has `seconds` from now."""
        if self._deadline is None:
            self._deadline = anyio.current_time() + self.seconds
            for scope in self._scopes:
                scope.deadline = self._deadline
