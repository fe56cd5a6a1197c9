"""Every public model as JSON, and back."""

from __future__ import annotations

import enum
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import picoworkers_async
from picoworkers_async import (
    AsyncPicoworkers,
    BatchReport,
    Fate,
    InvalidRequestError,
    Job,
    Later,
    Outcome,
    OutcomeStatus,
    OutcomeUnknownError,
    Page,
    Ping,
    Problem,
    ProblemCode,
    Rating,
    RetryPolicy,
    Satisfaction,
    Task,
    Throttle,
    ThrottleState,
    Verdict,
    codec,
    events,
    json_converter,
    to_jsonable,
)
from picoworkers_async.credentials import Hidden
from tests.support.any_model import a_model, json_values

_PUBLIC = [getattr(picoworkers_async, name) for name in picoworkers_async.__all__]
_EVENTS = [kind for kind in vars(events).values() if isinstance(kind, type) and kind is not events.Event]
MODELS = [kind for kind in [*_PUBLIC, *_EVENTS] if isinstance(kind, type) and attrs.has(kind)]
WRITTEN_ONLY = {Outcome, BatchReport, Ping}
FITTING: dict[type, dict[str, st.SearchStrategy]] = {
    Later: {"seconds": st.floats(0, 1e9)},
    RetryPolicy: {
        "attempts": st.integers(1, 9),
        "initial": st.floats(0, 1e9),
        "maximum": st.floats(0, 1e9),
    },
    # The converters of these take a text for what it says.
    Rating: {"satisfaction": st.none() | st.sampled_from(Satisfaction)},
}


@cache
def strategy(model: type) -> st.SearchStrategy:
    kind: Any = Page[Job] if model is Page else model
    return a_model(kind, **FITTING.get(model, {}))


def as_sent(value: object) -> Any:
    """What comes out at the other end, by a writer as strict as that of web frameworks."""
    return json.loads(json.dumps(to_jsonable(value), allow_nan=False, ensure_ascii=False).encode())


def test_the_public_models_are_found() -> None:
    assert {Job, Task, Rating, Outcome, BatchReport, events.RequestDone, Problem} <= set(MODELS)
    assert len(MODELS) > 40


def test_every_public_class_is_a_model_or_one_that_does_something() -> None:
    others = {
        kind.__name__
        for kind in _PUBLIC
        if isinstance(kind, type) and not attrs.has(kind) and not issubclass(kind, enum.Enum | Exception)
    }
    assert others == {
        "AsyncPicoworkers",
        "Batch",
        "Journal",
        "Pacer",
        "Pages",
        "RedisPacer",
        "SharedTransport",
        "SqlitePacer",
        "Throttle",
    }


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_public_model_is_written_as_json_and_read_back(model: type, data: st.DataObject) -> None:
    made = data.draw(strategy(model))
    sent = as_sent(made)
    kind: Any = Page[Job] if model is Page else model
    if model in WRITTEN_ONLY:
        assert set(sent) == {str(field.alias) for field in attrs.fields(model)}
        with pytest.raises(TypeError, match="cannot be read from plain values"):
            json_converter().structure(sent, kind)
        return
    assert json_converter().structure(sent, kind) == made
    assert json_converter().loads(json_converter().dumps(made), kind) == made


def test_a_task_a_rating_and_an_outcome_look_like_this() -> None:
    task = Task("t1", "j1", finished_at=datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC), revision_number=2)
    assert as_sent(task) == {
        "id": "t1",
        "job_id": "j1",
        "worker_id": None,
        "finished_at": "2026-05-04T03:02:01+00:00",
        "ip_address": None,
        "country_code": None,
        "revision_number": 2,
        "variables": {},
        "proofs": [],
        "status": None,
        "previous_proofs": [],
        "extra": {},
    }
    rating = Rating.ok(task, "good", bonus=0.10)
    assert as_sent(rating) == {
        "job_id": "j1",
        "task_id": "t1",
        "verdict": "ok",
        "satisfaction": "good",
        "comment": None,
        "list_id": None,
        "block_worker": None,
        "bonus": "0.1",
        "revision_number": 2,
        "worker_id": None,
    }
    error = OutcomeUnknownError("jobs.rate_single_task", ValueError("lost"))
    outcome = as_sent(Outcome(rating, OutcomeStatus.UNKNOWN, "lost", error))
    assert outcome["status"] == "unknown"
    assert outcome["error"] == {
        "type": "OutcomeUnknownError",
        "message": str(error),
        "fate": Fate.UNKNOWN.value,
    }


def test_an_event_is_written_with_its_name_and_read_back_only_as_what_it_is() -> None:
    sent = as_sent(events.OutageEnded(seconds=5.0))
    assert sent == {"event": "outage_ended", "seconds": 5.0}
    assert json_converter().structure(sent, events.OutageEnded) == events.OutageEnded(seconds=5.0)
    with pytest.raises(InvalidRequestError, match="event='outage_ended': 'outage_began'"):
        json_converter().structure(sent, events.OutageBegan)


