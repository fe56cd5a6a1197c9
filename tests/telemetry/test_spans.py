"""The spans that the events of a client make, and whose children they are."""

from __future__ import annotations

import time
from collections import Counter
from unittest import mock

import anyio
import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from picoworkers_async import (
    AsyncPicoworkers,
    AuthenticationError,
    Edition,
    GateTimeoutError,
    OutcomeUnknownError,
    Rating,
    RefusedError,
    RetryPolicy,
    Throttle,
)
from picoworkers_async.sandbox import Faults
from picoworkers_async.telemetry import batch_span
from tests.support.seeding import RATING_CALLS, seeded
from tests.telemetry.conftest import Collected

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


async def test_a_call_in_a_span_of_the_users_is_its_child(connect, edition: Edition, collected: Collected) -> None:
    sandbox, _ = seeded(0, edition=edition, latency=0.25)
    tracer = collected.tracers.get_tracer("mine")
    async with connect(sandbox, on_event=collected.telemetry) as pico:
        with tracer.start_as_current_span("mine") as mine:
            await pico.users.get_balances()
        await pico.users.get_balances()
    inside, _ = collected.spans("GET")
    assert collected.parents("GET") == [mine.get_span_context().span_id, None]
    assert (inside.end_time - inside.start_time) / 1e9 == pytest.approx(0.25)
    assert abs(inside.end_time - time.time_ns()) < 60e9


async def test_a_request_is_a_span_by_the_conventions_for_http_clients(
    connect, edition: Edition, collected: Collected
) -> None:
    sandbox, (rating,) = seeded(1, edition=edition)
    async with connect(sandbox, on_event=collected.telemetry) as pico:
        await pico.jobs.get_job(rating.job_id)
    (span,) = collected.spans()
    path = span.attributes["url.template"]
    assert (span.name, span.kind, span.status.status_code) == (f"GET {path}", SpanKind.CLIENT, StatusCode.UNSET)
    host = span.attributes["server.address"]
    assert dict(span.attributes) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "picoworkers.call": "jobs.get_job",
        "server.address": host,
        "server.port": 443,
        "url.full": f"https://{host}{path}?job_id={rating.job_id}",
        "url.template": path,
    }
    assert path.endswith("/get-job.php")


async def test_each_attempt_has_a_span_that_says_how_often_it_was_sent_before(
    connect, collected: Collected
) -> None:
    sandbox, _ = seeded(0, faults=Faults(html_503=1))
    retry = RetryPolicy(attempts=3, initial=0.001)
    async with connect(sandbox, on_event=collected.telemetry, retry=retry) as pico:
        with pytest.raises(Exception, match="503"):
            await pico.users.get_balances()
    spans = collected.spans("GET")
    assert [span.attributes.get("http.request.resend_count") for span in spans] == [None, 1, 2]
    assert {span.attributes["error.type"] for span in spans} == {"503"}
    assert {span.status.status_code for span in spans} == {StatusCode.ERROR}


async def test_a_refusal_a_429_and_a_lost_answer_say_what_they_are(connect, collected: Collected) -> None:
    sandbox, _ = seeded(0)
    once = {"on_event": collected.telemetry, "retry": RetryPolicy(attempts=1)}
    async with connect(sandbox, **once) as pico:
        with pytest.raises(RefusedError):
            await pico.jobs.get_job("nowhere")
    for faults in (Faults(too_many=1), Faults(cut_before=1)):
        sandbox, _ = seeded(0, faults=faults)
        async with connect(sandbox, **once) as pico:
            with pytest.raises(Exception, match="get_balances"):
                await pico.users.get_balances()
    spans = collected.spans("GET")
    kinds = [(one.attributes.get("http.response.status_code"), one.attributes["error.type"]) for one in spans]
    assert kinds == [(200, mock.ANY), (429, "429"), (None, "NoAnswerError")]
    assert kinds[0][1] in ("RefusedError", "NotFoundError")
    assert {span.status.status_code for span in spans} == {StatusCode.ERROR}


async def test_a_request_that_was_given_up_has_a_span(connect, collected: Collected) -> None:
    sandbox, _ = seeded(0, latency=60)
    async with connect(sandbox, on_event=collected.telemetry) as pico:
        with anyio.move_on_after(2):
            await pico.wallet.deposit(1000)
    (span,) = collected.spans("POST")
    assert collected.counts("picoworkers.call.unknown") == {(): 1}
    assert span.attributes["picoworkers.outcome_unknown"]
    assert span.attributes["error.type"] == "cancelled"
    assert (span.end_time - span.start_time) / 1e9 == pytest.approx(2)


