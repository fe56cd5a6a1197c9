"""What goes to deciders and comes back, and what is made of anything else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from picoworkers_async import Job, Later, Rating, Task, TaskProof, __version__
from picoworkers_async.fleet import messages
from picoworkers_async.fleet.messages import (
    Lost,
    NotDecided,
    OtherVersionError,
    Question,
    encode,
    read_answer,
    read_decision,
    read_question,
    write_decision,
    write_question,
)
from tests.support.any_model import a_model, json_values

TASK = Task(
    "t1", "j1", finished_at=datetime(2024, 5, 1, tzinfo=UTC), proofs=(TaskProof("done"),), revision_number=2
)


def sent(message: object) -> object:
    return json.loads(encode(message))


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(a_model(Task), a_model(Job))
def test_a_task_and_its_job_arrive_as_they_were(task: Task, job: Job) -> None:
    question = Question(task, job, 3)
    assert read_question(sent(write_question(question, "shop")), "shop") == question


@pytest.mark.parametrize(
    "decision",
    [
        None,
        Later(5, "busy"),
        Rating.ok(TASK, "good", "thanks", bonus=Decimal("0.10")),
        Rating.revise(TASK, "more"),
        NotDecided("tried 3 times"),
    ],
)
def test_a_decision_arrives_as_it_was(decision) -> None:
    assert read_decision(sent(write_decision(decision))) == decision


@pytest.mark.parametrize(
    "message",
    [
        None,
        [],
        "ok",
        {},
        {"schema": 1},
        {"schema": 1, "gave": "rating"},
        {"schema": 1, "gave": "rating", "rating": {"task_id": "t1"}},
        {"schema": 1, "gave": "rating", "rating": {"job_id": "j", "task_id": "t", "verdict": "pay them"}},
        {"schema": 1, "gave": "later", "later": {"seconds": -1}},
        {"schema": 1, "gave": ["rating"]},
        {"schema": 99, "gave": "none"},
    ],
)
def test_what_is_no_decision_is_not_decided(message: object) -> None:
    assert isinstance(read_decision(message), NotDecided)


@given(st.one_of(st.text(), st.binary(), json_values.map(json.dumps)))
def test_no_record_of_whatever_kind_raises(record) -> None:
    assert isinstance(read_answer(record).decision, NotDecided)


def test_a_record_nested_without_end_is_not_decided() -> None:
    assert isinstance(read_answer("[" * 100_000).decision, NotDecided)


def test_the_engine_s_word_of_a_task_without_its_data_has_it_asked_again() -> None:
    record = {"s": False, "r": {"type": "StreaqError", "message": "Task expired!"}, "t": 1}
    assert read_answer(json.dumps(record)).decision == Lost()
    record["r"]["message"] = "Missing function decide!"
    assert "Missing function" in read_answer(json.dumps(record)).decision.message


def test_another_schema_is_told_with_both_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    message = write_question(Question(TASK, None, 3), "shop")
    monkeypatch.setattr(messages, "SCHEMA", 7)
    with pytest.raises(OtherVersionError, match=rf"{__version__} \(schema 1\), and this one .*schema 7"):
        read_question(message, "shop")


def test_a_field_that_this_version_does_not_know_is_another_version() -> None:
    message = write_question(Question(TASK, None, 3), "shop")
    message["task"]["mood"] = "fine"
    with pytest.raises(OtherVersionError, match="mood"):
        read_question(message, "shop")


@pytest.mark.parametrize(("field", "value"), [("name", "other"), ("tries", 0), ("tries", "3"), ("tries", True)])
def test_a_message_of_another_name_or_without_tries_is_refused(field: str, value: object) -> None:
    message = write_question(Question(TASK, None, 3), "shop") | {field: value}
    with pytest.raises(ValueError, match=r"named|tries"):
        read_question(message, "shop")
