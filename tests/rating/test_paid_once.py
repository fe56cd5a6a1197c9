"""Paid once, by a service that lags, acts late, pays repeats, and answers what it did not do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import anyio
import attrs
import pytest

from picoworkers_async import (
    SPROUTGIGS,
    AsyncPicoworkers,
    AuthenticationError,
    Edition,
    Journal,
    Outcome,
    OutcomeStatus,
    Rating,
    RefusedError,
    Task,
    Throttle,
)
from picoworkers_async.journal.schema import Entry
from picoworkers_async.journal.writer import JournalWriter
from picoworkers_async.sandbox import Faults, Sandbox
from tests.support.judge import judge
from tests.support.seeding import RATING_CALLS, seeded

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


def times_paid(sandbox: Sandbox) -> Counter[int]:
    """How many tasks were rated how often."""
    return Counter(Counter((entry.task_id, entry.revision) for entry in sandbox.ledger).values())


CRUEL = {
    "lags": {"read_lag": 2.0, "faults": Faults(cut_after=0.4, cut_before=0.2, only=RATING_CALLS)},
    "lags now and then": {
        "read_lag": 9.0,
        "lag_share": 0.5,
        "faults": Faults(cut_after=0.4, cut_before=0.2, only=RATING_CALLS),
    },
    "acts late": {"faults": Faults(late=0.5, cut_before=0.2, late_seconds=1.5, only=RATING_CALLS)},
    "504, and acts late": {"faults": Faults(answer_late_504=0.5, late_seconds=3.0, only=RATING_CALLS)},
    "lags and acts late": {
        "read_lag": 4.0,
        "faults": Faults(late=0.5, cut_before=0.2, late_seconds=10.0, only=RATING_CALLS),
    },
    "says it did not": {"faults": Faults(error_json=0.5, only=RATING_CALLS)},
}


@pytest.mark.parametrize("pays_repeats", [False, True])
@pytest.mark.parametrize("cruelty", CRUEL)
async def test_a_batch_pays_everybody_once_and_says_so(
    connect, edition: Edition, cruelty: str, pays_repeats: bool
) -> None:
    sandbox, ratings = seeded(120, edition=edition, pays_repeats=pays_repeats, seed=3, **CRUEL[cruelty])
    async with connect(sandbox) as pico:
        report = await pico.rate_all(ratings)
    assert times_paid(sandbox) == {1: 120}
    assert (report.rated, report.failed, report.unknown) == (120, 0, 0)
    assert report.bonus == sandbox.bonus_paid == Decimal("12.00")


@pytest.mark.parametrize("pays_repeats", [False, True])
@pytest.mark.parametrize("cruelty", CRUEL)
async def test_a_review_pays_everybody_once_also_over_a_restart(
    connect, edition: Edition, cruelty: str, pays_repeats: bool, tmp_path: Path
) -> None:
    sandbox, _ = seeded(60, edition=edition, pays_repeats=pays_repeats, seed=5, **CRUEL[cruelty])
    async with connect(sandbox) as pico:
        async with pico.review(judge, journal=tmp_path / "ratings.db", grace=0) as outcomes:
            async for _ in outcomes:
                if len(sandbox.ledger) > 20:
                    break
        await pico.review_all(judge, journal=tmp_path / "ratings.db")
        sandbox.read_lag = 0.0
        await pico.review_all(judge, journal=tmp_path / "ratings.db")
    assert set(times_paid(sandbox)) == {1}
    assert sandbox.unrated() == []
    assert Journal(tmp_path / "ratings.db").bonus_paid() == sandbox.bonus_paid


async def test_a_task_that_something_else_rated_meanwhile_is_told_as_unknown(connect) -> None:
    faults = Faults(cut_before=1.0, only=RATING_CALLS)
    sandbox, (rating,) = seeded(1, edition=SPROUTGIGS, faults=faults)
    async with connect(sandbox) as pico, pico.rate([rating]) as outcomes:
        sandbox.faults = Faults()
        await pico.jobs.rate_single_task(Rating(rating.job_id, rating.task_id, "not_ok", comment="by hand"))
        sandbox.faults = faults
        (outcome,) = [outcome async for outcome in outcomes]
    assert outcome.status in (OutcomeStatus.UNKNOWN, OutcomeStatus.REFUSED)


async def test_a_rating_whose_task_was_sent_back_by_hand_is_not_sent_to_the_next_revision(
    connect, edition: Edition, tmp_path: Path
) -> None:
    """A decision is of one revision: after a restart it is checked against what is listed."""
    sandbox, (rating, other) = seeded(2, edition=edition)
    path = tmp_path / "ratings.db"
    async with connect(sandbox) as pico:
        writer = JournalWriter(Journal(path), account=pico._session.account, edition=edition.name)
        await writer.open()
        await writer.decide([Entry(rating), Entry(other)])
        await writer.aclose()
        await pico.jobs.rate_single_task(attrs.evolve(rating, verdict="revise", comment="?", bonus=None))
        sandbox.resubmit(rating.task_id)
        asked: list[tuple[str, int]] = []

        def decide(task: Task) -> Rating:
            asked.append((task.id, task.revision_number))
            return Rating.not_ok(task, "worse than before")

        await pico.review_all(decide, journal=path)
    assert asked == [(rating.task_id, 1)]
    assert sandbox.decisions()[rating.task_id, 1] == ("not_ok", Decimal(0))
    assert sandbox.decisions()[other.task_id, 0] == ("ok", Decimal("0.10"))


async def test_a_decision_without_a_revision_gets_that_of_its_task(
    connect, edition: Edition, tmp_path: Path
) -> None:
    sandbox, _ = seeded(3, edition=edition)
    path = tmp_path / "ratings.db"
    async with connect(sandbox) as pico:
        await pico.review_all(lambda task: Rating(str(task.job_id), task.id, "ok"), journal=path)
    assert [row.rating.revision_number for row in Journal(path).rows()] == [0, 0, 0]


async def test_left_early_a_batch_with_a_journal_sends_nothing_new(
    connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox, ratings = seeded(40, latency=0.01)
    send = JournalWriter.send
    async with connect(sandbox) as pico:
        async with pico.rate(ratings, journal=tmp_path / "ratings.db") as outcomes:
            async for _ in outcomes:
                break

            async def slowly(self: JournalWriter, noted: list[Entry]) -> object:
                with anyio.CancelScope(shield=True):
                    await anyio.sleep(5.0)
                return await send(self, noted)

            monkeypatch.setattr(JournalWriter, "send", slowly)
            await anyio.sleep(1.0)
            sent = len(sandbox.requests)
        await anyio.sleep(10.0)
    assert len(sandbox.requests) == sent


@pytest.mark.parametrize("why", ["credentials", "input"])
async def test_a_batch_that_fails_hands_out_all_it_learned_and_the_error_has_the_report(
    connect, edition: Edition, why: str
) -> None:
    sandbox, ratings = seeded(3000, edition=edition, latency=0.01)

    def given() -> Iterator[Rating]:
        for number, rating in enumerate(ratings):
            if number == 2500 and why == "input":
                raise ZeroDivisionError
            yield rating

    rated_so_far = iter(range(1, 10**6))

    def lock_out(sandbox: Sandbox) -> None:
        if next(rated_so_far) == 1000 and why == "credentials":
            sandbox._delivery.dispatch._authorization = "another"

    sandbox.after_each_rating(lock_out)

    told: list[Outcome] = []

    async def listen(pico: AsyncPicoworkers) -> None:
        async with pico.rate(given()) as outcomes:
            async for outcome in outcomes:
                told.append(outcome)  # noqa: PERF401

    async with connect(sandbox) as pico:
        with pytest.raises((ZeroDivisionError, AuthenticationError)) as caught:
            await listen(pico)
    rated = [outcome for outcome in told if outcome.status is OutcomeStatus.RATED]
    assert len(rated) == len(sandbox.ledger) > 0
    report = caught.value.report  # type: ignore[union-attr]
    assert report.rated == len(rated)
    assert report.total == len(told)
    assert report.bonus == sandbox.bonus_paid


@pytest.mark.parametrize("bad", [1, 2])
async def test_a_bulk_that_is_refused_whole_is_halved_until_what_it_is_refused_for_stands_alone(
    connect, bad: int
) -> None:
    sandbox, ratings = seeded(1000, edition=SPROUTGIGS)
    culprits = {rating.task_id for rating in ratings[333 : 333 + 500 * bad : 500]}
    sandbox.refuse_bulk_with = culprits
    async with connect(sandbox) as pico:
        report = await pico.rate_all(ratings)
    assert (report.rated, report.refused) == (1000 - len(culprits), len(culprits))
    refused = report.outcomes_by_status[OutcomeStatus.REFUSED]
    assert {outcome.rating.task_id for outcome in refused if outcome.rating} == culprits
    assert all(isinstance(outcome.error, RefusedError) for outcome in refused)
    assert len(sandbox.requests) <= 21 * bad


async def test_when_the_rated_tasks_cannot_be_read_what_the_unrated_showed_still_counts(connect) -> None:
    faults = Faults(cut_before=1.0, only={"rate_multiple_tasks", "get_rated_tasks"})
    sandbox, ratings = seeded(5, edition=SPROUTGIGS, faults=faults)
    async with connect(sandbox) as pico, pico.rate(ratings) as outcomes:
        await anyio.sleep(1.0)
        sandbox.faults = Faults(cut_before=1.0, only={"get_rated_tasks"})
        statuses = [outcome.status async for outcome in outcomes]
    assert statuses == [OutcomeStatus.RATED] * 5
    assert times_paid(sandbox) == {1: 5}


async def test_odd_fields_and_hostile_proofs_stop_no_review(connect, edition: Edition) -> None:
    sandbox, _ = seeded(60, edition=edition, odd_fields=1.0)

    def decide(task: Task) -> Rating:
        said = (task.proofs[0].text or "nothing") if task.proofs else "nothing"
        return Rating.not_ok(task, f"you wrote {said}")

    async with connect(sandbox) as pico:
        report = await pico.review_all(decide)
    assert report.total == 60
    assert report.rated + report.failed == 60
    for outcome in report.outcomes_by_status[OutcomeStatus.FAILED]:
        assert "comment" in str(outcome.message)
    assert len(sandbox.ledger) == report.rated


async def test_a_comment_that_cannot_be_encoded_fails_that_rating_by_name(connect, edition: Edition) -> None:
    sandbox, ratings = seeded(3, edition=edition)
    quoting = Rating(ratings[0].job_id, ratings[0].task_id, "not_ok", comment="you wrote \ud800")
    far = attrs.evolve(ratings[1], list_id=2**70)
    async with connect(sandbox) as pico:
        report = await pico.rate_all([quoting, far, ratings[2]])
    assert (report.rated, report.failed) == (1, 2)
    messages = [str(outcome.message) for outcome in report.outcomes_by_status[OutcomeStatus.FAILED]]
    assert "comment" in messages[0]
    assert "list_id" in messages[1]


async def test_pages_that_lie_end_no_review_early(connect, edition: Edition) -> None:
    sandbox, _ = seeded(60, edition=edition, page_lies=0.3, page_size=7, seed=2)
    async with connect(sandbox) as pico:
        await pico.review_all(Rating.ok)
        sandbox.page_lies = 0.0
        left = len(sandbox.unrated())
        await pico.review_all(Rating.ok)
    assert left == 0
    assert times_paid(sandbox) == {1: 60}


@pytest.mark.parametrize("concurrency", [1, 8])
async def test_the_same_rating_twice_in_one_input_is_sent_once_without_a_journal_too(
    connect, edition: Edition, concurrency: int
) -> None:
    sandbox, ratings = seeded(5, edition=edition, pays_repeats=True, latency=0.1)
    async with connect(sandbox, throttle=Throttle(concurrency)) as pico:
        report = await pico.rate_all([rating for rating in ratings for _ in range(3)])
    assert times_paid(sandbox) == {1: 5}
    assert (report.rated, report.failed) == (5, 10)


async def test_an_answer_that_is_lost_holds_up_nobody_else(connect, edition: Edition) -> None:
    sandbox, ratings = seeded(2000, edition=edition, faults=Faults(cut_after=1.0), latency=0.01)
    first = AsyncPicoworkers(
        "user_id", "api_secret", edition=edition, transport=sandbox.transport(), throttle=Throttle(4)
    )
    async with first as pico, pico.rate(ratings) as outcomes:
        await anyio.sleep(0.015)
        sandbox.faults = Faults()
        began = anyio.current_time()
        done = 0
        async for _ in outcomes:
            done += 1
            if anyio.current_time() - began > 20.0:
                break
    assert done >= 990 if edition is SPROUTGIGS else done >= 1900
