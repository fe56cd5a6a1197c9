"""What a program can tell from a problem: where it is, and of which sort."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async import (
    PICOWORKERS,
    Challenge,
    InvalidRequestError,
    JobDraft,
    Limits,
    Problem,
    ProblemCode,
    Proof,
    Rating,
    Throttle,
    Verdict,
    rules,
)
from picoworkers_async.credentials import credentials
from picoworkers_async.rating.limits import limits_problems
from picoworkers_async.settings import seconds_problems


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("title", "title"),
        (("proofs", 0, "type"), "proofs[0].type"),
        (("variables", "CITY", 3), "variables.CITY[3]"),
        (("fields", "a\nb"), r"fields.'a\nb'"),
        (("fields", "\ud800"), r"fields.'\ud800'"),
        ((), ""),
    ],
)
def test_the_text_of_a_field_is_made_of_its_path(path: str, field: str) -> None:
    assert Problem(path, 1, "another", ProblemCode.TYPE).field == field


@given(st.lists(st.text() | st.integers(0), max_size=5), st.text())
def test_the_text_of_a_field_can_always_be_shown(path: list, value: str) -> None:
    problem = Problem(tuple(path), value, "another", ProblemCode.TYPE)
    assert problem.field.isprintable()
    assert str(problem).encode()


def sorts(problems: list[Problem]) -> dict[tuple, str]:
    return {problem.path: problem.code.value for problem in problems}


def test_the_sorts_are_these() -> None:
    assert [code.value for code in ProblemCode] == [
        "required",
        "type",
        "range",
        "length",
        "choice",
        "format",
        "unknown",
        "conflict",
        "edition",
    ]


def test_every_problem_of_a_draft_has_its_path_and_its_sort() -> None:
    draft = JobDraft(
        zone_id="int",
        list_id=5,
        category_id=" ",
        title=5,  # type: ignore[arg-type]
        notes="\ud800",
        task_value=0,
        num_tasks=9,
        speed="fast",  # type: ignore[arg-type]
        excluded_countries=["de", ""],
        proofs=[Proof("x", "video"), "y"],  # type: ignore[list-item]
        challenges=[Challenge("a", "b")] * 4,
        start_time="08:00",
    )
    assert sorts(rules.check_draft(draft, PICOWORKERS)) == {
        ("list_id",): "conflict",
        ("category_id",): "required",
        ("title",): "type",
        ("notes",): "format",
        ("task_value",): "range",
        ("num_tasks",): "range",
        ("speed",): "type",
        ("excluded_countries", 1): "required",
        ("proofs", 0, "type"): "choice",
        ("proofs", 1): "type",
        ("challenges",): "length",
        ("challenge_action",): "required",
        ("start_time",): "edition",
    }


def test_the_problem_of_one_rating_among_several_says_which() -> None:
    ratings = [
        Rating("j", "t1", Verdict.OK),
        Rating("j", "t1", Verdict.NOT_OK),
        Rating("j", "t2", "well", bonus=-1),
        Rating("j", "t3", Verdict.REVISE, comment=5),
    ]
    assert sorts(rules.check_ratings(ratings, 50)) == {
        ("ratings", 1, "comment"): "required",
        ("ratings", 1, "task_id"): "conflict",
        ("ratings", 2, "verdict"): "choice",
        ("ratings", 2, "bonus"): "range",
        ("ratings", 3, "comment"): "type",
    }


def test_settings_are_told_by_path_and_sort_too() -> None:
    limits = Limits(max_bonus="much", total=-1, tasks_per_day=Decimal(1), timezone="Mars")  # type: ignore[arg-type]
    assert sorts(limits_problems(limits)) == {
        ("limits", "max_bonus"): "type",
        ("limits", "total"): "range",
        ("limits", "tasks_per_day"): "type",
        ("limits", "timezone"): "choice",
    }
    assert sorts(seconds_problems("grace", "5")) == {("grace",): "type"}
    assert sorts(seconds_problems("grace", -5)) == {("grace",): "range"}
    assert sorts(rules.check_fields({"a": [1, {"b": {1}}]})) == {("fields", "a", 1, "b"): "type"}
    with pytest.raises(InvalidRequestError) as caught:
        Throttle(0, "fast")  # type: ignore[arg-type]
    assert sorts(list(caught.value.problems)) == {
        ("max_concurrency",): "range",
        ("requests_per_second",): "type",
    }
    with pytest.raises(InvalidRequestError) as caught:
        credentials(5, "")  # type: ignore[arg-type]
    assert sorts(list(caught.value.problems)) == {("user_id",): "type", ("api_secret",): "required"}
