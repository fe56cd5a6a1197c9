"""`compare`: check a sheet against what the service lists now, before rating by it."""

from __future__ import annotations

import os
from array import array
from contextlib import ExitStack
from typing import NamedTuple

import anyio.lowlevel
import attrs

from ..client import AsyncPicoworkers
from ..errors import RefusedError
from ..journal.places import Place, place_of
from ..journal.schema import UNSENT, key_of
from ..journal.steps import known
from ..journal.stores import is_there, reading
from ..listings.lookup import most_looked_up
from ..listings.sweep import SweepResult, sweep
from ..models import Page, Rating, Task
from ..throttle.queue import Priority
from .of_client import needs_async_client
from .reading import SheetRatings

MOST_HELD = 20_000
"""At most this many rows are read before their tasks are looked up, all of a job at once."""

_MOST_TOLD = 100
_UNINTERRUPTED = 500
_PAGES_AT_ONCE = 4


@attrs.frozen
class StaleRow:
    """A row that is out of date: its line, and the revision that waits in its place, if any."""

    line: int
    job_id: str
    task_id: str
    listed_revision: int | None


@attrs.frozen
class Comparison:
    """A sheet compared with what waits to be rated: `ratings` are those of the rows that are up to date.

    `changed` counts rows whose worker has handed in again since, `gone` those whose task no longer waits.
    Neither is in `ratings`; `rows` has the first 100 of them. `unread` counts rows that could not be checked,
    because the service does not show their job or not its whole listing: they stay in `ratings`.
    """

    ratings: SheetRatings
    changed: int
    gone: int
    unread: int
    rows: tuple[StaleRow, ...]


@needs_async_client
async def compare(
    pico: AsyncPicoworkers, ratings: SheetRatings, *, journal: str | os.PathLike[str] | None = None
) -> Comparison:
    """Leave out rows that are out of date. Only reads; nothing is rated.

    A rating is sent without its revision, because no call takes one, and the service rates what was handed in
    last. This finds the rows whose work was handed in again while the sheet was filled in, and those that
    somebody else has settled. It cannot see what happens between this and the rating. Rows of which the
    `journal` has something that was sent are not checked, and stay.

    On SproutGigs it asks for 400 tasks of a job at a time, by their ids: as many requests as these take pages.
    The 2022 edition cannot be asked by ids, so the listing of each job is read whole, once for every 20,000
    rows. It takes memory for those rows, the listing of one job without its proofs, and 8 bytes for each row
    that is left out.

    With the blocking client: `pico.call(sheets.compare, ratings)`.

    Raises what reading tasks raises, except for a job that is refused; `JournalError`; and `SheetChangedError`.
    """
    place = None if journal is None else place_of(journal)
    # A batch makes one where there is none.
    kept = None if place is None or not is_there(place) else place
    return await _Comparing(pico, ratings).run(kept)


class _Row(NamedTuple):
    line: int
    task_id: str
    revision: int | None


class _Comparing:
    """Rows that were not checked yet, by their jobs, and the results for the others."""

    def __init__(self, pico: AsyncPicoworkers, ratings: SheetRatings) -> None:
        self._pico = pico.with_options(priority=Priority.BATCH)
        self._most_ids = most_looked_up(pico.edition)
        self._ratings = ratings
        self._jobs: dict[str, list[_Row]] = {}
        self._held = 0
        self._lines = array("q")
        self._changed = self._gone = self._unread = 0
        self._told: list[StaleRow] = []

    async def run(self, journal: Place | None) -> Comparison:
        """Go through all rows."""
        count = 0
        with ExitStack() as stack:
            database = None if journal is None else stack.enter_context(reading(journal))
            for line, rating in self._ratings.numbered():
                count += 1
                if count % _UNINTERRUPTED == 0:
                    await anyio.lowlevel.checkpoint()
                key = key_of(rating)
                recorded = None if database is None else known(database, [key]).get(key)
                if recorded is None or recorded.state in UNSENT:
                    await self._add(line, rating)
            await self._look_all_up()
        self._told.sort(key=lambda row: row.line)
        rest = self._ratings.without(sorted(self._lines)) if self._lines else self._ratings
        return Comparison(rest, self._changed, self._gone, self._unread, tuple(self._told[:_MOST_TOLD]))

    async def _add(self, line: int, rating: Rating) -> None:
        rows = self._jobs.setdefault(rating.job_id, [])
        rows.append(_Row(line, rating.task_id, rating.revision_number))
        self._held += 1
        if len(rows) == self._most_ids:
            await self._look_up(rating.job_id, self._jobs.pop(rating.job_id))
        elif self._held >= MOST_HELD:
            await self._look_all_up()

    async def _look_all_up(self) -> None:
        while self._jobs:
            await self._look_up(*self._jobs.popitem())

    async def _look_up(self, job_id: str, rows: list[_Row]) -> None:
        self._held -= len(rows)
        try:
            listed = await self._read(job_id, [row.task_id for row in rows])
        except RefusedError:
            # The service says what is wrong with it to whoever rates by it.
            self._unread += len(rows)
            return
        for row in rows:
            task = listed.items.get(row.task_id)
            if task is None and listed.complete:
                self._gone += 1
                self._leave_out(job_id, row, None)
            elif task is None:
                self._unread += 1
            elif row.revision is not None and task.revision_number > row.revision:
                self._changed += 1
                self._leave_out(job_id, row, task.revision_number)

    def _leave_out(self, job_id: str, row: _Row, listed: int | None) -> None:
        self._lines.append(row.line)
        self._told.append(StaleRow(row.line, job_id, row.task_id, listed))
        if len(self._told) >= 2 * _MOST_TOLD:
            self._told.sort(key=lambda one: one.line)
            del self._told[_MOST_TOLD:]

    async def _read(self, job_id: str, task_ids: list[str]) -> SweepResult[Task]:
        asked = None if self._most_ids is None else task_ids

        async def fetch(number: int) -> Page[Task]:
            page = await self._pico.jobs.get_unrated_tasks(page=number, job_id=job_id, task_ids=asked)
            return attrs.evolve(page, items=tuple(_needed(task) for task in page.items))

        return await sweep(fetch, _PAGES_AT_ONCE)


def _needed(task: Task) -> Task:
    """What is needed of a task; its proofs would only take memory."""
    return Task(task.id, task.job_id, finished_at=task.finished_at, revision_number=task.revision_number)
