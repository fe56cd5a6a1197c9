"""An event loop in a thread of its own: everything that runs there, from its beginning to its end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
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
    """The thread in which the client is entered, and left again once `stop` was called.

    However and whenever it ends, everything that was asked of it has ended by then. `died` is what ended it, if
    that was neither `stop` nor an error of entering the client.

    There are no locks, which an interrupted thread might leave locked: each of two threads first says what it
    does, and then reads what the other says.
    """

    def __init__(self, client: AbstractAsyncContextManager[Any]) -> None:
        self._client = client
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
        """Have the thread end, or not even begin; `at_once` gives no grace to what is in progress."""
        self._at_once = self._at_once or at_once
        self._stopped = True
        self._call_soon(self._end, Context())

    def wait(self) -> None:
        """Return once the thread has ended. One that had not begun when it was stopped ends by itself."""
        if not self._begun:
            return
        over: Answer[None] = Answer()
        self._waiting.add(over)
        if not self._over:
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
        """Have this called in the loop, in the order of the calls; the answer ends in any case."""
        self._waiting.add(answer)
        asked = self._call_soon(function, _context())
        answer.asked = answer.asked or asked
        if not asked or self._over:
            # Closed in another thread meanwhile, or dead.
            self._cut(answer)

    def drop(self, function: Callable[[], Awaitable[object]]) -> None:
        """Have this done in the loop, and wait for nothing: the garbage collector may call it anywhere.

        A loop that has ended has closed everything that was left in it.
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
        self._begun = True
        try:
            if not self._stopped:
                anyio.run(self._serve, backend="asyncio")
        except BaseException as error:
            self.died = error
        finally:
            self._is_ending()

    def _is_ending(self) -> None:
        # Another thread may get its number now.
        self._ident = 0
        if not self.opened.ended:
            self.opened.error, self.died = self.died, None
        self._over = True
        while self._waiting:
            with suppress(KeyError):  # whoever asked for it has just seen that it is over, too
                self._cut(self._waiting.pop())

    def _cut(self, answer: Answer[Any]) -> None:
        """There is no loop for this any more."""
        self._waiting.discard(answer)
        if answer.ended:
            return
        if answer.error is None:
            answer.error = self._error_of(answer)
        answer.end()

    def _error_of(self, answer: Answer[Any]) -> Exception:
        ended = None if self.died is None else thread_ended(self.died)
        if answer.asked:
            return error_of_end(answer.sent, CUT_OFF if ended is None else ended)
        return ClientStateError(NOT_OPEN["closed"] if ended is None else f"nothing was sent: {ended}")

    async def _serve(self) -> None:
        with anyio.CancelScope() as self._scope:
            self._closing = anyio.Event()
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
        """Begin a call, in the loop, unless it was given up before, or it is too late."""
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
        """A call, in a task of its own: what it returns or raises goes to its answer."""
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
        """The task in which a block is entered, kept open and left."""
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
    """The caller's context, as far as it is valid in the loop: not that of another kind of loop."""
    context = copy_context()
    try:
        import sniffio
    except ImportError:
        return context
    context.run(sniffio.current_async_library_cvar.set, "asyncio")
    return context
