"""What the events of a client add to the metrics."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from picoworkers_async import AsyncPicoworkers, Edition, Limits, Rating, RetryPolicy, Throttle, events
from picoworkers_async.sandbox import Faults
from picoworkers_async.telemetry.http import DURATION_BUCKETS, target_of
from picoworkers_async.telemetry.rate import RateUsed
from picoworkers_async.telemetry.running import RunningBatches
from tests.support.seeding import RATING_CALLS, seeded
from tests.telemetry.conftest import Collected

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


async def test_requests_are_counted_by_endpoint_and_status_in_the_advised_buckets(
    connect, edition: Edition, collected: Collected
) -> None:
    sandbox, ratings = seeded(5, edition=edition, latency=0.25)
    async with connect(sandbox, on_event=collected.telemetry) as pico:
        await pico.rate_all(ratings)
    ((attributes, point),) = collected.metrics()["http.client.request.duration"]
    assert point.count == len(sandbox.requests)
    assert point.explicit_bounds == DURATION_BUCKETS
    assert point.sum == pytest.approx(0.25 * point.count)
    assert set(attributes) == {
        *("http.request.method", "http.response.status_code"),
        *("server.address", "server.port", "url.template"),
    }


async def test_outcomes_and_money_are_counted(connect, edition: Edition, collected: Collected) -> None:
    sandbox, ratings = seeded(6, edition=edition)
    limits = Limits(pay_per_day=100)
    again = Rating(ratings[0].job_id, "nowhere", "ok", revision_number=0)
    async with connect(sandbox, on_event=collected.telemetry) as pico:
        report = await pico.rate_all([*ratings, again], limits=limits)
        job = await pico.jobs.get_job(ratings[0].job_id)
    assert report.rated == 6
    assert collected.counts("picoworkers.rating.outcomes") == {("rated",): 6, ("refused",): 1}
    paid = collected.counts("picoworkers.paid")
    assert paid[("pay",)] == pytest.approx(float(6 * job.task_value))
    assert paid[("bonus",)] == pytest.approx(0.6)
    assert collected.counts("picoworkers.rating.unpriced") == {}


async def test_pay_that_nobody_read_is_not_made_up(connect, collected: Collected) -> None:
    sandbox, ratings = seeded(6)
    async with connect(sandbox, on_event=collected.telemetry) as pico:
        await pico.rate_all(ratings)
    assert set(collected.counts("picoworkers.paid")) == {("bonus",)}
    assert collected.counts("picoworkers.rating.unpriced") == {(): 6}


async def test_what_the_journal_tells_again_is_not_counted_again(
    connect, collected: Collected, tmp_path: Path
) -> None:
    sandbox, ratings = seeded(6)
    async with connect(sandbox, on_event=collected.telemetry) as pico:
        for _ in range(2):
            report = await pico.rate_all(ratings, journal=tmp_path / "journal.db")
    assert report.replayed == 6
    assert collected.counts("picoworkers.rating.outcomes") == {("rated",): 6}
    assert collected.counts("picoworkers.paid")[("bonus",)] == pytest.approx(0.6)


async def test_a_dry_run_pays_nothing(connect, collected: Collected) -> None:
    sandbox, ratings = seeded(6)
    async with connect(sandbox, on_event=collected.telemetry) as pico:
        await pico.rate_all(ratings, dry_run=True)
    assert collected.counts("picoworkers.rating.outcomes") == {("would_rate",): 6}
    assert collected.counts("picoworkers.paid") == {}


async def test_the_journal_tells_how_far_it_is_behind(connect, collected: Collected, tmp_path: Path) -> None:
    sandbox, ratings = seeded(6)
    async with connect(sandbox, on_event=collected.telemetry) as pico:
        await pico.rate_all(ratings, journal=tmp_path / "journal.db")
    ((_, point),) = collected.metrics()["picoworkers.journal.commit.duration"]
    assert point.count >= 2
    assert point.min > 0


async def test_lost_answers_are_counted_until_reading_has_settled_them(
    connect, edition: Edition, collected: Collected
) -> None:
    sandbox, ratings = seeded(20, edition=edition, faults=Faults(cut_after=1, only=RATING_CALLS), seed=3)
    async with connect(sandbox, on_event=collected.telemetry) as pico:
        await pico.rate_all(ratings)
    assert collected.counts("picoworkers.rating.lost") == {(): 20}
    assert collected.counts("picoworkers.rating.settled") == {("took effect",): 20}
    sent = [request for request in sandbox.requests if request.method == "POST"]
    assert collected.counts("picoworkers.call.unknown") == {(): len(sent)}


async def test_429s_and_the_pauses_after_them_are_counted(connect, collected: Collected) -> None:
    sandbox, _ = seeded(0, faults=Faults(too_many=1))
    throttle = Throttle(cooldown=10)
    once = RetryPolicy(attempts=1)
    async with connect(sandbox, on_event=collected.telemetry, throttle=throttle, retry=once) as pico:
        with pytest.raises(Exception, match="429"):
            await pico.users.get_balances()
    assert collected.counts("picoworkers.rate_limit.responses") == {(): 1}
    assert collected.counts("picoworkers.rate_limit.pause") == {(): 10}


async def test_waits_at_the_gate_are_a_histogram_by_call(connect, collected: Collected) -> None:
    sandbox, _ = seeded(0)
    async with connect(sandbox, on_event=collected.telemetry, throttle=Throttle(requests_per_second=1)) as pico:
        for _ in range(3):
            await pico.users.get_balances()
    ((attributes, point),) = collected.metrics()["picoworkers.gate.wait.duration"]
    assert attributes == {"picoworkers.call": "users.get_balances"}
    assert (point.count, round(point.sum)) == (3, 2)


async def test_the_pace_and_what_is_used_of_it_are_gauges(connect, collected: Collected) -> None:
    sandbox, ratings = seeded(5)
    throttle = Throttle(requests_per_second=5)
    async with connect(sandbox, on_event=collected.telemetry, throttle=throttle) as pico:
        await pico.rate_all(ratings)
    assert collected.counts("picoworkers.rate.permitted") == {(): 5}
    # Virtual time has hardly gone on by the clock of the gauge.
    assert collected.counts("picoworkers.rate.used") == {(): pytest.approx(1, rel=0.3)}


async def test_without_a_pace_there_are_no_such_gauges(connect, collected: Collected) -> None:
    sandbox, _ = seeded(0)
    async with connect(sandbox, on_event=collected.telemetry) as pico:
        await pico.users.get_balances()
    assert not {"picoworkers.rate.permitted", "picoworkers.rate.used"} & set(collected.metrics())


async def test_batches_that_run_and_their_listings_are_gauges(
    connect, edition: Edition, collected: Collected
) -> None:
    sandbox, _ = seeded(7, edition=edition)
    seen: list[dict] = []

    def decide(task) -> None:
        seen.append(collected.counts("picoworkers.batch.running"))

    async with connect(sandbox, on_event=collected.telemetry) as pico, pico.review(decide, follow=60) as batch:
        await anyio.sleep(30)
        assert collected.counts("picoworkers.batch.running") == {("review",): 1}
        assert collected.counts("picoworkers.listing.tasks") == {(): 7}
        assert 0 < collected.counts("picoworkers.listing.age")[()] < 60
        batch.stop()
        await batch.report()
        assert collected.counts("picoworkers.batch.running") == {}
        assert "picoworkers.listing.age" not in collected.metrics()
    assert seen == [{("review",): 1}] * 7
    assert collected.counts("picoworkers.batch.ended") == {("review", "stopped"): 1}


async def test_tasks_that_are_due_soon_are_counted(connect, collected: Collected) -> None:
    sandbox, _ = seeded(0)
    job_id = sandbox.add_job(ttr=1, num_tasks=10)
    sandbox.add_tasks(job_id, 2, finished_at=datetime.now(UTC) - timedelta(hours=20))

    def decide(task) -> None:
        return None

    client = connect(sandbox, on_event=collected.telemetry)
    async with client as pico, pico.review(decide, follow=60, due_within=86400):
        await anyio.sleep(30)
    assert collected.counts("picoworkers.task.due") == {(): 2}


async def test_limits_that_are_reached_are_counted_by_their_names(connect, collected: Collected) -> None:
    sandbox, ratings = seeded(3)
    async with connect(sandbox, on_event=collected.telemetry) as pico:
        await pico.rate_all(ratings, limits=Limits(tasks_per_day=1))
    assert collected.counts("picoworkers.limit.reached") == {("tasks_per_day",): 1}


async def test_two_subscribers_of_one_provider_count_together(collected: Collected) -> None:
    from picoworkers_async.telemetry import Telemetry

    other = Telemetry(tracer_provider=collected.tracers, meter_provider=collected.meters)
    sandbox, _ = seeded(0)
    for subscriber in (collected.telemetry, other):
        pico = AsyncPicoworkers("user_id", "api_secret", transport=sandbox.transport(), on_event=subscriber)
        async with pico:
            await pico.users.get_balances()
    ((_, point),) = collected.metrics()["http.client.request.duration"]
    assert point.count == 2


def test_the_share_of_the_rate_is_that_of_the_last_minute() -> None:
    now = 1000.0
    rate = RateUsed(lambda: now)
    assert rate.share() is None
    for second in range(120):
        now = 1000.0 + second
        rate.count(2.0)
    assert rate.share() == pytest.approx(0.5)
    now += 30
    assert rate.share() == pytest.approx(0.25)
    now += 60
    assert rate.share() == 0
    rate.count(None)
    assert rate.share() is None


def test_a_batch_is_away_from_an_outages_beginning_to_its_end() -> None:
    now = 0.0
    running = RunningBatches(lambda: now)
    running.tell(events.OutageBegan(error="outside of any batch"))
    running.began(events.BatchBegan(kind="review", journal=None, dry_run=False))
    running.tell(events.OutageBegan(error="away"))
    assert [batch.away for batch in running.all()] == [True]
    now = 600.0
    assert running.listing_age() == 600
    running.tell(events.OutageEnded(seconds=600))
    incomplete = events.LookDone(job_id=None, listed=3, fresh=3, complete=False, seconds=1)
    running.tell(incomplete)
    assert running.listing_age() == 600
    running.tell(events.LookDone(job_id=None, listed=3, fresh=3, complete=True, seconds=1))
    assert running.listing_age() == 0
    assert [(batch.away, batch.listed) for batch in running.all()] == [(False, 3)]
    running.ended()
    assert running.all() == []


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://a.example/api/jobs/get-job.php?job_id=1", ("a.example", 443, "/api/jobs/get-job.php")),
        ("http://127.0.0.1:8080/x.php", ("127.0.0.1", 8080, "/x.php")),
        ("http://[::1]/x.php", ("::1", 80, "/x.php")),
    ],
)
def test_where_a_request_went_is_read_off_its_address(url: str, target: tuple) -> None:
    event = events.RequestDone(call="c", method="GET", url=url, status=200, seconds=1, waited=0, attempt=1)
    assert target_of(event) == target