def test_errors_and_their_problems_are_written() -> None:
    problem = Problem(("proofs", 0, "type"), Hidden(), "one of text, screenshot", ProblemCode.CHOICE)
    error = InvalidRequestError("post_job", [problem])
    assert as_sent(error)["fate"] == "certainly not processed"
    assert as_sent(error.problems) == [
        {
            "path": ["proofs", 0, "type"],
            "value": "(hidden)",
            "limit": "one of text, screenshot",
            "code": "choice",
        }
    ]
    assert as_sent(KeyError("x")) == {"type": "KeyError", "message": "'x'", "fate": None}


class Broken(Exception):
    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__


ENDLESS: list = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("\ud800 ü", "\\ud800 ü"),
        ({"\ud800": 1, Verdict.OK: 2, 3: 4, None: 5}, {"\\ud800": 1, "ok": 2, "3": 4, "None": 5}),
        (2**63 - 1, 2**63 - 1),
        (2**63, "9223372036854775808"),
        (10**5000, "(int)"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (Decimal("1E+999999"), "1E+999999"),
        (Decimal("NaN"), "NaN"),
        (Decimal("0.10"), "0.10"),
        (codec.HugeNumber("1" * 50), "1" * 50),
        (datetime(2026, 5, 4, 3, 2, 1), "2026-05-04T03:02:01+00:00"),
        (date(2026, 5, 4), "2026-05-04"),
        (timedelta(minutes=1.5), 90.0),
        (Path("/tmp/ratings.db"), "/tmp/ratings.db"),
        ({3, 1, 2}, [1, 2, 3]),
        (b"x", "b'x'"),
        (Broken(), {"type": "Broken", "message": "(Broken)", "fate": None}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_json_cannot_carry_becomes_a_text(value: object, sent: object) -> None:
    assert as_sent(value) == sent


def test_what_is_nested_without_end_is_cut() -> None:
    assert as_sent(ENDLESS)
    assert as_sent(Job("j", extra={"deep": json.loads("[" * 900 + "]" * 900)}))


@settings(max_examples=50, deadline=None)
@given(st.text() | st.dictionaries(st.text(), st.text() | json_values, max_size=3))
def test_whatever_words_the_service_sends_can_be_written(value: Any) -> None:
    assert as_sent(Job("j", title=value, extra={"x": value})) is not None


def test_the_secret_is_in_no_value_that_is_written() -> None:
    pico = AsyncPicoworkers("user", "hush-hush-secret")
    assert "hush" not in json.dumps(to_jsonable([pico, pico.edition]))


@attrs.frozen
class Order:
    """A class of a program of its own."""

    job: Job
    price: Decimal
    at: datetime
    tasks: list[Task]


def test_a_class_of_your_own_may_hold_models() -> None:
    converter = json_converter()
    order = Order(Job("j", task_value=Decimal("0.10")), Decimal("3.325"), datetime.now(UTC), [Task("t", "j")])
    assert converter.loads(converter.dumps(order), Order) == order
    assert converter.unstructure(order)["price"] == "3.325"


def test_a_model_that_does_not_fit_is_refused_with_every_problem() -> None:
    sent = {"job_id": "j", "verdict": "well", "bonus": "much", "blocked": True}
    with pytest.raises(InvalidRequestError) as caught:
        json_converter().structure(sent, Rating)
    assert {(problem.field, problem.code) for problem in caught.value.problems} == {
        ("verdict", "choice"),
        ("bonus", "format"),
        ("blocked", "unknown"),
        ("task_id", "required"),
    }


@pytest.mark.parametrize("moment", ["2026-05-04T03:02:01", "yesterday", 1777863721])
def test_a_time_is_read_with_its_offset_or_not_at_all(moment: object) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        json_converter().structure({"id": "t", "finished_at": moment}, Task)
    assert [problem.field for problem in caught.value.problems] == ["finished_at"]


def test_what_a_model_refuses_by_itself_is_told_by_whoever_reads_it() -> None:
    with pytest.raises(InvalidRequestError, match="reading a RetryPolicy: ") as caught:
        json_converter().structure({"attempts": 0}, RetryPolicy)
    assert [problem.path for problem in caught.value.problems] == [("attempts",)]


def test_callers_who_wait_are_counted_under_the_names_of_their_priorities_and_read_back() -> None:
    state = Throttle(requests_per_second=10).state()
    plain = to_jsonable(state)
    assert plain["waiting"] == {"interactive": 0, "batch": 0}
    assert json_converter().structure(json.loads(json.dumps(plain)), ThrottleState) == state
