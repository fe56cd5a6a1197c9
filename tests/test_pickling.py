"""Errors, models and reports go through pickle and copy: to other processes, in queues, into result stores."""

from __future__ import annotations

import copy
import inspect
import math
import multiprocessing
import pickle
import threading
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import picoworkers_async
from picoworkers_async import (
    SPROUTGIGS,
    AsyncPicoworkers,
    AuthenticationError,
    BatchReport,
    CallError,
    ClientStateError,
    ConflictError,
    Effect,
    Fate,
    GateTimeoutError,
    InvalidRequestError,
    InvalidResponseError,
    JournalBusyError,
    JournalDamagedError,
    JournalError,
    JournalFullError,
    JournalTakenError,
    JournalUnreachableError,
    Later,
    LimitError,
    MoneyCall,
    NoAnswerError,
    NotAJournalError,
    NotFoundError,
    NotSentError,
    Outcome,
    OutcomeStatus,
    OutcomeUnknownError,
    PacerError,
    PicoworkersError,
    Ping,
    Problem,
    ProblemCode,
    RateLimitedError,
    Rating,
    RefusedError,
    RetryPolicy,
    ServiceError,
    ServiceMovedError,
    Task,
    errors,
    events,
)
from picoworkers_async.credentials import credentials
from picoworkers_async.fleet import BrokerError, DeciderError
from picoworkers_async.sandbox import Faults, Sandbox
from picoworkers_async.sheets import SheetChangedError, SheetError
from picoworkers_async.webhooks import SubmittedError
from tests.support.any_model import a_model
from tests.support.vectors import DRAFT

