"""Exceptions of the user's code: whether a task fails, the batch ends, or is being cancelled."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

import anyio
import anyio.lowlevel

from ..caller import caller
from ..classify import in_words
from ..models import Rating


class Failed(NamedTuple):
    """A task fails: in words, with this error, and with the rating that `decide` gave, if any."""

    message: str
    error: Exception
    rating: Rating | None = None


class TooLongError(TimeoutError):
    """`decide` took longer than `decide_timeout`."""


class EndsBatchError(Exception):
    """Carries what is no `Exception` past handlers of exceptions: it ends the batch."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        super().__init__(in_words(error))


def cancellations() -> int:
    """How often the running asyncio task was asked to cancel; always 0 on trio, whose tasks cannot be asked."""
    try:
        task = _asyncio().current_task()
    except RuntimeError:
        return 0
    return 0 if task is None else int(task.cancelling())


@functools.cache
def _asyncio() -> Any:
    import asyncio  # not before an event loop runs: it takes 10 ms

    return asyncio


async def failure_of(error: BaseException | None, before: int) -> Failed:
    """The failure of the task for which `decide` raised this; None if it cancelled the task that ran it.

    `before` is what `cancellations` returned before. Raises what `ends_more` does.
    """
    await ends_more(error, before)
    if error is None:
        message = "decide cancelled the task that ran it"
    elif isinstance(error, TooLongError):
        message = str(error)
    else:
        message = f"decide raised {in_words(error)}"
    return Failed(message, error if isinstance(error, Exception) else RuntimeError(message))


async def failure_of_input(error: BaseException, name: str) -> Exception:
    """The failure of a batch for which the input of this name raised this. Raises what `ends_more` does."""
    await ends_more(error, cancellations())
    return error if isinstance(error, Exception) else RuntimeError(f"{name} raised {in_words(error)}")


async def ends_more(error: BaseException | None, before: int) -> None:
    """Raise what the user's code raised, if it ends more than that code.

    A cancellation that is not the batch's, but that of something this code waited for, or of the task that ran
    it, is undone. What is raised: the cancellation of the batch, KeyboardInterrupt and SystemExit as they are, and
    `EndsBatchError` for any other that is no `Exception`: whoever raises it, such as a failing test, means it to
    be noticed. So are those two if the loop is not the program's own: they would end the loop.
    """
    if isinstance(error, GeneratorExit) and not _is_running():
        # Nobody raised it: a task that an event loop left unfinished is being closed, and must not wait.
        raise error
    leaves = [] if error is None else list(_leaves(error))
    if cancellations() != before or any(map(_is_cancellation, leaves)):
        await anyio.lowlevel.checkpoint_if_cancelled()
        await _undo_cancellations(before)
    for leaf in leaves:
        if isinstance(leaf, KeyboardInterrupt | SystemExit):
            if caller.get() is not None:
                raise EndsBatchError(leaf)
            raise leaf
    if error is not None and not all(isinstance(leaf, Exception) or _is_cancellation(leaf) for leaf in leaves):
        raise EndsBatchError(error)


def _is_running() -> bool:
    """Whether a task of an event loop runs here."""
    try:
        anyio.get_current_task()
    except RuntimeError:
        return False
    return True


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error


def _is_cancellation(error: BaseException) -> bool:
    # On trio, what a future of asyncio raised is no cancellation of anything that runs here either.
    return isinstance(error, _asyncio().CancelledError | anyio.get_cancelled_exc_class())


async def _undo_cancellations(before: int) -> None:
    """The running task goes on as if it had not been asked to cancel since."""
    asyncio = _asyncio()
    more = cancellations() - before
    task = asyncio.current_task() if more > 0 else None
    if task is None:
        return
    # One that is pending still comes at the next wait, and would end whoever waits there.
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(0)
    for _ in range(more):
        task.uncancel()
