"""What could not be written, or kept, is refused by name before anything is sent."""

from __future__ import annotations

from decimal import Decimal

import attrs
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from picoworkers_async import (
    PICOWORKERS,
    SPROUTGIGS,
    AsyncPicoworkers,
    Challenge,
    InvalidRequestError,
    Proof,
    Rating,
    Task,
    Verdict,
    codec,
    rules,
)
from tests.support.vectors import DRAFT

BAD = "quoting \ud800 a proof"
HUGE = 10**5000
TASK = Task("t1", "j1")


def told(problems: list) -> list[str]:
    assert all(str(problem).encode() for problem in problems)
    return [problem.field for problem in problems]


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"comment": BAD}, "comment"),
        ({"job_id": "j\udfff"}, "job_id"),
        ({"task_id": "t\ud800"}, "task_id"),
        ({"list_id": 2**63 - 1}, None),
        ({"list_id": 2**63}, "list_id"),
        ({"list_id": HUGE}, "list_id"),
        ({"bonus": HUGE}, "bonus"),
        ({"bonus": "1e1000000"}, "bonus"),
        ({"bonus": "1e-1000000"}, "bonus"),
        ({"bonus": "1e99999999999999999999"}, "bonus"),
        ({"bonus": "-0"}, None),
        ({"revision_number": None}, None),
        ({"revision_number": 0}, None),
        ({"revision_number": 2**31}, None),
        ({"revision_number": 2**31 + 1}, "revision_number"),
        ({"revision_number": HUGE}, "revision_number"),
        ({"revision_number": -1}, "revision_number"),
        ({"revision_number": True}, "revision_number"),
        ({"revision_number": "1"}, "revision_number"),
        ({"revision_number": 1.0}, "revision_number"),
    ],
)
def test_a_rating_that_could_not_be_written_is_refused_by_name(change: dict, broken: str | None) -> None:
    fields = {"job_id": "j1", "task_id": "t1", "verdict": "ok", "revision_number": 3} | change
    rating = Rating(**fields)
    assert told(rules.check_rating(rating)) == ([] if broken is None else [broken])
    if broken is None:
        codec.encode(codec.write_rating(rating))


def test_the_position_of_what_cannot_be_encoded_is_told_and_the_rest_of_the_rating_too() -> None:
    rating = Rating("", "t\ud800", "perhaps", comment=BAD, list_id=HUGE, revision_number=-1)  # type: ignore[arg-type]
    problems = rules.check_rating(rating)
    assert told(problems) == ["job_id", "task_id", "verdict", "comment", "list_id", "revision_number"]
    assert "position 8 is a lone surrogate" in str(problems[3])


def test_among_several_ratings_the_one_that_cannot_be_written_is_named() -> None:
    ratings = [Rating.ok(TASK), Rating.ok(Task("t2", "j1"), comment=BAD), Rating("j1", ["t"], Verdict.OK)]  # type: ignore[arg-type]
    assert told(rules.check_ratings(ratings, 1000)) == ["ratings[1].comment", "ratings[2].task_id"]


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"title": BAD}, "title"),
        ({"notes": BAD}, "notes"),
        ({"zone_id": "\ud800"}, "zone_id"),
        ({"category_id": "\ud800"}, "category_id"),
        ({"excluded_countries": ["pk", "\ud800"]}, "excluded_countries[1]"),
        ({"instructions": ["fine", BAD]}, "instructions[1]"),
        ({"proofs": [Proof(BAD, "text")]}, "proofs[0].description"),
        ({"challenges": [Challenge("?", BAD)], "challenge_action": "rate_nok"}, "challenges[0].answer"),
        ({"num_tasks": HUGE}, "num_tasks"),
        ({"zone_id": None, "list_id": HUGE}, "list_id"),
        ({"notify_followers": [1]}, "notify_followers"),
        ({"start_time": "0\u0663:00"}, "start_time"),
        ({"instructions": ["{{A}}"], "variables": {"A": ["x", "\ud800"]}}, "variables.A[1]"),
        ({"instructions": ["{{5}}"], "variables": {5: ["x", "y"]}}, "variables"),
    ],
)
def test_a_draft_that_could_not_be_written_is_refused_by_name(change: dict, broken: str) -> None:
    assert broken in told(rules.check_draft(attrs.evolve(DRAFT, **change), SPROUTGIGS))


