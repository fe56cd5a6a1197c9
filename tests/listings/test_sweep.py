"""Sweeps: reading a listing while it moves, and knowing whether all of it was seen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from picoworkers_async import Page, Task
from picoworkers_async.listings.sweep import sweep

pytestmark = pytest.mark.anyio


class Listing:
    """Tasks in order on pages; before each read, whatever `before` does to them happens."""

    def __init__(self, count: int, size: int = 3, newest_first: bool = False) -> None:
        self.tasks = [Task(f"t{number}") for number in range(count)]
        self.size = size
        self.newest_first = newest_first
        self.read: list[int] = []
        self.before: Callable[[int], None] = lambda _: None
        self.lie: Callable[[Page[Task]], Page[Task]] = lambda page: page

    async def fetch(self, number: int) -> Page[Task]:
        self.before(number)
        self.read.append(number)
        tasks = self.tasks[::-1] if self.newest_first else self.tasks
        pages = max(1, -(-len(tasks) // self.size))
        items = tuple(tasks[(number - 1) * self.size : number * self.size])
        return self.lie(Page(number, pages, items))

    def once(self, at_page: int, change: Callable[[], object]) -> None:
        """Make the change just before this page is read for the first time after page 1."""
        done = []

        def before(number: int) -> None:
            if number == at_page and self.read and not done:
                done.append(True)
                change()

        self.before = before


async def look(listing: Listing) -> tuple[set[str], bool]:
    result = await sweep(listing.fetch)
    return set(result.items), result.complete


@pytest.mark.parametrize("count", [0, 1, 3, 4, 9, 10])
@pytest.mark.parametrize("newest_first", [False, True])
async def test_a_listing_that_holds_still_is_seen_whole_in_one_sweep(count: int, newest_first: bool) -> None:
    listing = Listing(count, newest_first=newest_first)
    seen, complete = await look(listing)
    assert complete
    assert seen == {task.id for task in listing.tasks}
    assert len(listing.read) == len(set(listing.read)) + (count > 3)


@pytest.mark.parametrize("newest_first", [False, True])
async def test_tasks_that_are_taken_off_meanwhile_hide_none_of_the_others(newest_first: bool) -> None:
    listing = Listing(12, newest_first=newest_first)
    gone = []

    def before(number: int) -> None:
        if 1 < number < 4 and len(listing.read) < 6:
            gone.append(listing.tasks.pop(0 if newest_first else -1))

    listing.before = before
    seen, complete = await look(listing)
    assert complete
    assert seen >= {task.id for task in listing.tasks}
    assert gone


async def test_arrivals_do_not_make_up_for_a_task_that_was_missed() -> None:
    listing = Listing(9, newest_first=True)
    # Something comes in at the front while page 2 is read: one task slips from page 2 to page 3, read already.
    listing.once(2, lambda: listing.tasks.append(Task("arrived")))
    seen, complete = await look(listing)
    assert complete
    assert seen >= {f"t{number}" for number in range(9)}
    assert len(listing.read) > 4


async def test_with_something_arriving_in_every_sweep_nothing_is_certain() -> None:
    listing = Listing(9, newest_first=True)

    def before(number: int) -> None:
        if number == 2:
            listing.tasks.append(Task(f"arrived{len(listing.read)}"))

    listing.before = before
    _, complete = await look(listing)
    assert not complete


async def test_what_was_handed_in_after_the_look_began_does_not_count() -> None:
    listing = Listing(6)
    listing.tasks[0] = Task("newer", finished_at=datetime.now(UTC) + timedelta(minutes=5))
    result = await sweep(listing.fetch)
    assert result.complete is False


@pytest.mark.parametrize(
    "lie",
    [
        lambda page: Page(page.current_page, page.pages, page.items, is_whole=False),
        lambda page: Page(1, page.pages, page.items) if page.current_page == 3 else page,
        lambda page: Page(page.current_page, page.pages, ()) if page.current_page == 2 else page,
        lambda page: Page(page.current_page, page.pages, ()) if page.current_page == 3 else page,
        lambda page: Page(page.current_page, page.pages, page.items[:-1]) if page.current_page == 2 else page,
        lambda page: Page(page.current_page, 0, (), is_whole=False),
    ],
    ids=[
        "says less than it must",
        "another page",
        "an empty page",
        "an empty last page",
        "a page cut short",
        "no pages",
    ],
)
async def test_pages_that_lie_make_no_look_complete(lie: Callable[[Page[Task]], Page[Task]]) -> None:
    listing = Listing(9)
    listing.lie = lie
    assert (await look(listing))[1] is False


async def test_a_listing_that_has_become_shorter_is_read_from_where_it_ends_now() -> None:
    listing = Listing(12)
    listing.once(4, lambda: listing.tasks.__delitem__(slice(6, None)))
    seen, complete = await look(listing)
    assert complete
    assert seen == {f"t{number}" for number in range(6)}


async def test_the_latest_revision_of_a_task_is_kept() -> None:
    listing = Listing(6)
    listing.tasks[5] = Task("t0", revision_number=2)
    result = await sweep(listing.fetch)
    assert result.items["t0"].revision_number == 2


async def test_pages_may_be_read_several_at_once_and_a_failure_is_raised() -> None:
    listing = Listing(30)
    assert (await sweep(listing.fetch, ahead=4)).complete

    def failing(fetch: Callable[[int], Awaitable[Page[Task]]]) -> Callable[[int], Awaitable[Page[Task]]]:
        async def one(number: int) -> Page[Task]:
            if number == 5:
                raise ZeroDivisionError
            return await fetch(number)

        return one

    with pytest.raises(ZeroDivisionError):
        await sweep(failing(listing.fetch), ahead=4)
