"""The thread of a client as all other threads see it: opened and closed once, and used in between."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from types import TracebackType
from typing import Any, Literal, NoReturn, TypeVar

from ..errors import ClientStateError
from .answer import Answer, Block
from .refusals import ENTERED_BEFORE, FORKED, NOT_OPEN, OWN_THREAD
from .serving import Serving
from .words import in_blocking_words

T = TypeVar("T")


def _as_it_is(value: Any) -> Any:
    return value


class LoopThread:
    """The thread and its loop; clients made by `with_options` share it, and may be used in many threads at once.

    It is opened and closed once. A call that is interrupted, by Ctrl-C or by what a signal handler raises, is
    cancelled in the loop, and waited for, so nothing goes on behind it. A second interrupt ends that wait too.
    """

    _serving: Serving

    def __init__(self) -> None:
        # Reentrant: a signal handler that calls, or closes, may have interrupted the same in its thread.
        self._changing = threading.RLock()
        self._state: Literal["new", "opening", "open", "closing", "closed"] = "new"
        self._process = 0

    def open(self, client: AbstractAsyncContextManager[Any]) -> None:
        """Start the thread, and enter the client in it."""
        with self._changing:
            if self._state != "new":
                raise ClientStateError(ENTERED_BEFORE[self._state])
            serving = self._serving = Serving(client)
            try:
                self._process, self._state = os.getpid(), "opening"
                # A program that never leaves the block ends like any other.
                atexit.register(self.close)
                serving.start()
                serving.opened.wait()
                failed = serving.opened.failure()
                if failed is not None:
                    raise failed
                self._is_open()
            except BaseException:
                self._end(at_once=True)
                raise
            finally:
                serving.opened.forget()

    def _is_open(self) -> None:
        if self._state != "opening":
            # A signal handler closed it meanwhile.
            raise ClientStateError(NOT_OPEN["closed"])
        self._state = "open"

    def close(self) -> None:
        """Cancel what is in progress, wait for it, leave the client, and end the thread. May be repeated.

        If interrupted, it gives no grace to what is in progress. Raises what ended the thread before, if
        anything did.
        """
        if self._is_own():
            raise ClientStateError(OWN_THREAD)
        if self._process not in (0, os.getpid()):
            # Of a client that a fork brought along, nothing is here to be closed; its lock may be locked for ever.
            self._state = "closed"
            return
        # Whoever closes it too returns when it is closed.
        with self._changing:
            if self._state in ("new", "closed"):
                self._state = "closed"
                return
            self._end(at_once=self._state == "opening")
            died, self._serving.died = self._serving.died, None
        if died is not None:
            raise died

    def _end(self, *, at_once: bool) -> None:
        serving = self._serving
        try:
            self._state = "closing"
            serving.stop(at_once=at_once)
            serving.wait()
        except BaseException:
            serving.stop(at_once=True)
            serving.wait()
            raise
        finally:
            if serving.is_over:
                self._state = "closed"
                atexit.unregister(self.close)

    @property
    def is_closed(self) -> bool:
        """Whether it was open, and has ended."""
        return self._state in ("closing", "closed")

    def run(self, function: Callable[[], Awaitable[T]], then: Callable[[T], T] = _as_it_is) -> T:
        """The result of `then` for the result of this in the loop.

        Raises `ClientStateError` where it cannot be waited for.
        """
        self._require()
        answer: Answer[T] = Answer()
        serving = self._serving
        return self._wait(answer, partial(serving.begin, answer, partial(serving.perform, answer, function)), then)

    def run_plain(self, function: Callable[[], T], then: Callable[[T], T] = _as_it_is) -> T:
        """The result of this in the loop's thread; in this thread, if it is that one, or there is none."""
        if self._state != "open" or self._process != os.getpid() or self._is_own():
            try:
                return then(function())
            except ClientStateError as error:
                in_blocking_words(error)
                raise

        async def perform() -> T:
            return function()

        return self.run(perform, then)

    def drop(self, function: Callable[[], Awaitable[object]]) -> None:
        """Have this done in the loop, where that is possible, and wait for nothing."""
        if self._process == os.getpid():
            self._serving.drop(function)

    def enter(self, manager: AbstractAsyncContextManager[Any]) -> Block:
        """Enter this in a task that lives until it is left."""
        self._require()
        block = Block(manager)
        serving = self._serving
        self._wait(block.entered, partial(serving.begin, block.entered, partial(serving.hold, block)), _as_it_is)
        return block

    def leave(
        self,
        block: Block,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Leave it with what its block raised; returns whether that is dealt with."""
        if self._process != os.getpid():
            return False
        if self._is_own():
            raise ClientStateError(OWN_THREAD)

        def begin() -> None:
            block.raised = (kind, error, trace)
            if block.leaving is not None:
                block.leaving.set()

        try:
            return bool(self._wait(block.left, begin, _as_it_is))
        except BaseException as raised:
            if error is not None and (raised is error or isinstance(raised, ClientStateError)):
                # What ended the block tells more than that its client was closed meanwhile.
                return False
            raise

    def _require(self) -> None:
        if self._state != "open":
            raise ClientStateError(NOT_OPEN[self._state])
        if self._process != os.getpid():
            raise ClientStateError(FORKED)
        if self._is_own():
            raise ClientStateError(OWN_THREAD)

    def _is_own(self) -> bool:
        return self._process == os.getpid() and self._serving.is_here

    def _wait(self, answer: Answer[T], begin: Callable[[], object], then: Callable[[Any], T]) -> T:
        raised: BaseException | None = None
        try:
            self._serving.post(begin, answer)
            answer.wait()
            raised = answer.failure()
            if raised is not None:
                raise raised
            # In here: whoever is interrupted between the answer and the return is told of it, too.
            return then(answer.value)
        except BaseException as interrupt:
            try:
                if interrupt is raised:
                    raise
                self._interrupted(answer, interrupt)
            finally:
                answer.forget()
                raised = None

    def _interrupted(self, answer: Answer[Any], interrupt: BaseException) -> NoReturn:
        """Cancel the call, wait for its end, and raise the interrupt, with what became of the call."""
        try:
            self._serving.post(answer.give_up, answer)
            answer.wait()
            known = answer.explain(interrupt)
        except BaseException as again:
            known = answer.explain(again)
            if known is not None:
                raise again from known
            raise
        if known is not None:
            raise interrupt from known
        raise interrupt
