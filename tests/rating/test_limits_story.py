"""What is lost, late, refused or interrupted, over days and restarts: no limit is exceeded or kept for ever."""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import anyio
import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from picoworkers_async import (
    PICOWORKERS,
    SPROUTGIGS,
    AsyncPicoworkers,
    Edition,
    JournalError,
    Limits,
    Rating,
    Throttle,
)
from picoworkers_async.journal import writer
from picoworkers_async.rating import pipeline, spending
from picoworkers_async.sandbox import Faults, Sandbox
from tests.support.seeding import RATING_CALLS
from tests.support.virtual_time import run

pytestmark = pytest.mark.story

DAY = 86400.0
NOON = 1_772_366_400.0  # 2026-03-01, 12:00 UTC
TASKS = 14


@attrs.frozen
class Run:
    """One run of the batch: how it is disturbed, how it ends, and how many days later the next one begins."""

    faults: Faults
    ends: str
    after: int
    on_limit: str
    days: int


RUNS = st.lists(
    st.builds(
        Run,
        st.builds(
            Faults,
            cut_before=st.sampled_from([0.0, 0.3]),
            cut_after=st.sampled_from([0.0, 0.3]),
            late=st.sampled_from([0.0, 0.2]),
            too_many=st.sampled_from([0.0, 0.1]),
            only=st.just(RATING_CALLS),
        ),
        st.sampled_from(["by itself", "left", "stopped", "journal breaks"]),
        st.integers(0, 8),
        st.sampled_from(["stop", "leave"]),
        st.sampled_from([0, 0, 1]),
    ),
    min_size=1,
    max_size=5,
)
AMOUNTS = st.none() | st.sampled_from(["0.50", "1.00", "1.70"])
LIMITS = st.builds(
    Limits,
    tasks_per_day=st.none() | st.integers(1, 6),
    bonus_per_day=AMOUNTS,
    pay_per_day=AMOUNTS,
    total=st.none() | st.sampled_from(["1.10", "2.50"]),
)


class Clock:
    """The time of day. The threads of the journal read what the loop last did."""

    def __init__(self) -> None:
        self.days = 0
        self._began = anyio.current_time()
        self._last = NOON

    def time(self) -> float:
        with contextlib.suppress(anyio.NoEventLoopError):
            # What a run takes is small; a day ends between runs only.
            self._last = NOON + self.days * DAY + (anyio.current_time() - self._began) / 100
        return self._last


async def one_run(sandbox: Sandbox, edition: Edition, ratings: list[Rating], journal: Path, limits, a_run) -> None:
    sandbox.faults = a_run.faults
    commits = 0
    apply = writer.JournalWriter._apply

    def break_off(self, commit) -> None:
        nonlocal commits
        commits += 1
        if a_run.ends == "journal breaks" and commits > a_run.after + 1:
            commit.error = JournalError(self.path, "the disk is gone")
            return
        apply(self, commit)

    async with AsyncPicoworkers(
        "user_id",
        "api_secret",
        edition=edition,
        transport=sandbox.transport(),
        throttle=Throttle(3, cooldown=0.5),
        settle_after=2.0,
    ) as pico:
        with mock.patch.object(writer.JournalWriter, "_apply", break_off), contextlib.suppress(JournalError):
            async with pico.rate(
                ratings, journal=journal, limits=limits, on_limit=a_run.on_limit, grace=0.1
            ) as outcomes:
                number = 0
                async for _ in outcomes:
                    number += 1
                    if number > a_run.after and a_run.ends == "left":
                        break
                    if number > a_run.after and a_run.ends == "stopped":
                        outcomes.stop()
    # What the service does late, it does before the next run begins.
    await anyio.sleep(5)
    sandbox.catch_up()


async def story(edition: Edition, runs: list[Run], limits: Limits, directory: Path) -> None:
    clock = Clock()
    sandbox = Sandbox(edition=edition, balance=1000, seed=7, latency=0.01, page_size=5)
    job_id = sandbox.add_job(num_tasks=100, task_value="0.10")
    ratings = [
        Rating(job_id, task_id, "ok" if number % 3 else "not_ok", comment="no", bonus=Decimal(number % 5) / 10)
        for number, task_id in enumerate(sandbox.add_tasks(job_id, TASKS))
    ]
    by_day: dict[int, list[tuple[Decimal, Decimal]]] = defaultdict(list)

    def note(sandbox: Sandbox) -> None:
        entry = sandbox.ledger[-1]
        pay = Decimal("0.10") if entry.verdict == "ok" else Decimal(0)
        by_day[clock.days].append((Decimal(entry.bonus), pay))

    sandbox.after_each_rating(note)
    with contextlib.ExitStack() as patched:
        for module in (spending, pipeline, writer):
            patched.enter_context(mock.patch.object(module, "time", clock))
        calm = [Run(Faults(), "by itself", 0, "stop", 1)] * (TASKS + 3)
        for a_run in [*runs, *calm]:
            await one_run(sandbox, edition, ratings, directory / "ratings.db", limits, a_run)
            for of_day in by_day.values():
                assert limits.tasks_per_day is None or len(of_day) <= limits.tasks_per_day
                bonus, pay = sum(bonus for bonus, _ in of_day), sum(sum(both) for both in of_day)
                assert limits.bonus_per_day is None or bonus <= limits.bonus_per_day
                assert limits.pay_per_day is None or pay <= limits.pay_per_day
            spent = sum(sum(both) for of_day in by_day.values() for both in of_day)
            assert limits.total is None or spent <= limits.total
            clock.days += a_run.days
    assert max(Counter(entry.task_id for entry in sandbox.ledger).values(), default=1) == 1
    # Nothing is held for ever: only the total keeps a task from being rated, or a cap that it alone exceeds.
    left = set(sandbox.unrated())
    for rating in ratings:
        if rating.task_id not in left:
            continue
        cost = rating.bonus + (Decimal("0.10") if rating.verdict == "ok" else 0)
        over_a_day = (limits.bonus_per_day is not None and rating.bonus > limits.bonus_per_day) or (
            limits.pay_per_day is not None and cost > limits.pay_per_day
        )
        # With "stop", those behind the first that exceeds the total are not sent either.
        assert over_a_day or limits.total is not None


@given(st.sampled_from([PICOWORKERS, SPROUTGIGS]), RUNS, LIMITS)
@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
def test_no_interleaving_of_losses_crashes_and_days_exceeds_a_limit_or_reserves_for_ever(
    edition: Edition, runs: list[Run], limits: Limits
) -> None:
    with TemporaryDirectory() as directory:
        run(story, edition, runs, limits, Path(directory))
