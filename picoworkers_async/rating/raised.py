"""What `decide` raised, and what follows from that: its task fails, the review ends, or it is being cancelled."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

import anyio
import anyio.lowlevel

from ..classify import in_words
from ..models import Rating


class Failed(NamedTuple):
    """A task fails: in words, with this error, and with the rating that `decide` gave, if it gave one."""

    message: str
    error: Exception
    rating: Rating | None = None


class TooLongError(TimeoutError):
    """`decide` took longer than `decide_timeout`."""


class EndsReviewError(Exception):
    """Carries what `decide` raised that is no `Exception` past those who handle exceptions: it ends the review."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        super().__init__(in_words(error))


def cancellations() -> int:
    """How often the running task of asyncio was told to cancel; always 0 on trio, whose tasks cannot be told."""
    import asyncio  # not before an event loop runs: it takes 10 ms

    try:
        task = asyncio.current_task()
    except RuntimeError:
        return 0
    return 0 if task is None else task.cancelling()


async def failure_of(error: BaseException | None, before: int) -> Failed:
    """What the task fails with, for which `decide` raised this; None if it cancelled the task that ran it.

    `before` is what `cancellations` gave before. A cancellation that is not of the batch, but of something that
    `decide` waited for, or of the task that ran it, fails its task alone, and is undone. Raises the cancellation
    of the batch, KeyboardInterrupt, SystemExit and GeneratorExit as they are, and `EndsReviewError` for any other
    that is no `Exception`: who raises it, such as a test that fails, means to be heard.
    """
    leaves = [] if error is None else list(_leaves(error))
    if cancellations() != before or any(map(_is_cancellation, leaves)):
        await anyio.lowlevel.checkpoint_if_cancelled()
        await _undo_cancellations(before)
    for leaf in leaves:
        if isinstance(leaf, KeyboardInterrupt | SystemExit | GeneratorExit):
            raise leaf
    if error is None:
        message = "decide cancelled the task that ran it"
        return Failed(message, RuntimeError(message))
    if not all(isinstance(leaf, Exception) or _is_cancellation(leaf) for leaf in leaves):
        raise EndsReviewError(error)
    if isinstance(error, TooLongError):
        return Failed(str(error), error)
    message = f"decide raised {in_words(error)}"
    return Failed(message, error if isinstance(error, Exception) else RuntimeError(message))


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error


def _is_cancellation(error: BaseException) -> bool:
    import asyncio  # as above

    # On trio, what a future of asyncio raised is no cancellation of anything that runs here either.
    return isinstance(error, asyncio.CancelledError | anyio.get_cancelled_exc_class())


async def _undo_cancellations(before: int) -> None:
    """The running task goes on as if it had not been told to cancel since."""
    import asyncio  # as above

    more = cancellations() - before
    task = asyncio.current_task() if more > 0 else None
    if task is None:
        return
    # One that is pending still comes at the next wait, and would end whoever waits there.
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(0)
    for _ in range(more):
        task.uncancel()
