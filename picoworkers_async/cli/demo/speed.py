"""The first part: the same rule on both services, in bulk and one by one, at the same pace."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import anyio
import attrs
from rich.table import Table
from rich.text import Text

from ... import Batch, Progress
from ...events import Event, RequestDone
from . import words
from .rule import decide
from .screen import Screen, table_of
from .services import LIMITS, Money, Part, Served, add_tasks, booked, client
from .sizes import Sizes

_TITLES = ("Sign up to ACME website", "Play a video", "Answer a survey")


@attrs.define
class Run:
    """A review of everything that waits on one service, as far as it is."""

    served: Served
    tasks: int
    reading: int = 0
    rating: int = 0
    batch: Batch | None = None
    last: Progress | None = None

    @property
    def name(self) -> str:
        """Its edition's."""
        return self.served.sandbox.edition.name

    def hear(self, event: Event) -> None:
        """Count the requests, by what they are for."""
        if isinstance(event, RequestDone):
            if event.call.startswith("jobs.rate"):
                self.rating += 1
            else:
                self.reading += 1

    def progress(self) -> Progress | None:
        """How far it is; None before it began."""
        return self.batch.progress() if self.batch is not None else self.last

    async def review(self, sizes: Sizes, pace_file: Path) -> None:
        """Ask the rule about every task, and rate."""
        pico = client(
            self.served.sandbox.edition,
            self.served.url,
            pace_file=pace_file,
            pace=sizes.pace,
            settle_after=sizes.settle_after,
            on_event=self.hear,
        )
        async with pico, pico.review(decide, limits=LIMITS) as batch:
            self.batch = batch
            await batch.report()
            self.batch, self.last = None, batch.progress()


async def show(
    screen: Screen, sproutgigs: Served, picoworkers: Served, sizes: Sizes, pace_file: Path
) -> list[Part]:
    """Rate on both at once, and show the difference."""
    screen.say(words.SPEED.format(pace=sizes.pace, few=sizes.few))
    runs = [Run(sproutgigs, sizes.tasks), Run(picoworkers, sizes.few)]
    jobs = [add_tasks(run.served.sandbox, _TITLES, run.tasks) for run in runs]
    async with (
        screen.watching(lambda: _table(runs, sizes), lambda: _line(runs)),
        anyio.create_task_group() as group,
    ):
        for run in runs:
            group.start_soon(run.review, sizes, pace_file)
    bulk, single = runs
    screen.say(
        words.SPEED_SAID.format(
            requests=bulk.reading + bulk.rating,
            reading=bulk.reading,
            rating=bulk.rating,
            tasks=sizes.tasks,
            few=sizes.few,
            seconds=_reckoned(single, bulk),
            minutes=sizes.tasks / 60,
        )
    )
    return [
        Part(f"1. {run.name}", _told(run.progress()), booked(run.served.sandbox, ids))
        for run, ids in zip(runs, jobs, strict=True)
    ]


def _told(progress: Progress | None) -> Money:
    if progress is None:
        return Money(0, Decimal(0), Decimal(0))
    return Money(progress.rated, progress.pay or Decimal(0), progress.bonus)


def _reckoned(single: Run, bulk: Run) -> float:
    """How many seconds the tasks of the bulk run take one by one, with as many requests that read."""
    progress, requests = single.progress(), single.reading + single.rating
    if progress is None or not single.rating:
        return 0.0
    return progress.seconds / requests * (bulk.tasks + bulk.reading)


def _table(runs: list[Run], sizes: Sizes) -> Table:
    bulk, single = runs
    reckoned = _reckoned(single, bulk)
    wholes = (
        f"{bulk.last.seconds:.1f}" if bulk.last is not None else "-",
        words.SPEED_RECKONED.format(reckoned) if reckoned else "-",
    )
    columns = [[*_column(run), whole] for run, whole in zip(runs, wholes, strict=True)]
    names = (*words.SPEED_ROWS, words.SPEED_WHOLE.format(sizes.tasks))
    rows = [(name, *values) for name, *values in zip(names, *columns, strict=True)]
    return table_of(("", *(run.name for run in runs)), rows, numbers=(1, 2))


def _column(run: Run) -> list[str | Text]:
    progress = run.progress()
    rated = progress.rated if progress else 0
    return [
        f"{run.tasks:,}",
        Text(f"{rated:,}", style="bold green" if rated == run.tasks else "bold"),
        f"{run.reading}",
        f"{run.rating}",
        f"{rated / run.rating:,.0f}" if run.rating and rated else "-",
        f"{progress.seconds if progress else 0.0:.1f}",
    ]


def _line(runs: list[Run]) -> str:
    told = []
    for run in runs:
        progress = run.progress()
        requests = run.reading + run.rating
        told.append(words.SPEED_LINE.format(run.name, progress.rated if progress else 0, run.tasks, requests))
    return "; ".join(told)
