"""The result of a call in the loop's thread, and the wait for it in another thread."""

from __future__ import annotations

import sys
from _thread import allocate_lock
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType
from typing import Any, Generic, TypeVar

import anyio

from ..errors import ClientStateError, Fate, MoneyCall, OutcomeUnknownError, PicoworkersError
from .refusals import CUT_OFF, INTERRUPTED
from .words import in_blocking_words

T = TypeVar("T")

# Windows tells of Ctrl-C only between two waits.
_WAIT_SECONDS = 0.2 if sys.platform == "win32" else -1
_SHOWN = 300


class Answer(Generic[T]):
    """The end of one call: `wait` returns once `end` was called, in the loop's thread.

    The wait is for a bare lock: a signal handler may interrupt it and wait for a call of its own meanwhile.
    """

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._lock.acquire()
        self.ended: bool = False
        self.asked: bool = False
        self.given_up: bool = False
        self.scope: anyio.CancelScope | None = None
        self.value: T | None = None
        self.error: BaseException | None = None
        self.cut: BaseException | None = None
        self.outcry: BaseException | None = None
        self.sent: MoneyCall | None = None

    def wait(self) -> None:
        """Return once the call has ended; anything that a signal handler raises propagates."""
        while not self.ended:
            self._lock.acquire(timeout=_WAIT_SECONDS)

    def end(self) -> None:
        """The call will give nothing more; any thread may say so, as often as it likes."""
        if not self.ended:
            self.ended = True
            with suppress(RuntimeError):  # said in two threads at once
                self._lock.release()

    def give_up(self) -> None:
        """Cancel the call, in the loop's thread."""
        self.given_up = True
        if self.scope is not None:
            self.scope.cancel()
        else:
            # It was interrupted before the loop was asked for it.
            self.end()

    def interrupt(self, error: BaseException) -> None:
        """Cancel the call, in the loop's thread, and make whoever waits for it raise this."""
        if self.outcry is None:
            self.outcry = error
        if self.scope is not None:
            self.scope.cancel()

    def sends(self, call: MoneyCall) -> None:
        """The call is about to send this."""
        self.sent = call

    def failure(self) -> BaseException | None:
        """The error to raise in the thread that waited for the call."""
        if self.outcry is not None:
            known = self.explain(self.outcry)
            if known is not None:
                self.outcry.__cause__ = known
            return self.outcry
        if self.error is not None:
            return in_blocking_words(self.error)
        return None if self.cut is None else error_of_cut(self.cut)

    def forget(self) -> None:
        """Release what was raised: a traceback that holds itself would keep all its frames."""
        self.error = self.cut = self.outcry = None

    def explain(self, interrupt: BaseException) -> PicoworkersError | None:
        """What the interrupter of the call should know: an error that it met, or that it may have taken effect."""
        if self.cut is not None:
            sent = sent_of(self.cut)
            return None if sent is None else unknown(sent, ClientStateError(INTERRUPTED))
        if not self.ended:
            return None if self.sent is None else unknown(self.sent, ClientStateError(INTERRUPTED))
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

    def interrupt(self, error: BaseException) -> None:
        """End the block, in the loop's thread, and have whoever enters or leaves it raise this."""
        (self.left if self.entered.ended else self.entered).interrupt(error)

    def sends(self, call: MoneyCall) -> None:
        """Do nothing: the calls in the block report what they send."""


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
    return error_of_end(sent_of(cut), CUT_OFF)


def error_of_end(sent: MoneyCall | None, words: str) -> PicoworkersError:
    """The error of a call that had not ended when its client did, as these words say."""
    closed = ClientStateError(words)
    if sent is not None:
        return unknown(sent, closed)
    closed.fate = Fate.UNKNOWN
    return closed