SECRET = "do-not-show"
RATING = Rating.ok(Task("t1", "j1", revision_number=2), "good", bonus="0.10")
WAYS = {
    **{f"pickle {number}": number for number in range(pickle.HIGHEST_PROTOCOL + 1)},
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


def unknown() -> OutcomeUnknownError:
    reason = NoAnswerError("jobs.post_job", "no answer came (ReadError)", fate=Fate.UNKNOWN)
    error = OutcomeUnknownError("jobs.post_job", reason)
    before = {"job_ids": frozenset({"j1"}), "num_tasks": None, "spendable": Decimal("10.5"), "token": "ab"}
    error.sent = MoneyCall("post_job", {"title": "A job"}, datetime(2026, 1, 1, tzinfo=UTC), 1234.5, before)
    return error


MADE: dict[type[PicoworkersError], PicoworkersError] = {
    type(error): error
    for error in (
        PicoworkersError("something went wrong"),
        InvalidRequestError(
            "post_job", [Problem(("proofs", 0, "type"), "x\ud800", "one of these", ProblemCode.CHOICE)]
        ),
        LimitError("max_bonus", "0.50 is more than 0.25"),
        ClientStateError("jobs.get_job: nothing was sent, the client is closed"),
        CallError("jobs.get_job", "it failed", status=418, fate=Fate.PROCESSED),
        AuthenticationError("jobs.get_job", "not accepted", status=401),
        RefusedError("jobs.pause_job", "the job is over", status=200),
        NotFoundError("jobs.get_job", "no such job", status=404),
        RateLimitedError("jobs.get_jobs", 10.5),
        GateTimeoutError("jobs.get_jobs", 2.5, "the pace"),
        ServiceError("jobs.get_jobs", "HTTP 502", status=502, fate=Fate.UNKNOWN),
        InvalidResponseError("jobs.get_jobs", "HTML", excerpt="<html>", empty=True, status=200),
        ServiceMovedError("jobs.get_jobs", "/new", "example.com", status=301, fate=Fate.UNKNOWN),
        NotSentError("jobs.get_jobs", "never reached the service"),
        NoAnswerError("jobs.get_jobs", "no answer came", fate=Fate.UNKNOWN),
        unknown(),
        JournalError(Path("ratings.db"), "it is closed"),
        JournalBusyError("ratings.db", "another batch has it open"),
        JournalTakenError("postgresql://host/db", "another batch took it over"),
        JournalUnreachableError("postgresql://host/db", "its database cannot be reached"),
        JournalFullError("ratings.db", "the disk is full"),
        NotAJournalError("ratings.db", "it is a database of something else"),
        JournalDamagedError("ratings.db", "it is damaged"),
        ConflictError(RATING, Rating.not_ok(Task("t1", "j1", revision_number=2), "no proof")),
        PacerError("SqlitePacer: /nowhere cannot be written"),
        SubmittedError("postbacks tasks.db: it is damaged"),
        SheetError("sheet.csv", [Problem(("line", 5, "BONUS_AMOUNT"), "0,05", "0.05", ProblemCode.FORMAT)], 3),
        SheetChangedError("sheet.csv", 1000),
        BrokerError("broker 127.0.0.1:6379: the password is wrong", refused=True),
        DeciderError("tried 3 times; the last raised ValueError: no"),
    )
}


def travelled(value: Any, way: Any) -> Any:
    return way(value) if callable(way) else pickle.loads(pickle.dumps(value, way))


def attributes(error: PicoworkersError) -> dict[str, object]:
    """What an error says, with the errors in it as what they say, and calls without their clock."""
    found = {name: getattr(error, name) for name in {*vars(error), "fate"} if name != "report"}
    for name, value in found.items():
        if isinstance(value, PicoworkersError):
            found[name] = (type(value), str(value), attributes(value))
        elif isinstance(value, MoneyCall):
            found[name] = attrs.evolve(value, ended_at=0.0)
    return found


def kinds(kind: type[PicoworkersError]) -> set[type[PicoworkersError]]:
    below = {one for one in kind.__subclasses__() if one.__module__.startswith("picoworkers_async")}
    return {kind}.union(*map(kinds, below))


def test_every_error_there_is_was_made_here() -> None:
    exported = {one for one in vars(picoworkers_async).values() if inspect.isclass(one)}
    assert kinds(PicoworkersError) == set(MADE)
    assert {one for one in exported if issubclass(one, Exception)} <= set(MADE)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("error", MADE.values(), ids=lambda error: type(error).__name__)
def test_an_error_survives_with_its_class_text_fate_and_attributes(error: PicoworkersError, way: Any) -> None:
    there = travelled(error, way)
    assert there is not error
    assert type(there) is type(error)
    assert (str(there), repr(there), there.args) == (str(error), repr(error), error.args)
    assert there.fate is error.fate
    assert attributes(there) == attributes(error)


def test_notes_travel_and_the_report_stays_behind() -> None:
    error = JournalError("ratings.db", "it is closed")
    error.add_note("in the nightly run")
    error.report = threading.Lock()
    there = travelled(error, pickle.HIGHEST_PROTOCOL)
    assert there.__notes__ == error.__notes__
    assert there.__notes__[-1] == "in the nightly run"
    assert there.report is None
    assert error.report is not None


def raise_unknown() -> None:
    raise unknown() from ConnectionError("reset")


def test_an_error_raised_in_another_process_says_what_it_said_there() -> None:
    pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
    with pool, pytest.raises(OutcomeUnknownError) as caught:
        pool.submit(raise_unknown).result()
    assert attributes(caught.value) == attributes(unknown())


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.__name__)
def test_no_class_claims_that_nothing_was_processed_where_it_cannot_know(kind: type[PicoworkersError]) -> None:
    """Celery makes the nearest class that takes a text out of an error that it cannot pickle."""
    certain = {
        errors.InvalidRequestError,
        errors.LimitError,
        errors.ClientStateError,
        errors.ConflictError,
        errors.AuthenticationError,
        errors.RefusedError,
        SheetError,
        BrokerError,
        DeciderError,
        errors.NotFoundError,
        errors.RateLimitedError,
        errors.GateTimeoutError,
        errors.NotSentError,
        PacerError,
    }
    assert kind.fate is (Fate.NOT_PROCESSED if kind in certain else Fate.UNKNOWN)


@pytest.mark.parametrize("value", [threading.Lock(), lambda event: None, AsyncPicoworkers("u", SECRET)])
def test_a_problem_whose_value_cannot_be_pickled_still_says_what_it_was(value: object) -> None:
    error = InvalidRequestError("AsyncPicoworkers", [Problem("throttle", value, "a Throttle", ProblemCode.TYPE)])
    there = travelled(error, pickle.HIGHEST_PROTOCOL)
    assert str(there) == str(error)
    assert str(there.problems[0]) == str(error.problems[0])
    assert str(travelled(there, pickle.HIGHEST_PROTOCOL).problems[0]) == str(error.problems[0])
    assert SECRET.encode() not in pickle.dumps(error)