def test_a_name_that_cannot_be_encoded_is_refused_in_words_that_can() -> None:
    draft = attrs.evolve(DRAFT, instructions=["x"], variables={"\ud800": ["1", "2"]})
    assert "variables.'\\ud800'" in told(rules.check_draft(draft, SPROUTGIGS))


@pytest.mark.parametrize(
    "problems",
    [
        rules.check_job_id("\ud800"),
        rules.check_category("\ud800"),
        rules.check_workers(["w1", "\ud800"]),
        rules.check_task_ids(["\ud800"], SPROUTGIGS),
        rules.check_list_id(HUGE),
        rules.check_deposit(HUGE),
        rules.check_page(HUGE),
        rules.check_positions(HUGE),
        rules.check_ttr(HUGE, PICOWORKERS),
        rules.check_status_filter("\ud800"),
        rules.check_order(["asc"], SPROUTGIGS),  # type: ignore[arg-type]
        rules.check_request("\ud800", "\ud800"),
        rules.check_feature(Decimal("1e1000000")),
    ],
)
def test_no_argument_gets_by_that_could_not_be_written(problems: list) -> None:
    assert told(problems)


@pytest.mark.parametrize(
    ("fields", "broken"),
    [
        (None, None),
        ({}, None),
        ({"a": [1, "x", None, True, 1.5, Decimal("0.1"), {"b": ["ü"]}]}, None),
        ({"a": [{"b": "\ud800"}]}, "fields.a[0].b"),
        ({"a\ud800": 1}, "fields.'a\\ud800'"),
        ({"a": 2**63}, "fields.a"),
        ({"a": float("nan")}, "fields.a"),
        ({"a": Decimal("inf")}, "fields.a"),
        ({"a": Decimal("sNaN")}, "fields.a"),
        ({"a": Decimal("1e400")}, "fields.a"),
        ({"a": {1: 2}}, "fields.a"),
        ({"a": {1, 2}}, "fields.a"),
        ({"a": b"x"}, "fields.a"),
        ([1], "fields"),
    ],
)
def test_fields_of_the_low_level_call_are_named_by_their_path(fields, broken: str | None) -> None:
    assert told(rules.check_fields(fields)) == ([] if broken is None else [broken])
    if broken is None:
        codec.encode(fields or {})


def test_fields_without_an_end_are_refused() -> None:
    endless: dict = {}
    endless["a"] = endless
    (problem,) = rules.check_fields(endless)
    assert problem.limit == "nested at most 50 deep"


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text(st.characters())


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANYTHING, ANYTHING, ANYTHING, ANYTHING, ANYTHING)
def test_what_passes_the_rules_can_be_written(comment, list_id, bonus, revision_number, task_id) -> None:
    rating = Rating("j1", task_id, Verdict.OK, None, comment, list_id, None, bonus, revision_number)
    problems = rules.check_rating(rating)
    assert told(problems) is not None
    if not problems:
        codec.encode(codec.write_rating(rating)).decode()


@pytest.mark.anyio
async def test_nothing_is_sent_of_what_cannot_be_written() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"ok": True})

    async with AsyncPicoworkers("user_id", "api_secret", transport=httpx.MockTransport(answer)) as pico:
        for call in (
            lambda: pico.jobs.rate_single_task(Rating.ok(TASK, comment=BAD)),
            lambda: pico.jobs.post_job(attrs.evolve(DRAFT, title=BAD)),
            lambda: pico.jobs.get_job("\ud800"),
            lambda: pico.jobs.get_unrated_tasks(job_id="\ud800"),
            lambda: pico.lists.add_workers(1, ["\ud800"]),
            lambda: pico.request("GET", "jobs/x.php", {"a": "\ud800"}),
            lambda: pico.request("POST", "jobs/x.php", {"a": [{"\ud800": 1}]}),
            lambda: pico.request("POST", "jobs/x.php", {"a": object()}),
        ):
            with pytest.raises(InvalidRequestError):
                await call()
    assert sent == []