async def test_a_wait_at_the_gate_is_a_span_before_the_requests(connect, collected: Collected) -> None:
    sandbox, _ = seeded(0)
    async with connect(sandbox, on_event=collected.telemetry, throttle=Throttle(requests_per_second=1)) as pico:
        await pico.users.get_balances()
        await pico.users.get_balances()
    (wait,) = collected.spans("picoworkers.gate.wait")
    assert 0.9 < (wait.end_time - wait.start_time) / 1e9 < 1.1
    assert wait.end_time == pytest.approx(collected.spans("GET")[1].start_time, abs=1e6)
    assert wait.attributes == {"picoworkers.call": "users.get_balances"}


async def test_a_call_whose_turn_did_not_come_leaves_the_span_of_its_wait(connect, collected: Collected) -> None:
    sandbox, _ = seeded(0)
    slow = Throttle(requests_per_second=0.1)
    async with connect(sandbox, on_event=collected.telemetry, throttle=slow, max_wait=2) as pico:
        await pico.users.get_balances()
        with pytest.raises(GateTimeoutError):
            await pico.users.get_balances()
    (wait,) = collected.spans("picoworkers.gate.wait")
    assert wait.attributes["error.type"] == "GateTimeoutError"
    assert (wait.end_time - wait.start_time) / 1e9 == pytest.approx(2)
    assert len(collected.spans("GET")) == 1
    assert collected.counts("picoworkers.gate.timeouts") == {(): 1}


async def test_requests_looks_and_decisions_of_a_batch_are_children_of_its_span(
    connect, edition: Edition, collected: Collected
) -> None:
    sandbox, _ = seeded(20, edition=edition)
    tracer = collected.tracers.get_tracer("mine")

    async def decide(task) -> Rating:
        with tracer.start_as_current_span("decide"):
            return Rating.ok(task, "good")

    async with connect(sandbox, on_event=collected.telemetry) as pico:
        with tracer.start_as_current_span("mine") as mine:
            await pico.review_all(decide)
            assert trace.get_current_span() is mine
        await pico.rate_all([])
    (review,) = collected.spans("picoworkers.review")
    assert collected.parents("picoworkers.r") == [mine.get_span_context().span_id, None]
    for name in ("POST", "GET", "picoworkers.look", "decide"):
        assert set(collected.parents(name)) == {review.context.span_id}
    assert len(collected.spans("decide")) == 20
    assert review.attributes["picoworkers.rated"] == 20
    assert review.attributes["picoworkers.requests"] == len(collected.spans("POST") + collected.spans("GET"))
    assert review.status.status_code is StatusCode.UNSET


async def test_two_batches_at_once_keep_their_children_apart(connect, collected: Collected) -> None:
    sandbox, ratings = seeded(20)
    async with connect(sandbox, on_event=collected.telemetry) as pico, anyio.create_task_group() as group:
        group.start_soon(pico.rate_all, ratings[:10])
        group.start_soon(pico.rate_all, ratings[10:])
    batches = {
        one.context.span_id: one.attributes["picoworkers.requests"] for one in collected.spans("picoworkers")
    }
    assert Counter(collected.parents("POST")) == batches == dict.fromkeys(batches, 10)
    assert len(batches) == 2


async def test_what_reads_after_a_lost_answer_is_under_the_span_of_settling(
    connect, edition: Edition, collected: Collected
) -> None:
    sandbox, ratings = seeded(20, edition=edition, faults=Faults(cut_after=1, only=RATING_CALLS), seed=3)
    async with connect(sandbox, on_event=collected.telemetry) as pico:
        report = await pico.rate_all(ratings)
    assert report.rated == 20
    (batch,) = collected.ids("picoworkers.rate")
    assert set(collected.parents("picoworkers.settle")) == {batch}
    assert set(collected.parents("POST")) == {batch}
    assert collected.parents("GET")
    assert set(collected.parents("GET")) <= set(collected.ids("picoworkers.settle"))
    assert all(span.attributes["picoworkers.outcome_unknown"] for span in collected.spans("POST"))


