"""Read a whole listing while it moves: from its last page back to its first.

Rating a task takes it off the listing and moves everything behind it forward. If you read from the back, those
moves only affect pages that were read already, so they hide nothing. Whether a sweep saw everything is then a
matter of counting.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import UTC, datetime
from typing import Generic, NamedTuple, TypeVar

import anyio
import attrs

from ..models import Job, Page, Task
from .pages import fetch_together

T = TypeVar("T", Job, Task)

_TRIES = 4


class Sweep(Generic[T]):
    """One sweep of a listing, as a state: which page to read next, and what has been read so far.

    `started` is the time when it began, by the time of day: what was handed in later does not count. The sweep
    asks for page 1, then for the last, then for those between and for page 1 again, up to `ahead` at once.
    """

    def __init__(self, started: datetime, ahead: int = 1) -> None:
        self._started = started
        self._ahead = ahead
        self._first: Page[T] | None = None
        self._last: Page[T] | None = None
        self._wanted = [1]
        self._left = 0
        self._asked = 0
        self._sound = True
        self._counted: set[str] = set()
        self._early: dict[int, Page[T]] = {}
        self._next_ready = 0

    @property
    def done(self) -> bool:
        """Whether every page was read."""
        return not self._wanted and not self._asked and not self._left

    @property
    def sound(self) -> bool:
        """Whether every page had all that it must, and fits the others."""
        return self._sound

    @property
    def complete(self) -> bool:
        """Whether the sweep, once it is done, certainly saw everything that was listed when it began.

        Each page must say what it has and how many pages there are; none but the last may be shorter than the
        first; and as many items must have been seen as were listed, without those that came in meanwhile.
        """
        return self.done and self._sound and len(self._counted) >= self.total

    @property
    def total(self) -> int:
        """How many items were listed when the last page was read."""
        if self._first is None:
            return 0
        if self._last is None:
            return len(self._first.items)
        return (self._last.current_page - 1) * len(self._first.items) + len(self._last.items)

    @property
    def pages_left(self) -> int:
        """How many pages are still to be read, as far as is known."""
        return self._left + len(self._wanted) + self._asked

    @property
    def items_left(self) -> int:
        """How many items the pages show, at most, that are still to be read."""
        return 0 if self._first is None else self.pages_left * len(self._first.items)

    @property
    def wants_page(self) -> bool:
        """Whether a page can be read now."""
        return bool(self._wanted) or (self._left > 0 and self._asked < self._ahead)

    def next_page(self) -> int | None:
        """The number of the next page to read; None while none can be."""
        if self._wanted:
            self._asked += 1
            return self._wanted.pop()
        if self.wants_page:
            self._left -= 1
            self._asked += 1
            return self._left + 1
        return None

    def failed(self, number: int) -> None:
        """A page could not be read: it is wanted again."""
        self._asked -= 1
        self._wanted.append(number)

    def got(self, number: int, page: Page[T]) -> list[Page[T]]:
        """Take in a page that was read; returns the pages that may be worked on now.

        They come from the last to the first, whatever order they were answered in: work on a page takes items
        off it, and must not move those of a page that is still being read.
        """
        self._asked -= 1
        if not page.is_whole or page.current_page != number:
            self._sound = False
        if self._first is None:
            return self._got_first(page)
        if self._last is None:
            return self._got_last(number, page)
        if len(page.items) != len(self._first.items):
            self._sound = False
        on_first = {item.id for item in self._first.items} if number == 1 else None
        self._count(page.items, on_first)
        self._early[number] = page
        ready = []
        while self._next_ready in self._early:
            ready.append(self._early.pop(self._next_ready))
            self._next_ready -= 1
        return ready

    def _got_first(self, page: Page[T]) -> list[Page[T]]:
        self._first = page
        if page.pages > 1:
            self._wanted.append(page.pages)
            return []
        self._sound = self._sound and page.pages == 1
        self._count(page.items, None)
        return [page]

    def _got_last(self, number: int, page: Page[T]) -> list[Page[T]]:
        if 1 <= page.pages < number and not page.items:
            # The listing has become shorter since page 1 told its length.
            self._wanted.append(page.pages)
            return []
        if not page.items:
            # A last page that is there has something on it.
            self._sound = False
        self._last = attrs.evolve(page, current_page=number)
        self._left = self._next_ready = number - 1
        self._count(page.items, None)
        return [page]

    def _count(self, items: Iterable[T], among: Collection[str] | None) -> None:
        """Count each item once. On the last read of page 1, what its first read did not show came in since."""
        for item in items:
            if not _newer(item, self._started) and (among is None or item.id in among):
                self._counted.add(item.id)


def _newer(item: Job | Task, moment: datetime) -> bool:
    made = item.created_at if isinstance(item, Job) else item.finished_at
    return made is not None and made > moment


class SweepResult(NamedTuple, Generic[T]):
    """The result of a sweep.

    When it began by the event loop's clock, the latest form of each item by its id, and whether that is certainly
    everything that was listed.
    """

    began: float
    items: dict[str, T]
    complete: bool


Fetch = Callable[[int], Awaitable[Page[T]]]


async def sweep(fetch: Fetch[T], ahead: int = 1) -> SweepResult[T]:
    """Sweep a listing until nothing can have been missed, or at most four times, with up to `ahead` reads at once.

    A listing whose order changes with each read is complete when, over several sweeps in which it had the same
    length, exactly as many different items were seen. Raises what `fetch` raises.
    """
    every: dict[str, T] = {}
    totals: set[int] = set()
    first, started = anyio.current_time(), datetime.now(UTC)
    for number_of_try in range(_TRIES):
        began = anyio.current_time()
        one: Sweep[T] = Sweep(datetime.now(UTC), ahead)
        items: dict[str, T] = {}
        while not one.done:
            for number, page in await _together(fetch, one):
                one.got(number, page)
                _keep_latest(items, page.items)
        if one.complete:
            return SweepResult(began, items, complete=True)
        _keep_latest(every, items.values())
        totals.add(one.total if one.sound else -1)
        if number_of_try and totals == {sum(not _newer(item, started) for item in every.values())}:
            return SweepResult(first, every, complete=True)
    return SweepResult(first, every, complete=False)


async def _together(fetch: Fetch[T], one: Sweep[T]) -> list[tuple[int, Page[T]]]:
    """Read all pages that can be read now; the first failure, in the order of asking, is raised."""
    numbers = []
    while (number := one.next_page()) is not None:
        numbers.append(number)
    pages = []
    for number, result in zip(numbers, await fetch_together(fetch, numbers), strict=True):
        if isinstance(result, Exception):
            raise result
        pages.append((number, result))
    return pages


def _keep_latest(items: dict[str, T], seen: Iterable[T]) -> None:
    for item in seen:
        known = items.get(item.id)
        if isinstance(item, Task) and isinstance(known, Task) and known.revision_number > item.revision_number:
            continue
        items[item.id] = item
