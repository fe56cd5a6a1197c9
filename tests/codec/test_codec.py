"""Reading what a service with PHP behind it sends, and writing only what the document knows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import quote

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async import JobStatus, ProofType, Rating, Task, codec
from tests.support.vectors import DRAFT


def read_task(**fields):
    page = {"current_page": 1, "pages": 1, "tasks": [{"id": "t1", "job_id": "j1", **fields}]}
    return codec.read_tasks_page(codec.loads(json.dumps(page).encode())).items[0]


def read_job(**fields):
    return codec.read_job(codec.loads(json.dumps({"id": "j1", **fields}).encode()))


def test_added_fields_are_kept_apart() -> None:
    task = read_task(mood="good", proofs=[{"text": "x", "url": "y"}])
    assert task.extra == {"mood": "good"}
    assert task.proofs[0].extra == {"url": "y"}


def test_missing_and_null_fields_are_none_or_empty() -> None:
    assert read_task() == Task("t1", "j1")
    assert read_task(worker_id=None, revision_number=None, proofs=None, variables=None) == Task("t1", "j1")


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("RUNNING", JobStatus.RUNNING),
        ("Pending_Review", JobStatus.PENDING_REVIEW),
        ("on_fire", "on_fire"),
        ("", None),
        (None, None),
    ],
)
def test_a_status_matches_in_any_letter_case_and_an_unknown_one_passes_through(sent, read) -> None:
    assert read_job(status=sent).status == read
    assert type(read_job(status=sent).status) is type(read)


@pytest.mark.parametrize(
    ("sent", "read"), [([], {}), ({"a": "b"}, {"a": "b"}), ([{"name": "a"}], ({"name": "a"},)), (None, {})]
)
def test_variables_come_as_phps_empty_object_an_object_or_a_list(sent, read) -> None:
    assert read_task(variables=sent).variables == read


def test_a_list_that_php_wrote_as_an_object_is_a_list() -> None:
    assert [p.text for p in read_task(proofs={"0": {"text": "a"}, "2": {"text": "b"}}).proofs] == ["a", "b"]


def test_numbers_come_in_strings_and_strings_as_numbers() -> None:
    job = read_job(id=12, num_tasks="4030", tasks_done=5.0, task_value="0.060", pause_after_approval="1")
    assert (job.id, job.num_tasks, job.tasks_done) == ("12", 4030, 5)
    assert str(job.task_value) == "0.060"
    assert job.pause_after_approval is True


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("2021-11-01T17:04:45Z", datetime(2021, 11, 1, 17, 4, 45, tzinfo=UTC)),
        ("2021-11-01 17:04:45", datetime(2021, 11, 1, 17, 4, 45, tzinfo=UTC)),
        ("2021-11-01T19:04:45+02:00", datetime(2021, 11, 1, 17, 4, 45, tzinfo=UTC)),
        ("0000-00-00 00:00:00", None),
        ("", None),
        (None, None),
    ],
)
def test_times_are_aware_whichever_way_they_are_written(sent, read) -> None:
    assert read_task(finished_at=sent).finished_at == read


def test_money_is_exact() -> None:
    balances = codec.read_balances(codec.loads(b'{"earned": 0.06, "spendable": "3.3482"}'))
    assert (balances.earned, balances.spendable) == (Decimal("0.06"), Decimal("3.3482"))


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"<html>", "not JSON"),
        (b'{"current_page": 1, "pages": 1, "tasks": [{"id"', "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"tasks": NaN}', "NaN is not JSON"),
        (b'{"pages": 1}', "lacks 'tasks'"),
        (b'{"tasks": 5}', "tasks is a number, not a list"),
        (b"5", "the page is a number, not an object"),
        (b'{"tasks": [{"job_id": "j"}]}', r"tasks\[0\]: it lacks 'id'"),
        (b'{"tasks": [{"id": "1", "revision_number": "x"}]}', "revision_number: 'x' is not a whole number"),
        (b'{"tasks": [{"id": {}}]}', "id: an object instead of a text"),
        (b'{"tasks": [{"id": null, "job_id": "j"}]}', "id: null instead of a text"),
        (b'{"tasks": [{"id": "1", "job_id": ["j"]}]}', "job_id: a list instead of a text"),
        (b'{"tasks": [{"id": "1"}]}', "lacks its 'job_id'"),
        (b'{"tasks": ["t1"]}', "is a text, not an object"),
    ],
)
def test_what_is_no_page_says_why(raw: bytes, why: str) -> None:
    with pytest.raises(codec.ShapeError, match=why):
        codec.read_tasks_page(codec.loads(raw))


def test_a_byte_order_mark_is_no_harm() -> None:
    assert codec.loads(b'\xef\xbb\xbf{"ok": true}') == {"ok": True}


@pytest.mark.parametrize("no", [False, 0, "0", "false", None, ""])
def test_each_of_phps_ways_to_say_no_is_a_refusal(no) -> None:
    assert codec.refusal({"ok": no, "message": "Task cannot be rated."}) == "Task cannot be rated."
    assert codec.refusal({"ok": no}) == "it gave no reason"


@pytest.mark.parametrize("yes", [True, 1, "1", "true"])
def test_each_of_phps_ways_to_say_yes_is_an_acknowledgement(yes) -> None:
    assert codec.refusal({"ok": yes}) is None
    assert codec.read_ack({"ok": yes, "message": "done", "id": 5}) == attrs.evolve(
        codec.read_ack({"ok": True, "message": "done"}), extra={"id": 5}
    )


def test_an_acknowledgement_that_does_not_say_ok_is_none() -> None:
    with pytest.raises(codec.ShapeError, match="does not say ok"):
        codec.read_ack({"message": "Task rated successfully."})


@pytest.mark.parametrize(
    ("answer", "job_id"),
    [
        ({"url": "https://picoworkers.com/employer/campaign-details.php?Id=JOB1"}, "JOB1"),
        ({"url": "https://sproutgigs.com/employer/campaign-details.php?Id=JOB1"}, "JOB1"),
        ({"url": "https://x/y.php?a=b&id=JOB1"}, "JOB1"),
        ({"url": "https://x/y.php?ID=JOB1#top", "job_id": "JOB1", "job": {"id": "JOB1"}}, "JOB1"),
        ({"url": "https://x/y.php?ID=JOB1#top", "job_id": "JOB2"}, None),
        ({"id": 1234567, "data": {"job_id": "abcd"}}, None),
        ({"url": "", "job_id": "JOB1"}, "JOB1"),
        ({"url": None, "id": "JOB1"}, "JOB1"),
        ({"id": 1500123}, "1500123"),
        ({"job": {"id": "JOB1"}}, "JOB1"),
        ({"data": {"id": "JOB1"}}, "JOB1"),
        ({"data": {"job_id": "JOB1"}}, "JOB1"),
        ({"id": 7, "data": {"job_id": "JOB1"}}, "JOB1"),
        ({"user": {"job_id": "USER", "id": "USER"}, "job": {"id": "JOB1"}}, "JOB1"),
        ({"user": {"id": "USER", "job_id": "USER"}}, None),
        ({"job_id": " "}, None),
        ({"job_id": ["JOB1"], "job": {"id": True}}, None),
        ({"job": "JOB1", "data": ["JOB1"]}, None),
        ({"url": "https://[x"}, None),
        ({}, None),
    ],
)
def test_the_id_of_a_posted_job_is_read_from_every_shape_that_was_seen(answer: dict, job_id: str | None) -> None:
    posted = codec.read_posted_job({"ok": True, **answer})
    assert (posted.job_id, posted.note) == (job_id, None)


@pytest.mark.parametrize(
    "junk",
    [0, 1, -1, 200, 2026, 99999, 10**50, 1.5e3, True, "0", "-1", "null", "NULL", "none", "false", "undefined",
     "abc", "../x", "../../etc", "a\nbcd", "abcd\x00", "a b c d", "----", "-abcd", "x" * 65,
     "\u0661\u0662\u0663\u0664", "<b>x</b>"],
)  # fmt: skip
def test_what_can_be_no_id_of_a_job_is_not_taken_for_one(junk: object) -> None:
    for answer in (
        {"job_id": junk},
        {"id": junk},
        {"data": {"job_id": junk}},
        {"url": f"https://x/?Id={quote(str(junk))}"},
    ):
        body = json.dumps({"ok": True, **answer}).encode()
        assert codec.read_posted_job(codec.loads(body)).job_id is None


@pytest.mark.parametrize("answer", [{"job": {"id": "JOB1"}}, {"job_id": "JOB1", "message": "exists already"}])
def test_an_answer_that_names_a_job_without_saying_ok_is_not_believed(answer: dict) -> None:
    posted = codec.read_posted_job(answer)
    assert posted.job_id is None
    assert posted.note == "the answer names job JOB1, but does not say ok"


@pytest.mark.parametrize("answer", [[], {}, {"message": "posted"}, {"ok": "perhaps", "job_id": "J1"}, None, "ok"])
def test_an_answer_that_neither_says_ok_nor_names_a_job_is_no_acknowledgement(answer) -> None:
    with pytest.raises(codec.ShapeError):
        codec.read_posted_job(answer)


@pytest.mark.parametrize(("ok", "read"), [("nok", False), ("not_ok", False), ("1", True), ("perhaps", None)])
def test_nok_in_the_answer_to_several_ratings_is_a_refusal(ok: str, read: bool | None) -> None:
    assert codec.read_rating_acks({"tasks": [{"id": "t1", "ok": ok}]})["t1"].ok is read


def test_what_a_draft_carries_in_extra_is_written_at_its_end_as_it_is() -> None:
    draft = attrs.evolve(DRAFT, watch_time=0, daily_tasks_limit=5, extra={"mood": {"a": [1, None]}})
    body = codec.write_draft(draft, test=False)
    assert list(body.items())[-3:] == [("watch_time", 0), ("daily_tasks_limit", 5), ("mood", {"a": [1, None]})]


def test_nothing_is_written_that_was_not_set() -> None:
    task = Task("t1", "j1", revision_number=3)
    assert codec.write_rating(Rating.ok(task)) == {"job_id": "j1", "task_id": "t1", "task_rating": "ok"}
    assert codec.write_rating(Rating.ok(task, list_id=0))["list_id"] == 0


def test_flags_of_a_draft_are_written_as_whole_numbers() -> None:
    draft = attrs.evolve(DRAFT, notify_followers=True, hold_required=False, pause_after_approval=True)
    body = codec.encode(codec.write_draft(draft, test=True))
    assert b'"test":1' in body
    assert b'"notify_followers":1' in body
    assert b'"hold_required":0' in body
    assert b'"pause_after_approval":1' in body


def test_a_proof_type_is_written_in_lower_case() -> None:
    assert read_job(proofs=[{"description": "d", "type": "SCREENSHOT"}]).proofs[0].type is ProofType.SCREENSHOT


def test_variables_are_written_as_objects_of_name_and_values() -> None:
    draft = attrs.evolve(DRAFT, variables={"A": ("1", "2")})
    assert codec.write_draft(draft, test=False)["variables"] == [{"name": "A", "values": ["1", "2"]}]


@given(st.decimals(min_value=0, max_value=10**9, places=4))
def test_an_amount_written_and_read_again_is_the_same(amount: Decimal) -> None:
    assert codec.loads(codec.encode({"task_bonus": amount}))["task_bonus"] == amount


_RATINGS = st.builds(
    Rating,
    job_id=st.text(min_size=1),
    task_id=st.text(min_size=1),
    verdict=st.sampled_from(["ok", "not_ok", "revise"]),
    satisfaction=st.sampled_from([None, "excellent", "spam"]),
    comment=st.none() | st.text(),
    list_id=st.none() | st.integers(0, 10**9),
    block_worker=st.none() | st.booleans(),
    bonus=st.none() | st.decimals(0, 10**9, places=4),
)


@given(_RATINGS)
def test_a_rating_written_by_hand_is_what_the_encoder_would_write(rating: Rating) -> None:
    try:
        written = codec.encode(codec.write_rating(rating))
    except UnicodeEncodeError:
        with pytest.raises(UnicodeEncodeError):
            codec.encode_rating(rating)
    else:
        assert codec.encode_rating(rating) == written
