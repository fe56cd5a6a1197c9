"""Looking at a whole listing while it moves: from its last page back to its first.

Rating a task takes it off the listing and moves everything behind it forward. Read from the back, those
moves only concern pages that were read already, so they hide nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

import anyio
import attrs

from ..models import Page, Task

Fetch = Callable[[int], Awaitable[Page[Task]]]
FetchSome = Callable[[Sequence[str], int], Awaitable[Page[Task]]]

_TRIES = 6


@attrs.frozen
class Listing:
    """What is waiting to be rated: the revision by task id, and whether that is certainly all of it.

    `rated` has the tasks that were asked for and are listed as rated; None if the edition does not list those.
    """

    revisions: dict[str, int]
    complete: bool
    rated: Mapping[str, Task] | None = None


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
    tasks, complete = await all_tasks(fetch)
    return Listing({task_id: task.revision_number for task_id, task in tasks.items()}, complete)


async def all_tasks(fetch: Fetch) -> tuple[dict[str, Task], bool]:
    """The tasks of a listing in their latest revision, and whether none can have been missed."""
    seen: dict[str, Task] = {}

    async def note(page: Page[Task]) -> None:
        for task in page.items:
            known = seen.get(task.id)
            if known is None or task.revision_number > known.revision_number:
                seen[task.id] = task

    for _ in range(_TRIES):
        total = await backwards(fetch, note)
        if len(seen) >= total:
            return seen, True
    return seen, False


async def look_up(unrated: FetchSome, rated: FetchSome, task_ids: Sequence[str], at_once: int) -> Listing:
    """These tasks of one job, asked for by their ids: which are unrated, and which of the others are rated."""
    revisions: dict[str, int] = {}
    gone: list[str] = []
    complete = True
    for start in range(0, len(task_ids), at_once):
        some = task_ids[start : start + at_once]
        listed, whole = await all_tasks(partial(unrated, some))
        complete = complete and whole
        revisions |= {task_id: task.revision_number for task_id, task in listed.items()}
        gone += [task_id for task_id in some if task_id not in listed]
    found: dict[str, Task] = {}
    for start in range(0, len(gone), at_once):
        listed, _ = await all_tasks(partial(rated, gone[start : start + at_once]))
        found |= listed
    return Listing(revisions, complete, found)


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
