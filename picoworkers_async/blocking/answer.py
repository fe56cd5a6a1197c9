"""What a call in the loop's thread came to, and the wait for it in another thread."""

from __future__ import annotations

import sys
from _thread import allocate_lock
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Generic, TypeVar

import anyio

from ..errors import ClientStateError, Fate, MoneyCall, OutcomeUnknownError, PicoworkersError
from .words import in_blocking_words

T = TypeVar("T")

# Windows tells of Ctrl-C only between two waits.
_WAIT_SECONDS = 0.2 if sys.platform == "win32" else -1
_SHOWN = 300


class Answer(Generic[T]):
    """The end of one call: `wait` returns once `end` was called, which is done in the loop's thread.

    The wait is for a bare lock: a signal handler may interrupt it and wait for a call of its own meanwhile.
    """

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._lock.acquire()
        self.ended: bool = False
        self.given_up: bool = False
        self.scope: anyio.CancelScope | None = None
        self.value: T | None = None
        self.error: BaseException | None = None
        self.cut: BaseException | None = None

    def wait(self) -> None:
        """Return once the call has ended; anything that a signal handler raises comes out."""
        while not self.ended:
            self._lock.acquire(timeout=_WAIT_SECONDS)

    def end(self) -> None:
        """Nothing more comes of the call; in the loop's thread, as often as one likes."""
        if not self.ended:
            self.ended = True
            self._lock.release()

    def give_up(self) -> None:
        """Cancel the call, in the loop's thread."""
        self.given_up = True
        if self.scope is not None:
            self.scope.cancel()
        else:
            # It was interrupted before the loop was asked for it.
            self.end()

    def result(self) -> T:
        """What the call gave. Raises what it raised, and what `error_of_cut` makes of a call that was cut off."""
        try:
            if self.error is not None:
                raise in_blocking_words(self.error)
            if self.cut is not None:
                raise error_of_cut(self.cut)
            return self.value  # type: ignore[return-value]
        finally:
            # A traceback that holds itself would keep all its frames.
            self.error = self.cut = None
            del self

    def explain(self, interrupt: BaseException) -> PicoworkersError | None:
        """What whoever interrupted the call should know: an error it met, or that it may have taken effect."""
        if self.cut is not None:
            sent = sent_of(self.cut)
            return None if sent is None else unknown(sent, ClientStateError("interrupted while it was sent"))
        if isinstance(self.error, PicoworkersError):
            return self.error
        if self.error is None and self.value is not None:
            interrupt.add_note(
                f"the call that this interrupted was done all the same: {repr(self.value)[:_SHOWN]}"
            )
        return None


class Block:
    """An `async with` that is entered and left in one task of the loop, as task groups must be."""

    def __init__(self, manager: AbstractAsyncContextManager[Any]) -> None:
        self.manager = manager
        self.entered: Answer[Any] = Answer()
        self.left: Answer[bool | None] = Answer()
        self.leaving: anyio.Event | None = None
        self.raised: tuple[type[BaseException] | None, BaseException | None, TracebackType | None] = (None,) * 3


def sent_of(cut: BaseException) -> MoneyCall | None:
    """The call for money that this cancellation cut off after it may have left."""
    sent: MoneyCall | None = getattr(cut, "sent", None)
    return sent


def unknown(sent: MoneyCall, reason: Exception) -> OutcomeUnknownError:
    """The error of a call for money that was cut off after it may have left."""
    error = OutcomeUnknownError(sent.name, reason)
    error.sent = sent
    return error


def error_of_cut(cut: BaseException) -> PicoworkersError:
    """The error of a call that was cut off by the end of its client."""
    closed = ClientStateError("the client was closed while this was under way: let calls end before it does")
    sent = sent_of(cut)
    if sent is not None:
        return unknown(sent, closed)
    closed.fate = Fate.UNKNOWN
    return closed
