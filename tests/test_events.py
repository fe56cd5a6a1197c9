"""What happens is told, to `on_event` and to the log, and telling it harms nothing."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from decimal import Decimal

import anyio
import attrs
import pytest

from picoworkers_async import (
    AsyncPicoworkers,
    AuthenticationError,
    Edition,
    InvalidRequestError,
    OutcomeStatus,
    RateLimitedError,
    Rating,
    RetryPolicy,
    ServiceError,
    Throttle,
    events,
)
from picoworkers_async.event_log import _LINES, level_of, log
from picoworkers_async.sandbox import Faults, Sandbox
from tests.support.seeding import RATING_CALLS

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]

KINDS = [kind for kind in vars(events).values() if isinstance(kind, type) and hasattr(kind, "event")]
SECRET = "s3cret-of-the-account"


def seeded(tasks: int = 20, **options) -> Sandbox:
    sandbox = Sandbox(balance=10**6, **options)
    sandbox.add_tasks(sandbox.add_job(num_tasks=10**6), tasks)
    return sandbox


def of_kind(told: list[events.Event], kind: type) -> list:
    return [event for event in told if isinstance(event, kind)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_kind_has_a_constant_a_line_in_the_log_and_fields_that_a_record_can_carry(kind: type) -> None:
    constants = {value for name, value in vars(events).items() if name.isupper()}
    record = logging.LogRecord("name", logging.INFO, "path", 1, "message", (), None)
    record.message, record.asctime = "", ""
    fields = [field.name for field in attrs.fields(kind)]
    assert kind.event in constants
    assert not set(fields) & set(vars(record))
    assert _LINES[kind.event] % dict.fromkeys(fields, 1)


def test_each_constant_belongs_to_one_kind() -> None:
    constants = [value for name, value in vars(events).items() if name.isupper()]
    assert sorted(constants) == sorted(kind.event for kind in KINDS) == sorted(_LINES)


async def test_a_call_tells_what_it_took_and_what_it_waited(connect, edition: Edition) -> None:
    told: list[events.Event] = []
    sandbox = seeded(latency=0.25, edition=edition)
    async with connect(sandbox, on_event=told.append, throttle=Throttle(requests_per_second=1)) as pico:
        await pico.users.get_balances()
        await pico.users.get_balances()
    first, second = told
    assert isinstance(first, events.RequestDone)
    assert (first.call, first.status, first.attempt, first.error) == ("users.get_balances", 200, 1, None)
    assert (first.seconds, first.waited) == pytest.approx((0.25, 0))
    # The answer to the first took 0.25 s; it may have arrived as late.
    assert second.seconds == pytest.approx(0.25)
    assert 0.75 < second.waited < 1.05


async def test_each_attempt_is_told_with_its_number_and_what_went_wrong(connect) -> None:
    told: list[events.Event] = []
    sandbox = seeded(faults=Faults(html_503=1))
    async with connect(sandbox, on_event=told.append, retry=RetryPolicy(attempts=3, initial=0.001)) as pico:
        with pytest.raises(ServiceError):
            await pico.users.get_balances()
    assert [event.attempt for event in of_kind(told, events.RequestDone)] == [1, 2, 3]
    assert {event.status for event in of_kind(told, events.RequestDone)} == {503}
    assert all("503" in event.error for event in of_kind(told, events.RequestDone))


async def test_an_answer_that_never_came_is_told_without_a_status(connect, caplog) -> None:
    told: list[events.Event] = []
    sandbox = seeded(faults=Faults(cut_before=1))
    with caplog.at_level(logging.INFO, "picoworkers_async"):
        async with connect(sandbox, on_event=told.append, retry=RetryPolicy(attempts=1)) as pico:
            with pytest.raises(Exception, match="get_balances"):
                await pico.users.get_balances()
    (event,) = told
    assert event.status is None
    (record,) = caplog.records
    assert record.event == events.REQUEST_DONE
    assert record.getMessage() == event.error


async def test_a_429_is_told_with_the_pause_that_follows(connect, caplog) -> None:
    told: list[events.Event] = []
    sandbox = seeded(faults=Faults(too_many=1))
    throttle = Throttle(cooldown=10)
    async with connect(sandbox, on_event=told.append, throttle=throttle, retry=RetryPolicy(attempts=1)) as pico:
        with pytest.raises(Exception, match="429"):
            await pico.users.get_balances()
    (limited,) = of_kind(told, events.RateLimited)
    assert limited.seconds == 10
    (record,) = (record for record in caplog.records if record.levelno == logging.WARNING)
    assert record.event == events.RATE_LIMITED
    assert record.seconds == 10


async def test_a_pause_after_429s_is_told_once_however_many_requests_met_it(
    connect, edition: Edition, caplog
) -> None:
    told: list[events.Event] = []
    caplog.set_level(logging.INFO, "picoworkers_async")
    sandbox = seeded(edition=edition, latency=(0.1, 0.3), faults=Faults(too_many=1))
    async with (
        connect(
            sandbox, on_event=told.append, throttle=Throttle(cooldown=10), retry=RetryPolicy(attempts=2)
        ) as pico,
        anyio.create_task_group() as group,
    ):

        async def ask() -> None:
            with contextlib.suppress(RateLimitedError):
                await pico.users.get_balances()

        for _ in range(4):
            group.start_soon(ask)
    limited = of_kind(told, events.RateLimited)
    refused = [event for event in of_kind(told, events.RequestDone) if event.status == 429]
    assert len(refused) == 8
    # The four that met it together, and then each that went ahead alone.
    assert len(limited) == 1 + 4
    assert [record.event for record in caplog.records] == [events.RATE_LIMITED] * 5


async def test_a_batch_tells_its_beginning_its_outcomes_its_looks_and_its_end(connect, edition: Edition) -> None:
    told: list[events.Event] = []
    sandbox = seeded(20, edition=edition, page_size=7)
    async with connect(sandbox, on_event=told.append) as pico:
        report = await pico.review_all(lambda task: Rating.ok(task, bonus="0.01"))
    assert isinstance(told[0], events.BatchBegan)
    ended = told[-1]
    assert isinstance(ended, events.BatchEnded)
    assert (ended.rated, ended.bonus, ended.error, ended.stopped) == (20, Decimal("0.20"), None, False)
    assert ended.requests == len(sandbox.requests) == len(of_kind(told, events.RequestDone))
    outcomes = of_kind(told, events.OutcomeReached)
    assert {(event.job_id, event.task_id) for event in outcomes} == {
        (entry.job_id, entry.task_id) for entry in sandbox.ledger
    }
    assert Counter(event.status for event in outcomes) == {"rated": report.rated}
    assert of_kind(told, events.LookDone)[0].fresh == 20
    assert all(event.complete for event in of_kind(told, events.LookDone))


async def test_what_was_lost_is_told_when_it_is_parked_and_when_it_is_settled(connect, edition: Edition) -> None:
    told: list[events.Event] = []
    faults = Faults(cut_after=1, only=RATING_CALLS)
    sandbox = seeded(40, edition=edition, faults=faults, seed=3)
    async with connect(sandbox, on_event=told.append) as pico:
        report = await pico.rate_all([Rating(job, task, "ok") for job, task in _all(sandbox)])
    parked, settled = of_kind(told, events.UnknownParked), of_kind(told, events.UnknownSettled)
    assert report.rated == 40
    assert parked
    assert Counter(event.task_id for event in parked) == Counter(event.task_id for event in settled)


async def test_what_ends_a_batch_is_told(connect, caplog) -> None:
    told: list[events.Event] = []
    sandbox = seeded(api_secret="another")
    async with connect(sandbox, on_event=told.append) as pico:
        with pytest.raises(AuthenticationError):
            await pico.review_all(Rating.ok)
    assert told[-1].error.startswith("AuthenticationError: ")
    record = caplog.records[-1]
    assert (record.event, record.levelno) == (events.BATCH_ENDED, logging.WARNING)


async def test_an_observer_that_raises_is_logged_once_and_harms_nothing(connect, edition: Edition, caplog) -> None:
    def raises(event: events.Event) -> None:
        raise RuntimeError("the observer is broken")

    sandbox = seeded(30, edition=edition)
    async with connect(sandbox, on_event=raises) as pico:
        report = await pico.review_all(Rating.ok)
    assert report.rated == 30
    assert sandbox.double_ratings == 0
    assert caplog.text.count("RuntimeError: the observer is broken") == 1


async def test_an_operator_reads_of_a_batch_but_not_of_each_request(connect, edition: Edition, caplog) -> None:
    sandbox = seeded(30, edition=edition)
    with caplog.at_level(logging.INFO, "picoworkers_async"):
        async with connect(sandbox) as pico:
            await pico.review_all(Rating.ok)
    told = Counter(record.event for record in caplog.records)
    assert told == {events.BATCH_BEGAN: 1, events.LOOK_DONE: 1, events.BATCH_ENDED: 1}
    assert caplog.records[-1].rated == 30


async def test_a_debugger_reads_of_each_request(connect, edition: Edition, caplog) -> None:
    sandbox = seeded(30, edition=edition)
    with caplog.at_level(logging.DEBUG, "picoworkers_async"):
        async with connect(sandbox) as pico:
            await pico.review_all(Rating.ok)
    told = Counter(record.event for record in caplog.records if record.name == "picoworkers_async")
    assert told[events.REQUEST_DONE] == len(sandbox.requests)
    assert told[events.OUTCOME] == 30


async def test_nothing_is_made_up_when_nobody_listens(connect, edition: Edition, monkeypatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("an event was made though nobody listens")

    sandbox = seeded(30, edition=edition)
    monkeypatch.setattr(events.RequestDone, "__init__", never)
    monkeypatch.setattr(events.OutcomeReached, "__init__", never)
    logging.getLogger("picoworkers_async").setLevel(logging.INFO)
    try:
        async with connect(sandbox) as pico:
            assert (await pico.review_all(Rating.ok)).rated == 30
    finally:
        logging.getLogger("picoworkers_async").setLevel(logging.NOTSET)


@pytest.mark.parametrize("fault", ["html_200", "error_500_after", "cut_after", "error_json", "half_answer"])
async def test_no_event_holds_the_secret(fault: str, caplog) -> None:
    told: list[events.Event] = []
    caplog.set_level(logging.DEBUG, "picoworkers_async")
    sandbox = seeded(10, api_secret=SECRET, faults=Faults(**{fault: 0.6}), seed=1)
    pico = AsyncPicoworkers(
        "user_id",
        SECRET,
        transport=sandbox.transport(),
        on_event=told.append,
        retry=RetryPolicy(initial=0.001, maximum=0.01),
    )
    async with pico:
        report = await pico.review_all(lambda task: Rating.not_ok(task, f"echo {SECRET}"[:5]))
    assert report.total == 10
    assert told
    text = repr(told) + caplog.text + repr([vars(record) for record in caplog.records])
    assert SECRET not in text


async def test_an_observer_that_cannot_be_called_is_named_before_anything_is_sent() -> None:
    async def later(event: events.Event) -> None: ...

    for wrong in (later, "print"):
        with pytest.raises(InvalidRequestError, match="on_event"):
            AsyncPicoworkers("user_id", "api_secret", on_event=wrong)  # type: ignore[arg-type]


def test_levels_are_those_of_an_operator() -> None:
    request = events.RequestDone(call="c", method="GET", url="u", status=200, seconds=1, waited=0, attempt=1)
    lost = attrs.evolve(request, status=None, error="no answer")
    assert level_of(lost) == logging.INFO
    assert level_of(attrs.evolve(lost, status=200, error=None)) == logging.DEBUG
    assert level_of(events.OutageBegan(error="away")) == logging.WARNING
    assert level_of(events.OutageEnded(seconds=90)) == logging.WARNING
    assert level_of(events.LimitReached(limit="total", on_limit="stop")) == logging.WARNING
    outcome = events.OutcomeReached(
        job_id="j",
        task_id="t",
        revision_number=0,
        verdict="ok",
        status=OutcomeStatus.FAILED.value,
        bonus=Decimal(0),
        reason="why",
        replayed=False,
    )
    assert level_of(outcome) == logging.INFO
    assert level_of(attrs.evolve(outcome, status="rated")) == logging.DEBUG
    assert level_of(attrs.evolve(outcome, status="unknown")) == logging.WARNING


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (events.BatchBegan(kind="rate", journal=None, dry_run=False), "a batch began, without a journal"),
        (events.BatchBegan(kind="rate", journal="j.db", dry_run=False), "a batch began, journal j.db"),
        (events.BatchBegan(kind="rate", journal=None, dry_run=True), "a dry run began, without a journal"),
        (events.BatchBegan(kind="rate", journal="j.db", dry_run=True), "a dry run began, journal j.db"),
        (
            events.LimitReached(limit="tasks_per_day", on_limit="stop", allowed=4),
            "the limit tasks_per_day of 4 is reached: nothing more is sent, and the batch ends",
        ),
        (
            events.LimitReached(limit="pay_per_day", on_limit="wait", allowed=Decimal(4)),
            "the limit pay_per_day of 4 is reached: nothing is sent until the next day, or the balance, allows it",
        ),
        (
            events.LimitReached(limit="balance", on_limit="stop"),
            "the service refuses because the balance is too low: nothing is sent until it has grown",
        ),
        (
            events.UnknownSettled(
                job_id="j", task_id="t", revision_number=0, effect="did not take effect", reason="still listed"
            ),
            "task t of job j: the rating whose answer was lost did not take effect: still listed",
        ),
    ],
)
def test_a_line_says_what_follows(event: events.Event, line: str, caplog) -> None:
    with caplog.at_level(logging.DEBUG, "picoworkers_async"):
        log(event)
    assert caplog.messages == [line]


async def test_a_lost_answer_is_no_alarm_where_the_batch_looks_by_itself(
    connect, edition: Edition, caplog
) -> None:
    caplog.set_level(logging.INFO, "picoworkers_async")
    sandbox = seeded(3, edition=edition, faults=Faults(cut_after=1, only=RATING_CALLS))
    async with connect(sandbox) as pico:
        await pico.rate_all([Rating(job, task, "ok") for job, task in _all(sandbox)])
    assert "Do not repeat it" not in caplog.text
    assert "the answer to its rating was lost; reading will show whether it took effect" in caplog.text
    assert "the rating whose answer was lost took effect" in caplog.text


def _all(sandbox: Sandbox) -> list[tuple[str, str]]:
    return [(job_id, task_id) for job_id in sandbox.store.jobs for task_id in sandbox.unrated()]