async def test_settling_a_single_call_is_a_span_with_its_reads_in_it(connect, collected: Collected) -> None:
    sandbox, (rating,) = seeded(1, faults=Faults(cut_after=1, only=RATING_CALLS))
    async with connect(sandbox, on_event=collected.telemetry) as pico:
        with pytest.raises(OutcomeUnknownError) as lost:
            await pico.jobs.rate_single_task(rating)
        await pico.settle(lost.value)
    (settling,) = collected.spans("picoworkers.settle")
    assert dict(settling.attributes) == {"picoworkers.call": "rate_single_task", "picoworkers.ratings": 1}
    assert set(collected.parents("GET")) == {settling.context.span_id}


async def test_a_decide_that_raises_fails_its_task_and_no_span(
    connect, edition: Edition, collected: Collected
) -> None:
    sandbox, _ = seeded(3, edition=edition)

    def decide(task) -> Rating:
        raise ValueError("words of mine")

    async with connect(sandbox, on_event=collected.telemetry) as pico:
        await pico.review_all(decide)
    (review,) = collected.spans("picoworkers.review")
    assert (review.attributes["picoworkers.failed"], review.status.status_code) == (3, StatusCode.UNSET)
    assert collected.counts("picoworkers.rating.outcomes") == {("failed",): 3}
    assert "words of mine" not in collected.everything()


async def test_the_span_of_a_batch_says_what_ended_it(connect, collected: Collected) -> None:
    sandbox, _ = seeded(3, api_secret="another")
    async with connect(sandbox, on_event=collected.telemetry) as pico:
        with pytest.raises(AuthenticationError):
            await pico.review_all(Rating.ok)
    (review,) = collected.spans("picoworkers.review")
    assert review.attributes["error.type"] == "AuthenticationError"
    assert review.status.status_code is StatusCode.ERROR
    assert collected.counts("picoworkers.batch.ended") == {("review", "failed"): 1}


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("it has no words")


async def test_a_batch_that_an_error_without_words_ends_ends_its_span_and_raises_it(
    connect, collected: Collected
) -> None:
    sandbox, ratings = seeded(1)

    def source():
        yield ratings[0]
        raise UnspeakableError

    async with connect(sandbox, on_event=collected.telemetry) as pico:
        with pytest.raises(UnspeakableError):
            await pico.rate_all(source())
    (batch,) = collected.spans("picoworkers.rate")
    assert batch.attributes["error.type"] == "UnspeakableError"
    assert collected.counts("picoworkers.batch.running") == {}


async def test_a_batch_that_lasts_goes_on_in_another_trace_that_is_linked_to_the_one_before(
    connect, collected: Collected, monkeypatch
) -> None:
    monkeypatch.setattr(batch_span, "PART_SECONDS", 0.0)
    sandbox, ratings = seeded(4)
    async with connect(sandbox, on_event=collected.telemetry, throttle=Throttle(2)) as pico:
        await pico.rate_all(ratings)
    parts = collected.spans("picoworkers.rate")
    assert [part.attributes.get("picoworkers.batch.part") for part in parts] == [None, 2, 3, 4, 5]
    assert len({part.context.trace_id for part in parts}) == 5
    ids = collected.ids("picoworkers.rate")
    assert [part.links[0].context.span_id for part in parts[1:]] == ids[:-1]
    assert collected.parents("POST") == ids[1:]
    assert parts[-1].attributes["picoworkers.rated"] == 4


def test_a_call_of_the_blocking_client_is_a_child_of_the_span_of_the_thread_that_calls(
    collected: Collected,
) -> None:
    from picoworkers_async.blocking import Picoworkers

    sandbox, ratings = seeded(3)
    tracer = collected.tracers.get_tracer("mine")
    client = Picoworkers("user_id", "api_secret", transport=sandbox.transport(), on_event=collected.telemetry)
    with client as pico, tracer.start_as_current_span("mine") as mine:
        pico.users.get_balances()
        pico.rate_all(ratings)
    assert collected.parents("GET") == collected.parents("picoworkers.rate") == [mine.get_span_context().span_id]


async def test_telemetry_of_the_global_providers_needs_none(connect) -> None:
    from picoworkers_async.telemetry import Telemetry

    sandbox, ratings = seeded(3)
    pico: AsyncPicoworkers = connect(sandbox, on_event=Telemetry())
    async with pico:
        assert (await pico.rate_all(ratings)).rated == 3
