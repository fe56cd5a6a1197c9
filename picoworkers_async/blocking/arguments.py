"""Arguments of batches in a blocking program: functions and iterables that block, so not for the loop's thread."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, Callable, Collection, Iterable, Iterator
from typing import Any, Generic, TypeVar

import anyio
import anyio.to_thread

T = TypeVar("T")

_END = object()

Arguments = tuple[tuple[Any, ...], dict[str, Any]]


class Walked(Generic[T]):
    """An iterable that is consumed in worker threads, one item after the other: it may block, and use the client.

    A thread cannot be stopped: one whose item nobody waits for any more runs until it has it, and the item is
    dropped.
    """

    def __init__(self, items: Iterable[T]) -> None:
        self._items = items
        self._iterator: Iterator[T] | None = None

    def __aiter__(self) -> Walked[T]:
        return self

    async def __anext__(self) -> T:
        item, raised = await anyio.to_thread.run_sync(
            self._next, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1)
        )
        if isinstance(raised, StopAsyncIteration):
            # It would be taken for the end, and is an error in there, as StopIteration is in a generator.
            raise RuntimeError("the iterable raised StopAsyncIteration") from raised
        if raised is not None:
            raise raised
        if item is _END:
            raise StopAsyncIteration
        return item  # type: ignore[no-any-return]

    def _next(self) -> tuple[Any, BaseException | None]:
        """The next item, or what was raised in its place."""
        try:
            if self._iterator is None:
                self._iterator = iter(self._items)
            return next(self._iterator, _END), None
        except BaseException as error:
            return _END, error


def of_rate(arguments: tuple[Any, ...], options: dict[str, Any]) -> Arguments:
    """The arguments of `rate` and `rate_all` for the asynchronous ones."""
    arguments, options = _named("ratings", arguments, options)
    return arguments, _walking("ratings", options)


def of_review(arguments: tuple[Any, ...], options: dict[str, Any]) -> Arguments:
    """The arguments of `review` and `review_all`, for the asynchronous ones.

    A plain `decide` is called in worker threads, and never in two at once unless `deciding` is given.
    """
    arguments, options = _named("decide", arguments, options)
    options = _walking("tasks", options)
    decide = options.get("decide")
    if callable(decide) and not _is_async(decide) and options.setdefault("threads", True):
        options.setdefault("deciding", 1)
    return arguments, options


def of_watch(arguments: tuple[Any, ...], options: dict[str, Any]) -> Arguments:
    """The arguments of `jobs.watch`, for the asynchronous one."""
    changes = options.get("changes")
    if isinstance(changes, Iterable) and not isinstance(changes, AsyncIterable):
        return arguments, {**options, "changes": Walked(changes)}
    return arguments, options


def _named(name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Arguments:
    if len(arguments) == 1 and name not in options:
        return (), {name: arguments[0], **options}
    return arguments, dict(options)


def _walking(name: str, options: dict[str, Any]) -> dict[str, Any]:
    given = options.get(name)
    if isinstance(given, Iterable) and not isinstance(given, Collection):
        options[name] = Walked(given)
    return options


def _is_async(decide: Callable[..., object]) -> bool:
    return inspect.iscoroutinefunction(decide) or inspect.iscoroutinefunction(type(decide).__call__)
