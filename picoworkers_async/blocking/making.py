"""Make the blocking classes from the asynchronous ones: each member by what it is."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from types import AsyncGeneratorType, FunctionType, TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from ..client import AsyncPicoworkers
from ..errors import InvalidRequestError
from ..problems import Problem, ProblemCode
from ..transport.shared import SharedTransport
from .answer import Block
from .arguments import Arguments
from .thread import LoopThread
from .words import blocking_words

P = ParamSpec("P")
R = TypeVar("R")
Adapt = Callable[[tuple[Any, ...], dict[str, Any]], Arguments]

NAMES = {
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "aclose": "close",
}
"""Names that differ in the blocking classes."""

_DUNDERS = {"__init__", "__enter__", "__exit__", "__iter__", "__next__"}


class Wrapper:
    """An object of an asynchronous class, and the thread of the loop that its methods run in."""

    _made: Mapping[type, type[Wrapper]]
    _groups: tuple[str, ...] = ()
    _inner: Any
    _thread: LoopThread

    def _attach(self, inner: Any, thread: LoopThread) -> Self:
        self._inner, self._thread = inner, thread
        for name in self._groups:
            setattr(self, name, self._wrap(getattr(inner, name)))
        return self

    def _wrap(self, value: Any) -> Any:
        """This value, or the blocking object for it."""
        if value is self._inner:
            return self
        if type(value) is type(self._inner):
            # Of a class that somebody derived from ours, too.
            return copy.copy(self)._attach(value, self._thread)
        kind = self._made.get(type(value))
        return value if kind is None else kind.__new__(kind)._attach(value, self._thread)

    def __repr__(self) -> str:
        if "_inner" not in self.__dict__:
            return f"{type(self).__name__}(not made: its arguments were refused)"
        return blocking_words(repr(self._inner))


class Enterable(Wrapper):
    """An object that has an `async with` of its own."""

    _block: Block

    def __enter__(self) -> Self:
        self._block = self._thread.enter(self._inner)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        return self._thread.leave(self._block, kind, error, trace)


class Client(Wrapper):
    """The object that owns the thread."""

    _source: type

    def __init__(self, *arguments: Any, **options: Any) -> None:
        if isinstance(options.get("transport"), SharedTransport):
            # No traceback of this frame shows the secret.
            del arguments
            raise _not_for_this(options.pop("transport"))
        self._attach(self._source(*arguments, **options), LoopThread())

    def __enter__(self) -> Self:
        self._thread.open(self._inner)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.close()

    def close(self) -> None:
        """End the thread, and everything that runs in it."""
        self._thread.close()

    def call(
        self,
        function: Callable[Concatenate[AsyncPicoworkers, P], Awaitable[R]],
        /,
        *arguments: P.args,
        **options: P.kwargs,
    ) -> R:
        """Run an async function that takes the asynchronous client first, and give what it returns.

        `pico.call(sheets.export, "tasks.csv")`, or an async function of yours. It runs in the client's own thread,
        with the same account and pace. There it must not use this client, nor block.
        """
        return self._thread.run(functools.partial(function, self._inner, *arguments, **options))


def _not_for_this(transport: SharedTransport) -> InvalidRequestError:
    limit = (
        "not for the blocking client: it has an event loop of its own, and a SharedTransport belongs to that of "
        "its `async with` block; leave it out. One blocking client may be used in many threads"
    )
    problem = Problem("transport", transport, limit, ProblemCode.CONFLICT)
    return InvalidRequestError("Picoworkers", [problem], sends=False)


def make(
    client: type,
    others: Mapping[type, str],
    *,
    module: str,
    adapt: Mapping[Any, Adapt],
    notes: Mapping[str, str],
    closed: Mapping[Any, Callable[[Any], Any]],
) -> dict[type, type[Wrapper]]:
    """The blocking classes of a client and of what its methods return, by the asynchronous classes.

    `others` names them. `adapt` converts the arguments of some methods, and `notes` adds to the docstring of a
    method, by its name. `closed` is called instead of a method when the client was closed, and there is no loop
    any more.
    """
    made: dict[type, type[Wrapper]] = {}
    for source, name in (*others.items(), (client, "Picoworkers")):
        enters = "__aenter__" in vars(source)
        base = Client if source is client else Enterable if enters else Wrapper
        members: dict[str, Any] = {
            "__module__": module,
            "__doc__": blocking_words(inspect.cleandoc(source.__doc__ or "")),
        }
        if base is Client:
            members["_source"] = source
        groups = {name: made[value] for name, value in vars(source).items() if _is_group(value, made)}
        members.update(groups)
        members["_groups"] = tuple(groups)
        members["_made"] = made
        for its_name, member in vars(source).items():
            public = NAMES.get(its_name, its_name)
            if public.startswith("_") and public not in _DUNDERS:
                continue
            if public in groups or (public == "__init__" and base is not Client):
                continue
            found = vars(base).get(public) if base is not Wrapper else None
            function = member if isinstance(member, FunctionType) else None
            blocking = _same(found) if found else _blocking(member, adapt.get(function), closed.get(function))
            if blocking is not None:
                members[public] = _told(blocking, member, public, name, notes)
        made[source] = type(name, (base,), members)
    return made


def _is_group(value: object, made: Mapping[type, type[Wrapper]]) -> bool:
    return isinstance(value, type) and value in made


def _blocking(member: Any, adapt: Adapt | None, closed: Callable[[Any], Any] | None) -> Any:
    """The blocking member for this one; None for what is not part of the interface."""
    if isinstance(member, property):
        return property(lambda self: self._wrap(member.fget(self._inner)))  # type: ignore[misc]
    if isinstance(member, classmethod):
        return member
    if inspect.isasyncgenfunction(member):
        return _generator(member)
    if getattr(member, "__name__", None) == "__anext__":
        return _next(member)
    if inspect.iscoroutinefunction(member):
        return _method(member, adapt, lambda thread: thread.run, closed)
    if inspect.isfunction(member):
        return _method(member, adapt, lambda thread: thread.run_plain)
    return None


def _method(
    function: Callable[..., Any],
    adapt: Adapt | None,
    how: Callable[[LoopThread], Callable[..., Any]],
    closed: Callable[[Any], Any] | None = None,
) -> Callable[..., Any]:
    def method(self: Wrapper, /, *arguments: Any, **options: Any) -> Any:
        if closed is not None and self._thread.is_closed:
            return self._thread.run_plain(functools.partial(closed, self._inner), self._wrap)
        if adapt is not None:
            arguments, options = adapt(arguments, options)
        call = functools.partial(function, self._inner, *arguments, **options)
        return how(self._thread)(call, self._wrap)

    return method


def _next(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Wrapper) -> Any:
        try:
            return self._thread.run(functools.partial(function, self._inner), self._wrap)
        except StopAsyncIteration:
            raise StopIteration from None

    return method


def _generator(function: Callable[..., AsyncGeneratorType[Any, None]]) -> Callable[..., Iterator[Any]]:
    def method(self: Wrapper, /, *arguments: Any, **options: Any) -> Iterator[Any]:
        items = function(self._inner, *arguments, **options)
        try:
            while True:
                try:
                    item = self._thread.run(items.__anext__, self._wrap)
                except StopAsyncIteration:
                    return
                yield item
        finally:
            if items.ag_frame is not None:
                # Not waited for: the garbage collector may be at work here, in a thread that holds any lock.
                self._thread.drop(items.aclose)

    return method


def _same(function: Any) -> Any:
    """A copy of this function, to be documented."""
    same = type(function)(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    same.__kwdefaults__ = function.__kwdefaults__
    return same


def _told(blocking: Any, member: Any, name: str, owner: str, notes: Mapping[str, str]) -> Any:
    """The member with the name, the signature and the docstring of the asynchronous one."""
    if isinstance(blocking, classmethod):
        return blocking
    doc = blocking_words(inspect.cleandoc(member.__doc__ or ""))
    note = notes.get(name)
    if note is not None:
        doc = f"{doc}\n\n{inspect.cleandoc(note)}"
    if isinstance(blocking, property):
        return property(blocking.fget, doc=doc)
    functools.update_wrapper(blocking, member)
    blocking.__module__, blocking.__name__, blocking.__qualname__ = __package__, name, f"{owner}.{name}"
    blocking.__doc__ = doc or None
    return blocking
