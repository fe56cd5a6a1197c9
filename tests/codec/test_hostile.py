"""What is sent to hurt costs little, and is told as one error that callers know."""

from __future__ import annotations

import contextlib
import decimal
import json
import time
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from picoworkers_async import Rating, Task, codec, rules
from picoworkers_async.codec import values
from tests.support.vectors import DRAFT

GENEROUS_SECONDS = 2.0
"""Each of these would take minutes, or for ever, if a number were made of it."""

NUMBERS = ["1e1000000", "1e99999999999999999999", "-1e-999999999999", "1" * 100_000, "0." + "1" * 100_000, "0e777"]


def page_of(fields: str) -> bytes:
    return f'{{"current_page": 1, "pages": 1, "tasks": [{{"id": "t1", "job_id": "j1", {fields}}}]}}'.encode()


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("name", ["mood", "worker_id", "finished_at", "variables", "country_code"])
def test_a_number_of_absurd_size_is_kept_as_text_and_costs_no_page(number: str, name: str) -> None:
    started = time.monotonic()
    page = codec.read_tasks_page(codec.loads(page_of(f'"{name}": {number}')))
    assert time.monotonic() - started < GENEROUS_SECONDS
    (task,) = page.items
    assert number in (task.extra.get(name), getattr(task, name, None))


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_number_of_absurd_size_is_no_amount_count_or_boolean(number: str, quote: str) -> None:
    value = codec.loads(f"{quote}{number}{quote}".encode())
    started = time.monotonic()
    for read in (values.to_int, values.to_decimal, values.to_bool, values.to_datetime):
        with pytest.raises(codec.ShapeError):
            read(value)
    assert time.monotonic() - started < GENEROUS_SECONDS


@pytest.mark.parametrize("revision", NUMBERS)
def test_a_revision_of_absurd_size_is_an_error_that_callers_know(revision: str) -> None:
    with pytest.raises(codec.ShapeError, match="revision_number"):
        codec.read_tasks_page(codec.loads(page_of(f'"revision_number": {revision}')))


@pytest.mark.parametrize("raw", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000])
def test_depths_are_an_error_that_callers_know(raw: bytes) -> None:
    with pytest.raises(codec.ShapeError, match="nested too deeply"):
        codec.loads(raw)


@pytest.mark.parametrize(
    "moment",
    [
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "10000-01-01",
        "2021-13-01",
        "2021-01-01T00:00:00+99:99",
        "2021-01-01\ud800",
        "1" * 1_000_000,
    ],
)
def test_a_date_that_cannot_be_is_none_and_kept(moment: str) -> None:
    (task,) = codec.read_tasks_page(codec.loads(page_of(f'"finished_at": {json.dumps(moment)}'))).items
    assert task.finished_at is None
    assert task.extra == {"finished_at": moment}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
)
NAMES = st.sampled_from(
    ["id", "job_id", "tasks", "jobs", "ok", "message", "pages", "current_page", "url", "proofs"]
)
ANSWERS = JSON | st.dictionaries(NAMES, JSON | st.lists(st.dictionaries(NAMES, JSON)))
READERS = [
    codec.read_zones,
    codec.read_lists,
    codec.read_categories,
    codec.read_job,
    codec.read_jobs_page,
    codec.read_tasks_page,
    codec.read_balances,
    codec.read_ack,
    codec.read_posted_job,
    codec.read_predicted_position,
    codec.read_rating_acks,
    codec.refusal,
    codec.is_unauthorized,
    codec.says_ok,
]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANSWERS)
def test_no_reader_raises_anything_but_a_shape_error(data) -> None:
    for read in READERS:
        try:
            read(data)
        except codec.ShapeError as error:
            str(error).encode()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary() | st.text().map(str.encode))
def test_loading_raises_nothing_but_a_shape_error(raw: bytes) -> None:
    with contextlib.suppress(codec.ShapeError):
        codec.loads(raw)


def every_trap() -> decimal.Context:
    context = decimal.Context(prec=1)
    context.traps = dict.fromkeys(context.traps, True)
    return context


def test_the_callers_decimal_context_plays_no_part() -> None:
    job = (
        b'{"id": 1, "task_value": 12.3456, "num_tasks": "4030", "distribution": 33.0, "pause_after_approval": 1.0}'
    )
    for context in (every_trap(), decimal.Context(prec=1, traps=[])):
        with decimal.localcontext(context):
            read = codec.read_job(codec.loads(job))
            assert (str(read.task_value), read.num_tasks, read.distribution) == ("12.3456", 4030, 33)
            assert read.pause_after_approval is True
            assert codec.loads(b"1e99999999999999999999") == "1e99999999999999999999"
            rating = Rating.ok(Task("t1", "j1"), bonus="12.3456")
            assert rules.check_rating(rating) == []
            assert codec.encode(codec.write_rating(rating)).endswith(b'"task_bonus":12.3456}')
            assert [problem.field for problem in rules.check_rating(Rating.ok(Task("t", "j"), bonus="x"))] == [
                "bonus"
            ]
            assert Rating.ok(Task("t1", "j1"), bonus=0.1).bonus.as_tuple() == Decimal("0.1").as_tuple()
            cost = DRAFT.cost()
            assert str(cost.known) == "2.5"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("Task cannot be rated.", "Task cannot be rated."),
        ("żółć 日本　語", "żółć 日本　語"),
        ("a\nb\x1b[31m\x00", "a\\nb\\x1b[31m\\x00"),
        ("\ud800\u202e", "\\ud800\\u202e"),
        ("x" * 5000, "x" * 1000 + "..."),
    ],
)
def test_a_message_is_made_safe_to_store_and_to_log(text: str, safe: str) -> None:
    assert codec.printable(text) == safe


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters()))
def test_a_printable_text_can_be_encoded_and_is_short(text: str) -> None:
    assert len(codec.printable(text).encode()) <= 4 * 1003


def test_the_message_of_a_refusal_is_safe() -> None:
    assert codec.refusal({"ok": False, "message": "no\ud800\r\n"}) == "no\\ud800\\r\\n"
    assert codec.read_rating_acks({"tasks": [{"id": 1, "message": "\x07"}]})["1"].message == "\\x07"