def test_the_client_and_its_credentials_go_into_no_pickle() -> None:
    pico = AsyncPicoworkers("user_id", SECRET)
    for way in WAYS.values():
        if way is not copy.copy:  # of a client, which options are given to like that
            with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
                travelled(pico, way)
        with pytest.raises(TypeError, match="credentials are not pickled"):
            travelled(credentials("user_id", SECRET), way)


class TwoTexts(Exception):
    """Pickles, and cannot be read back: its constructor takes something else than `args`."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_an_outcome_survives_whatever_decide_raised(way: Any) -> None:
    ours = Outcome(RATING, OutcomeStatus.UNKNOWN, "lost", unknown(), Task("t1", "j1"), replayed=True)
    there = travelled(ours, way)
    assert attributes(there.error) == attributes(unknown())
    assert attrs.evolve(there, error=None) == attrs.evolve(ours, error=None)
    yours = Outcome(None, OutcomeStatus.FAILED, "decide raised", TwoTexts("one", "two"), Task("t2", "j1"))
    there = travelled(yours, way)
    assert (type(there.error), str(there.error)) == (Exception, "TwoTexts: one and two")
    assert there.task == yours.task
    plain = travelled(attrs.evolve(yours, error=KeyError("name")), way)
    assert (type(plain.error), plain.error.args) == (KeyError, ("name",))


def models() -> list[type]:
    found = [*vars(picoworkers_async).values(), *vars(events).values()]
    skipped = {picoworkers_async.Edition, picoworkers_async.Pages, Problem, MoneyCall, Ping, events.OutcomeReached}
    return sorted(
        {one for one in found if inspect.isclass(one) and attrs.has(one)} - skipped, key=lambda one: one.__name__
    )


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
@given(data=st.data())
@settings(max_examples=5, suppress_health_check=list(HealthCheck))
def test_every_model_survives(model: type, data: st.DataObject) -> None:
    limited = {Later: st.just(Later(5.0, "asked")), RetryPolicy: st.just(RetryPolicy(3))}
    value = data.draw(limited[model] if model in limited else a_model(model))
    for way in (pickle.HIGHEST_PROTOCOL, copy.copy, copy.deepcopy):
        assert repr(travelled(value, way)) == repr(value)


async def rejected(task: Task) -> Rating:
    raise TwoTexts("t", "two")


@pytest.mark.anyio
async def test_the_report_of_a_batch_and_its_events_survive(connect) -> None:
    told: list[events.Event] = []
    sandbox = Sandbox()
    job = sandbox.add_job()
    sandbox.add_tasks(job, 2)
    async with connect(sandbox, on_event=told.append) as pico:
        report = await pico.review_all(rejected)
        pinged = await pico.ping()
    assert [repr(event) for event in travelled(told, pickle.HIGHEST_PROTOCOL)] == [
        repr(event).replace("TwoTexts('t and two')", "Exception('TwoTexts: t and two')") for event in told
    ]
    assert travelled(pinged, pickle.HIGHEST_PROTOCOL) == pinged
    there = travelled(report, pickle.HIGHEST_PROTOCOL)
    assert isinstance(there, BatchReport)
    assert str(there) == str(report)
    assert [len(kept) for kept in there.outcomes_by_status.values()] == [
        len(kept) for kept in report.outcomes_by_status.values()
    ]


@pytest.mark.anyio
@pytest.mark.virtual_time
@pytest.mark.parametrize(
    ("faults", "effect"), [(Faults(cut_after=1.0), Effect.TOOK_EFFECT), (Faults(cut_before=1.0), Effect.DID_NOT)]
)
async def test_an_error_from_a_pickle_is_settled_like_the_one_that_was_raised(connect, faults, effect) -> None:
    sandbox = Sandbox(edition=SPROUTGIGS)
    async with connect(sandbox) as pico:
        sandbox.faults = faults
        with pytest.raises(OutcomeUnknownError) as caught:
            await pico.jobs.post_job(DRAFT)
        sandbox.faults = Faults()
        there = travelled(caught.value, pickle.HIGHEST_PROTOCOL)
        assert there.sent.ended_at == math.inf
        assert (await pico.settle(there)).effect is effect
        if effect is Effect.TOOK_EFFECT:
            assert await pico.settle(there) == await pico.settle(caught.value)
