"""Looking at a whole listing while it moves: from its last page back to its first.

Rating a task takes it off the listing and moves everything behind it forward. Read from the back, those
moves only concern pages that were read already, so they hide nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import attrs

from ..models import Page, Task

Fetch = Callable[[int], Awaitable[Page[Task]]]

_TRIES = 6


@attrs.frozen
class Listing:
    """What is waiting to be rated: the revision by task id, and whether that is certainly all of it."""

    revisions: dict[str, int]
    complete: bool


async def backwards(fetch: Fetch, on_page: Callable[[Page[Task]], Awaitable[None]], ahead: int = 1) -> int:
    """Hand over all pages, the last one first, up to `ahead` asked for at once; gives how many tasks there were.

    The count is that of the moment when the last page was read. Whoever saw fewer different tasks has missed
    some: the listing grew, or its order does not hold.
    """
    first = await fetch(1)
    if first.pages <= 1:
        await on_page(first)
        return len(first.items)
    last = await fetch(first.pages)
    await on_page(last)
    number = first.pages - 1
    while number >= 1:
        pages = await _together(fetch, range(number, max(number - ahead, 0), -1))
        for page in pages:
            await on_page(page)
        number -= len(pages)
    return (first.pages - 1) * len(first.items) + len(last.items)


async def whole_listing(fetch: Fetch) -> Listing:
    """Everything that is listed, looked at until nothing can have been missed, or at most six times."""
    seen: dict[str, int] = {}

    async def note(page: Page[Task]) -> None:
        for task in page.items:
            seen[task.id] = max(task.revision_number, seen.get(task.id, 0))

    for _ in range(_TRIES):
        total = await backwards(fetch, note)
        if len(seen) >= total:
            return Listing(seen, complete=True)
    return Listing(seen, complete=False)


async def _together(fetch: Fetch, numbers: range) -> list[Page[Task]]:
    """Some pages at once, in the order of `numbers`; the first failure in that order is raised."""
    if len(numbers) == 1:
        return [await fetch(numbers[0])]
    results: dict[int, Page[Task] | Exception] = {}

    async def one(number: int) -> None:
        try:
            results[number] = await fetch(number)
        except Exception as error:
            results[number] = error

    async with anyio.create_task_group() as group:
        for number in numbers:
            group.start_soon(one, number)
    pages = []
    for number in numbers:
        result = results[number]
        if isinstance(result, Exception):
            raise result
        pages.append(result)
    return pages
