"""`decide` in worker threads: a bounded number at once, including those that nobody waits for any more."""

from __future__ import annotations

import logging
from collections.abc import Callable

import anyio
import anyio.to_thread
import attrs
from anyio.abc import TaskGroup

from .raised import TooLongError

logger: logging.Logger = logging.getLogger("picoworkers_async")


@attrs.define(eq=False)
class _Call:
    ended: anyio.Event
    answer: object = None
    error: BaseException | None = None
    overdue: bool = False


class DecidingThreads:
    """At most `most` threads, each of which keeps its place until it returns.

    A call may take `timeout` seconds (None: no limit), not counting its wait for a place. A thread cannot be
    stopped: one that takes longer goes on, and its result is dropped. If all do, that is reported once.
    """

    def __init__(self, most: int, timeout: float | None, group: TaskGroup) -> None:
        self._most, self._timeout, self._group = most, timeout, group
        self._places = anyio.Semaphore(most)
        self._overdue = 0
        self._told = False

    async def run(self, function: Callable[[], object]) -> object:
        """The function's result. Raises what it raises, and `TooLongError`."""
        await self._places.acquire()
        call = _Call(anyio.Event())
        self._group.start_soon(self._run, function, call)
        with anyio.move_on_after(self._timeout):
            await call.ended.wait()
        if not call.ended.is_set():
            call.overdue = True
            self._overdue += 1
            self._tell()
            raise too_long(self._timeout)
        if call.error is not None:
            raise call.error
        return call.answer

    async def _run(self, function: Callable[[], object], call: _Call) -> None:
        def caught() -> None:
            try:
                call.answer = function()
            except BaseException as error:
                call.error = error

        try:
            # The places are counted here: with asyncio, anyio gives one back while an abandoned thread still runs.
            await anyio.to_thread.run_sync(caught, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1))
        finally:
            self._overdue -= call.overdue
            self._places.release()
            call.ended.set()

    def _tell(self) -> None:
        if self._overdue == self._most and not self._told:
            self._told = True
            logger.warning(
                "decide has not returned in any of its %d threads within decide_timeout (%g s): "
                "no task is decided until one returns",
                self._most,
                self._timeout,
            )


def too_long(timeout: float | None) -> TooLongError:
    """The error of a `decide` that took longer than this."""
    return TooLongError(f"decide took longer than decide_timeout, {timeout:g} s")
