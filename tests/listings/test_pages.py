"""Walking a listing, page by page, read ahead."""

from __future__ import annotations

import anyio
import pytest

from picoworkers_async import NoAnswerError, Page, Task
from picoworkers_async.listings.pages import Pages, window

pytestmark = pytest.mark.anyio


class Listing:
    """A listing that can be changed while it is walked."""

    def __init__(self, pages: list[list[tuple[str, int]]]) -> None:
        self.pages = pages
        self.asked: list[int] = []
        self.under_way = self.most = 0
        self.failing: set[int] = set()

    async def fetch(self, number: int) -> Page[Task]:
        self.asked.append(number)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await anyio.lowlevel.checkpoint()
        self.under_way -= 1
        if number in self.failing:
            raise NoAnswerError("jobs.get_unrated_tasks", "no answer came")
        rows = self.pages[number - 1] if number <= len(self.pages) else []
        items = tuple(Task(name, revision_number=revision) for name, revision in rows)
        return Page(number, len(self.pages), items)

    def walk(self, ahead: int = 4) -> Pages[Task]:
        return Pages(self.fetch, lambda task: (task.id, task.revision_number), ahead)


def rows(*names: str) -> list[tuple[str, int]]:
    return [(name, 0) for name in names]


async def test_items_come_in_the_listings_order() -> None:
    listing = Listing([rows(f"a{n}", f"b{n}") for n in range(9)])
    expected = [name for n in range(9) for name in (f"a{n}", f"b{n}")]
    assert [task.id async for task in listing.walk()] == expected


async def test_pages_come_whole_and_in_order() -> None:
    listing = Listing([rows(str(n)) for n in range(6)])
    assert [page.current_page async for page in listing.walk().pages()] == [1, 2, 3, 4, 5, 6]


async def test_collect_gives_all_that_is_left() -> None:
    walk = Listing([rows("a", "b"), rows("c")]).walk()
    assert (await anext(walk)).id == "a"
    assert [task.id for task in await walk.collect()] == ["b", "c"]


async def test_an_empty_listing_has_no_items() -> None:
    assert await Listing([]).walk().collect() == []


async def test_a_bounded_number_of_pages_is_read_ahead() -> None:
    listing = Listing([rows(str(n)) for n in range(40)])
    await listing.walk(ahead=4).collect()
    assert listing.most == 4
    assert sorted(listing.asked) == list(range(1, 41))


async def test_whoever_stops_early_costs_few_pages() -> None:
    listing = Listing([rows(str(n)) for n in range(40)])
    async for task in listing.walk(ahead=8):
        if task.id == "1":
            break
    assert listing.asked == [1, 2]


async def test_the_same_id_and_revision_is_yielded_once_and_a_new_revision_again() -> None:
    listing = Listing([[("a", 0), ("b", 0)], [("b", 0), ("a", 1)]])
    walked = [(task.id, task.revision_number) async for task in listing.walk()]
    assert walked == [("a", 0), ("b", 0), ("a", 1)]


async def test_the_walk_ends_when_the_service_says_fewer_pages_than_before() -> None:
    listing = Listing([rows(str(n)) for n in range(9)])
    walk = listing.walk(ahead=1)
    assert (await anext(walk)).id == "0"
    del listing.pages[3:]
    assert [task.id for task in await walk.collect()] == ["1", "2"]


async def test_the_walk_goes_on_when_the_service_says_more_pages_than_before() -> None:
    listing = Listing([rows("0")])
    walk = listing.walk()
    listing.pages.append(rows("1"))
    assert [task.id for task in await walk.collect()] == ["0", "1"]


async def test_a_failure_comes_in_its_place_and_the_page_is_tried_again() -> None:
    listing = Listing([rows(str(n)) for n in range(8)])
    listing.failing = {5}
    walk = listing.walk()
    assert [(await anext(walk)).id for _ in range(4)] == ["0", "1", "2", "3"]
    with pytest.raises(NoAnswerError):
        await anext(walk)
    listing.failing = set()
    assert [task.id for task in await walk.collect()] == ["4", "5", "6", "7"]


async def test_being_cancelled_while_reading_ahead_loses_nothing() -> None:
    listing = Listing([rows(str(n)) for n in range(8)])
    walk = listing.walk()
    assert [(await anext(walk)).id for _ in range(2)] == ["0", "1"]
    with anyio.CancelScope() as scope:
        scope.cancel()
        await anext(walk)
    assert [task.id for task in await walk.collect()] == ["2", "3", "4", "5", "6", "7"]


@pytest.mark.parametrize(
    ("done", "last", "ahead", "pages"),
    [(0, 1, 8, [1]), (1, 9, 8, [2]), (2, 9, 8, [3, 4]), (4, 9, 3, [5, 6, 7]), (8, 9, 8, [9]), (0, 0, 8, [1])],
)
def test_the_window_grows_up_to_its_bound(done: int, last: int, ahead: int, pages: list[int]) -> None:
    assert list(window(done, last, ahead)) == pages
