"""One event loop in a thread of its own, in which the calls of all other threads are run."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from contextvars import Context, copy_context
from functools import partial
from types import TracebackType
from typing import Any, Literal, TypeVar

import anyio
import anyio.abc
from anyio.from_thread import BlockingPortal, start_blocking_portal

from ..errors import ClientStateError
from .answer import Answer, Block
from .words import in_blocking_words

T = TypeVar("T")

_NOT_OPEN = {
    "new": "nothing was sent, the client is not open yet; use it inside `with Picoworkers(...) as pico:`",
    "closed": (
        "nothing was sent, the client is closed; make a new Picoworkers, and use it inside its `with` block"
    ),
}
_ENTERED_BEFORE = {
    "open": "a client is entered once, and this one is open already: it may be used in many threads at once",
    "closed": (
        "a client is entered once, and this one is closed: make a new Picoworkers for another block. "
        "With throttle=pico.throttle it goes on with the pace of this one"
    ),
}
_FORKED = (
    "nothing was sent: this client was opened before the process was forked, and its thread stayed in the other "
    "one. Open a client in each process, after the fork"
)
_OWN_THREAD = (
    "nothing was sent: this was called in the client's own thread (an async decide, or on_event), which would "
    "wait for itself for ever. Call it in a plain decide, which is called in a thread of its own, or elsewhere"
)


class LoopThread:
    """The thread and its loop; clients made by `with_options` share it, and may be used in many threads at once.

    It is opened and closed once. A call that is interrupted, by Ctrl-C or by what a signal handler raises, is
    cancelled in the loop, and waited for: nothing goes on behind it. A second interrupt ends that wait too.
    """

    def __init__(self) -> None:
        # Reentrant: a signal handler that calls, or closes, may have interrupted the same in its thread.
        self._changing = threading.RLock()
        self._state: Literal["new", "open", "closed"] = "new"
        self._process = self._thread = 0
        self._asking = threading.RLock()
        self._deaf = False
        self._ended: Answer[None] = Answer()
        self._tasks: set[asyncio.Task[None]] = set()
        self._scopes: set[anyio.CancelScope] = set()

    def open(self, client: AbstractAsyncContextManager[Any]) -> None:
        """Start the thread, and enter the client in it."""
        with self._changing:
            if self._state != "new":
                raise ClientStateError(_ENTERED_BEFORE[self._state])
            self._around: AbstractContextManager[BlockingPortal] = start_blocking_portal("asyncio")
            portal = self._around.__enter__()
            try:
                portal.start_task(self._serve, client)
            except BaseException as error:
                self._around.__exit__(type(error), error, error.__traceback__)
                raise
            self._process, self._state = os.getpid(), "open"
        # A program that never leaves the block ends like any other.
        atexit.register(self.close)

    def close(self) -> None:
        """Cancel what is under way, wait for it, leave the client, and end the thread. May be repeated."""
        if self._is_own():
            raise ClientStateError(_OWN_THREAD)
        with self._changing:
            was, self._state = self._state, "closed"
            if was != "open" or self._process != os.getpid():
                # Of a client that a fork brought along, nothing is here to be closed.
                return
        atexit.unregister(self.close)
        try:
            self._loop.call_soon_threadsafe(self._closing.set)
            self._ended.wait()
        except BaseException as interrupt:
            self._stop(interrupt)
            raise
        self._stop(None)
        self._ended.result()

    @property
    def is_closed(self) -> bool:
        """Whether it was open, and its end has begun."""
        return self._state == "closed"

    def run(self, function: Callable[[], Awaitable[T]]) -> T:
        """What this gives in the loop. Raises `ClientStateError` where it cannot be waited for."""
        self._require()
        answer: Answer[T] = Answer()
        return self._wait(answer, partial(self._begin, answer, partial(self._perform, answer, function)))

    def run_plain(self, function: Callable[[], T]) -> T:
        """What this gives in the loop's thread; here, where that is this thread, or there is none."""
        if not self._can_run():
            try:
                return function()
            except ClientStateError as error:
                in_blocking_words(error)
                raise

        async def perform() -> T:
            return function()

        return self.run(perform)

    def run_if_open(self, function: Callable[[], Awaitable[object]]) -> None:
        """Do this in the loop, where that is possible."""
        if self._can_run():
            self.run(function)

    def enter(self, manager: AbstractAsyncContextManager[Any]) -> Block:
        """Enter this in a task that lives until it is left."""
        self._require()
        block = Block(manager)
        self._wait(block.entered, partial(self._begin, block.entered, partial(self._hold, block)))
        return block

    def leave(
        self,
        block: Block,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Leave it with what its block raised; gives whether that is dealt with."""
        if self._process != os.getpid():
            return False
        if self._is_own():
            raise ClientStateError(_OWN_THREAD)

        def begin() -> None:
            block.raised = (kind, error, trace)
            if block.leaving is not None:
                block.leaving.set()

        try:
            return bool(self._wait(block.left, begin))
        except BaseException as raised:
            if error is not None and (raised is error or isinstance(raised, ClientStateError)):
                # What ended the block tells more than that its client was closed meanwhile.
                return False
            raise

    def _require(self) -> None:
        if self._state != "open":
            raise ClientStateError(_NOT_OPEN[self._state])
        if self._process != os.getpid():
            raise ClientStateError(_FORKED)
        if self._is_own():
            raise ClientStateError(_OWN_THREAD)

    def _can_run(self) -> bool:
        return self._state == "open" and self._process == os.getpid() and not self._is_own()

    def _is_own(self) -> bool:
        return self._thread == threading.get_ident() and self._process == os.getpid()

    def _wait(self, answer: Answer[T], begin: Callable[[], object]) -> T:
        try:
            self._soon(begin, answer)
            answer.wait()
        except BaseException as interrupt:
            self._soon(answer.give_up, answer)
            answer.wait()
            known = answer.explain(interrupt)
            if known is not None:
                raise interrupt from known
            raise
        return answer.result()

    def _soon(self, function: Callable[[], object], answer: Answer[Any]) -> None:
        """Have this called in the loop, in the order in which it was asked for."""
        with self._asking:
            if not self._deaf:
                self._loop.call_soon_threadsafe(function, context=_context())
                return
        # Closed in another thread meanwhile; what was under way then has ended.
        if not answer.ended:
            answer.error = ClientStateError(_NOT_OPEN["closed"])
            answer.end()

    def _stop(self, interrupt: BaseException | None) -> None:
        with self._asking:
            self._deaf = True
        # Another thread may get its number now.
        self._thread = 0
        if interrupt is None:
            self._around.__exit__(None, None, None)
        else:
            self._around.__exit__(type(interrupt), interrupt, interrupt.__traceback__)

    async def _serve(
        self, client: AbstractAsyncContextManager[Any], *, task_status: anyio.abc.TaskStatus[None]
    ) -> None:
        self._loop, self._thread, self._closing = asyncio.get_running_loop(), threading.get_ident(), anyio.Event()
        try:
            async with client:
                task_status.started()
                await self._closing.wait()
                for scope in tuple(self._scopes):
                    scope.cancel()
                if self._tasks:
                    await asyncio.wait(self._tasks)
        except Exception as error:
            self._ended.error = error
            raise
        finally:
            self._ended.end()

    def _begin(self, answer: Answer[Any], perform: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if self._closing.is_set():
            answer.error = ClientStateError(_NOT_OPEN["closed"])
            answer.end()
        elif not answer.ended:
            # In the context of whoever called, which a task group of our own would not have.
            task = self._loop.create_task(perform())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    @contextmanager
    def _cancellable(self) -> Iterator[anyio.CancelScope]:
        """A scope that is cancelled when the client is closed, if not before."""
        with anyio.CancelScope() as scope:
            self._scopes.add(scope)
            try:
                if self._closing.is_set():
                    scope.cancel()
                yield scope
            finally:
                self._scopes.discard(scope)

    async def _perform(self, answer: Answer[T], function: Callable[[], Awaitable[T]]) -> None:
        if answer.given_up:
            # Interrupted when this had been asked for, and had not begun.
            return
        with self._cancellable() as answer.scope:
            try:
                answer.value = await function()
            except anyio.get_cancelled_exc_class() as cut:
                answer.cut = cut
                if answer.given_up or self._closing.is_set():
                    raise
            except BaseException as error:
                answer.error = error
            finally:
                answer.end()

    async def _hold(self, block: Block) -> None:
        if block.entered.given_up:
            return
        with self._cancellable() as scope:
            block.entered.scope = block.left.scope = scope
            ends, block.leaving = block.entered, anyio.Event()
            try:
                block.entered.value = await block.manager.__aenter__()
                ends = block.left
                block.entered.end()
                block.left.value = await self._leave(block, block.leaving)
            except anyio.get_cancelled_exc_class() as cut:
                ends.cut = cut
                raise
            except BaseException as error:
                ends.error = error
            finally:
                ends.end()

    async def _leave(self, block: Block, leaving: anyio.Event) -> bool | None:
        try:
            await leaving.wait()
        except BaseException as cut:
            # The client ends, or what runs in the block failed.
            if not await block.manager.__aexit__(type(cut), cut, cut.__traceback__):
                raise
            return True
        return await block.manager.__aexit__(*block.raised)


def _context() -> Context:
    """The context of whoever calls, as far as it holds in the loop: not that of another kind of loop."""
    context = copy_context()
    try:
        import sniffio
    except ImportError:
        return context
    context.run(sniffio.current_async_library_cvar.set, "asyncio")
    return context
