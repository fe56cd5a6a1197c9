"""Iterate over a paginated listing: items in order, a bounded number of pages read ahead, nothing left running."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import anyio

from ..models import Page

T = TypeVar("T")


def window(done: int, last: int, ahead: int) -> range:
    """The pages to read next, after `done` pages of `last`: one, then twice as many each time, up to `ahead`.

    So a caller who stops early has cost few requests in vain.
    """
    size = min(max(done, 1), ahead)
    return range(done + 1, min(done + size, max(last, 1)) + 1)


async def fetch_together(
    fetch: Callable[[int], Awaitable[Page[T]]], numbers: Sequence[int]
) -> list[Page[T] | Exception]:
    """Fetch several pages at once; returns each page, or the error in its place, in the order of `numbers`."""
    results: dict[int, Page[T] | Exception] = {}

    async def one(number: int) -> None:
        try:
            results[number] = await fetch(number)
        except Exception as error:
            results[number] = error

    if len(numbers) == 1:
        await one(numbers[0])
    else:
        async with anyio.create_task_group() as group:
            for number in numbers:
                group.start_soon(one, number)
    return [results[number] for number in numbers]


class Pages(Generic[T]):
    """An async iterator over the items of all pages of a listing, in the listing's order.

    The first page says how many there are; after it, up to `ahead` pages are read at once. All of those requests
    end before the item that needed them is handed over, so nothing is left running if you leave the loop, or are
    cancelled in it.

    An item that shows up twice because the listing moved, with the same id and revision, is yielded once. An
    item that moves to a page already read is missed: to rate a listing that changes meanwhile, use
    `AsyncPicoworkers.review`. The iteration ends at the page that the service's latest answer calls the last.

    An error of the service is raised in its place in the order; asking for the next item tries that page again.
    """

    def __init__(
        self, fetch: Callable[[int], Awaitable[Page[T]]], key: Callable[[T], tuple[str, int]], ahead: int
    ) -> None:
        self._fetch = fetch
        self._key = key
        self._ahead = ahead
        self._done = 0
        self._last = 1
        self._fetched: deque[Page[T]] = deque()
        self._failed: Exception | None = None
        self._items: deque[T] = deque()
        self._seen: dict[str, int] = {}

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        while not self._items:
            page = await self._next_page()
            if page is None:
                raise StopAsyncIteration
            self._items.extend(self._fresh(page))
        return self._items.popleft()

    async def pages(self) -> AsyncIterator[Page[T]]:
        """Iterate over the pages as they came, in order. Items that an earlier page had are left in."""
        while (page := await self._next_page()) is not None:
            yield page

    async def collect(self) -> list[T]:
        """Return all remaining items as a list."""
        return [item async for item in self]

    async def _next_page(self) -> Page[T] | None:
        if not self._fetched:
            if self._failed is not None:
                error, self._failed = self._failed, None
                raise error
            if self._done >= self._last:
                return None
            await self._fetch_window(window(self._done, self._last, self._ahead))
            return await self._next_page()
        page = self._fetched.popleft()
        self._done += 1
        self._last = page.pages
        if self._done >= page.pages:
            self._fetched.clear()
            self._failed = None
        return page if self._done <= max(page.pages, 1) else None

    async def _fetch_window(self, numbers: range) -> None:
        """Read some pages at once; keep those before the first that failed, and its error."""
        for result in await fetch_together(self._fetch, numbers):
            if isinstance(result, Exception):
                self._failed = result
                break
            self._fetched.append(result)

    def _fresh(self, page: Page[T]) -> list[T]:
        fresh = []
        for item in page.items:
            name, revision = self._key(item)
            if self._seen.get(name, -1) < revision:
                self._seen[name] = revision
                fresh.append(item)
        return fresh
