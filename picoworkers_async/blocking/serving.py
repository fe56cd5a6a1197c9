"""An event loop in a thread of its own: what runs there, from its beginning to its end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from contextvars import Context, copy_context
from functools import partial
from typing import Any, TypeVar

import anyio

from ..caller import caller
from ..errors import ClientStateError
from .answer import Answer, Block, error_of_end
from .refusals import CUT_OFF, NOT_OPEN, thread_ended

T = TypeVar("T")

Perform = Callable[[], Coroutine[Any, Any, None]]


class Serving:
    """The thread, in which the client is entered, and left again once it was told to `stop`.

    However it ends, and whenever: whatever was asked of it has ended by then. `died` is what ended it, if that was
    neither `stop` nor an error of entering the client.
    """

    def __init__(self, client: AbstractAsyncContextManager[Any]) -> None:
        self._client = client
        # Reentrant, as a signal handler may have interrupted the same in its thread; held for a moment only.
        self._asking = threading.RLock()
        self._begun = self._stopped = self._at_once = self._over = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self.opened: Answer[None] = Answer()
        self.died: BaseException | None = None
        self._waiting: set[Answer[Any]] = {self.opened}
        self._tasks: set[asyncio.Task[None]] = set()
        self._scopes: set[anyio.CancelScope] = set()
        self._ident = 0
        self._thread = threading.Thread(
            target=Context().run, args=(self._run,), name="picoworkers_async.blocking", daemon=True
        )

    def start(self) -> None:
        """Start the thread; `opened` ends when the client was entered in it, or could not be."""
        self._thread.start()

    def stop(self, *, at_once: bool) -> None:
        """Have the thread end, or not even begin; `at_once` leaves no grace to what is under way."""
        with self._asking:
            self._stopped = True
            self._at_once = self._at_once or at_once
            if self._loop is not None:
                self._call_soon(self._end, Context())

    def wait(self) -> None:
        """Return once the thread has ended. One that had not begun when it was told to stop ends by itself."""
        over: Answer[None] = Answer()
        with self._asking:
            if not self._begun:
                return
            if self._over:
                over.end()
            else:
                self._waiting.add(over)
        over.wait()
        self._thread.join()

    @property
    def is_over(self) -> bool:
        """Whether nothing of it runs any more, or ever will."""
        return self._over or (self._stopped and not self._begun)

    @property
    def is_here(self) -> bool:
        """Whether this is its thread."""
        return self._ident == threading.get_ident()

    def post(self, function: Callable[[], object], answer: Answer[Any]) -> None:
        """Have this called in the loop, in the order in which it was asked for; the answer ends in any case."""
        with self._asking:
            if not self._over:
                self._waiting.add(answer)
                if self._call_soon(function, _context()):
                    return
            # Closed in another thread meanwhile, or dead.
            self._waiting.discard(answer)
            if not answer.ended:
                died = self.died
                words = NOT_OPEN["closed"] if died is None else f"nothing was sent: {thread_ended(died)}"
                answer.error = ClientStateError(words)
                answer.end()

    def drop(self, function: Callable[[], Awaitable[object]]) -> None:
        """Have this done in the loop, and wait for nothing: the garbage collector may call it anywhere.

        It takes no lock, then, either. Where the loop has ended, it has closed all that was left in it.
        """
        answer: Answer[object] = Answer()
        self._call_soon(partial(self.begin, answer, partial(self.perform, answer, function)), Context())

    def _call_soon(self, function: Callable[[], object], context: Context) -> bool:
        try:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(function, context=context)
                return True
        except RuntimeError:
            # It is closed: the thread is about to end.
            pass
        return False

    def _run(self) -> None:
        with self._asking:
            if self._stopped:
                return
            self._begun = True
        try:
            anyio.run(self._serve, backend="asyncio")
        except BaseException as error:
            self.died = error
        finally:
            self._ends()

    def _ends(self) -> None:
        with self._asking:
            self._over = True
            # Another thread may get its number now.
            self._ident = 0
            waiting, self._waiting = self._waiting, set()
            for answer in waiting:
                if answer.ended:
                    continue
                if answer is self.opened:
                    answer.error, self.died = self.died or ClientStateError(NOT_OPEN["closed"]), None
                else:
                    answer.error = error_of_end(
                        answer.sent, CUT_OFF if self.died is None else thread_ended(self.died)
                    )
                answer.end()

    async def _serve(self) -> None:
        with anyio.CancelScope() as self._scope:
            self._closing = anyio.Event()
            with self._asking:
                self._loop, self._ident = asyncio.get_running_loop(), threading.get_ident()
                if self._stopped:
                    return
            async with self._client:
                self.opened.end()
                await self._closing.wait()
                for scope in tuple(self._scopes):
                    scope.cancel()
                if self._tasks:
                    await asyncio.wait(self._tasks)

    def _end(self) -> None:
        self._closing.set()
        if self._at_once:
            self._scope.cancel()

    def begin(self, answer: Answer[Any], perform: Perform) -> None:
        """Begin a call, in the loop; unless it was given up before, or it is too late."""
        if self._closing.is_set():
            answer.error = ClientStateError(NOT_OPEN["closed"])
            self._is_done(answer)
        elif not answer.ended and self._loop is not None:
            # In the context of whoever called, which a task group of our own would not have.
            task = self._loop.create_task(perform())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _is_done(self, answer: Answer[Any]) -> None:
        self._waiting.discard(answer)
        answer.end()

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

    async def perform(self, answer: Answer[T], function: Callable[[], Awaitable[T]]) -> None:
        """A call, in a task of its own: what it gives or raises goes to its answer."""
        if answer.given_up:
            # Interrupted when this had been asked for, and had not begun.
            return
        caller.set(answer)
        with self._cancellable() as scope:
            answer.scope = scope
            try:
                answer.value = await function()
            except anyio.get_cancelled_exc_class() as cut:
                answer.cut = cut
                if scope.cancel_called:
                    raise
            except BaseException as error:
                answer.error = error
            finally:
                self._is_done(answer)

    async def hold(self, block: Block) -> None:
        """The task in which a block is entered, lived in and left."""
        if block.entered.given_up:
            return
        caller.set(block)
        with self._cancellable() as scope:
            block.entered.scope = block.left.scope = scope
            ends, block.leaving = block.entered, anyio.Event()
            try:
                block.entered.value = await block.manager.__aenter__()
                ends = block.left
                self._is_done(block.entered)
                block.left.value = await self._leave(block, block.leaving)
            except anyio.get_cancelled_exc_class() as cut:
                ends.cut = cut
                raise
            except BaseException as error:
                ends.error = error
            finally:
                self._is_done(ends)

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
