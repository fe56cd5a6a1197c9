"""What is understood of a body, and what is not: pure reading."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async.webhooks.changes import Change
from picoworkers_async.webhooks.postback import read_postback
from picoworkers_async.webhooks.refusals import NotTakenError
from tests.support.receiving import EXAMPLE, changed, envelope

TASKS = "tasks_submitted"
CHANGED = "job_status_changed"
DATE = "2026-05-01T10:00:00+00:00"


def read(body):
    return read_postback(body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        (EXAMPLE, [(job, task) for job, tasks in EXAMPLE.items() for task in tasks]),
        ({}, []),
        ([], []),
        ({"abc": []}, []),
        ({"abc": {}}, []),
        ({"abc": {"1": "a", "7": "b"}}, [("abc", "a"), ("abc", "b")]),
        ({"12": [34, "34", 34]}, [("12", "34")]),
        (envelope(TASKS, [{"job_id": "j", "task_ids": ["a", "b"]}]), [("j", "a"), ("j", "b")]),
        (envelope(TASKS, [{"job_id": 7, "task_ids": [8, "9"]}]), [("7", "8"), ("7", "9")]),
        (envelope(TASKS, {"0": {"job_id": "j", "task_ids": {"0": "a", "2": "b"}}}), [("j", "a"), ("j", "b")]),
        (envelope(TASKS, []), []),
        (envelope(TASKS, [{"job_id": "j", "task_ids": ["a"], "new": 1, "old": []}], date=None), [("j", "a")]),
        (envelope(TASKS, []) | {"more": {"of": [1]}, "version": 2}, []),
        (b'\xef\xbb\xbf{"j": ["a"]}', [("j", "a")]),
    ],
)  # fmt: skip
def test_submitted_tasks_are_understood_in_either_shape_and_in_phps_notation(body, ids) -> None:
    postback = read(body)
    assert (list(postback.ids), postback.changes, postback.problem) == (ids, (), None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([{"status": "paused", "date": "2026-05-01 10:00:00"}], [Change("j", "paused", DATE)]),
        ([{"status": "PAUSED", "date": "2026-05-01T12:00:00+02:00"}], [Change("j", "paused", DATE)]),
        ([{"status": "Brand New", "date": DATE}], [Change("j", "Brand New", DATE)]),
        ([{"status": "paused", "date": "soon"}], [Change("j", "paused", "soon")]),
        ([{"status": "paused", "date": 1777629600}], [Change("j", "paused", "1777629600")]),
        ([{"status": "paused"}], [Change("j", "paused", "")]),
        ([{"status": "paused", "date": "0000-00-00 00:00:00"}], [Change("j", "paused", "")]),
        ({"1": {"status": "paused", "date": DATE, "by": "x"}}, [Change("j", "paused", DATE)]),
        ([], []),
        ([{"status": s} for s in ("a", "b", "a")], [Change("j", s, "") for s in ("a", "b", "a")]),
        (
            [{"status": "paused", "date": DATE}, {"status": "running", "date": DATE}],
            [Change("j", "paused", DATE), Change("j", "running", DATE)],
        ),
    ],
)
def test_changes_of_jobs_are_understood_with_their_dates_in_one_notation(changes, expected) -> None:
    postback = read(envelope(CHANGED, [{"job_id": "j", "changes": changes}]))
    assert (list(postback.changes), postback.ids, postback.problem) == (expected, (), None)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (5, "the body is a number"),
        ([EXAMPLE], "the body is a list"),
        ({"type": "tasks", "items": ["a"]}, "the value of 'type' is a text"),
        ({"j": None}, "the value of 'j' is null"),
        ({"j": ["a", True]}, "True cannot be the id of a task"),
        ({"j": ["a", "../../etc/passwd"]}, "'../../etc/passwd' cannot be the id of a task"),
        ({"../jobs/x": ["a"], "j": ["a"]}, "'../jobs/x' cannot be the id of a job"),
        ({"j": ["a", "x" * 65]}, "cannot be the id of a task"),
        ({"j": ["a", 1.5]}, "cannot be the id of a task"),
        ({"j": ["a", "\ud800"]}, "cannot be the id of a task"),
        (envelope("gig_ordered", []), "event_type 'gig_ordered' is not known"),
        (envelope(None, []), "event_type null is not known"),
        ({"event": []}, "event_type null is not known"),
        ({"event_date": "x", "j": ["a"]}, "event_type null is not known"),
        ({"event_type": TASKS}, "event is null, not a list"),
        (envelope(TASKS, {"job_id": "j", "task_ids": []}), "event is an object, not a list"),
        (envelope(TASKS, ["j"]), "event[0] is a text, not an object"),
        (envelope(TASKS, [{"task_ids": ["a"]}]), "null cannot be the id of a job"),
        (envelope(TASKS, [{"job_id": "j"}]), "event[0].task_ids is null"),
        (envelope(TASKS, [{"job_id": "j", "task_ids": "a"}]), "event[0].task_ids is a text"),
        (envelope(TASKS, []) | {"abc123": ["t1"]}, "it has a list 'abc123', which is not known"),
        (envelope(TASKS, []) | {"abc123": {"0": "t1"}}, "it has a list 'abc123', which is not known"),
        (
            envelope(TASKS, [{"job_id": "j", "task_ids": ["a"], "changes": [{"status": "paused"}]}]),
            "event[0] has a list 'changes', which is not known",
        ),
        (
            envelope(CHANGED, [{"job_id": "j", "changes": [], "task_ids": ["a"]}]),
            "event[0] has a list 'task_ids', which is not known",
        ),
        (envelope(CHANGED, [{"job_id": "j"}]), "event[0].changes is null"),
        (envelope(CHANGED, [{"job_id": "j", "changes": ["paused"]}]), "event[0].changes[0]: it is a text"),
        (envelope(CHANGED, [{"job_id": "j", "changes": [{"date": DATE}]}]), "it has no status"),
        (changed("j", ("", DATE)), "it has no status"),
        (changed("j", ("a\nb", DATE)), "its status 'a\\nb' is not a printable text"),
        (changed("j", ("x" * 65, DATE)), "printable text"),
        (changed("j", ("\ud800", DATE)), "printable text"),
        (changed("j", ("paused", "x" * 65)), "its date"),
        (changed("j", ("paused", [])), "a list instead of a text"),
        (changed("../j", ("paused", DATE)), "'../j' cannot be the id of a job"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_named_where_it_stands(body, problem: str) -> None:
    postback = read(body)
    assert problem in (postback.problem or "")
    assert all(name.isascii() for one in postback.ids for name in one)


def test_what_is_understood_beside_what_is_not_is_given() -> None:
    postback = read({"j": ["a", None, "b"], "k": "c", "l": ["d"]})
    assert postback.ids == (("j", "a"), ("j", "b"), ("l", "d"))
    event = [{"job_id": "j", "changes": [{"status": ""}, {"status": "paused"}]}, 5]
    assert read(envelope(CHANGED, event)).changes == (Change("j", "paused", ""),)
    event = [
        {"job_id": "j", "task_ids": ["a"], "changes": [{"status": "paused"}]},
        {"job_id": "k", "task_ids": [1]},
    ]
    assert read(envelope(TASKS, event)).ids == (("j", "a"), ("k", "1"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\xff",
        b'{"j": NaN}',
        b"[" * 200_000,
        b'{"j": ["a"], "j": ["b"]}',
        b'{"event_type": "tasks_submitted", "event": [], "event": [{"job_id": "j", "task_ids": ["a"]}]}',
    ],
)
def test_what_is_no_json_or_says_one_thing_twice_is_not_understood(body: bytes) -> None:
    with pytest.raises(NotTakenError) as caught:
        read(body)
    assert caught.value.status == 422


MANY = list(range(100_000))


@pytest.mark.parametrize(
    "body",
    [
        {"j": MANY},
        envelope(TASKS, [{"job_id": "j", "task_ids": MANY}]),
        envelope(TASKS, [{"job_id": f"j{n}", "task_ids": list(range(20))} for n in range(5000)]),
        envelope(TASKS, [{"job_id": "j", "task_ids": []}] * 6000),
        envelope(CHANGED, [{"job_id": "j", "changes": [{"status": "x"}] * 100_000}]),
    ],
    ids=["jobs", "tasks", "spread", "entries", "changes"],
)
def test_more_than_is_taken_at_once_is_too_large(body) -> None:
    with pytest.raises(NotTakenError, match=r"50000|5000") as caught:
        read(body)
    assert caught.value.status == 413


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
)


@given(JSON | st.builds(envelope, st.sampled_from([TASKS, CHANGED]), JSON, JSON))
def test_whatever_json_comes_is_understood_or_has_a_problem(value) -> None:
    postback = read(value)
    assert all(name.isascii() and 0 < len(name) <= 64 for one in postback.ids for name in one)
    assert all(change.status.isprintable() and change.job_id for change in postback.changes)
    assert postback.problem is None or postback.problem.isprintable()
