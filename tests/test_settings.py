"""Numbers that no clock can hold, and problems that cannot be shown, are told like any other."""

from __future__ import annotations

import math
from typing import Any

import pytest

from picoworkers_async import AsyncPicoworkers, InvalidRequestError, PicoworkersError, RetryPolicy
from picoworkers_async.problems import Problem, ProblemCode
from picoworkers_async.settings import address_problems, seconds_problems, timeout_problems

HUGE = 10**5000


@pytest.mark.parametrize("value", [HUGE, -1, float("inf"), float("nan"), True, "1", None], ids=type)
def test_seconds_must_be_finite_and_not_negative(value) -> None:
    assert [problem.field for problem in seconds_problems("grace", value)] == ["grace"]
    with pytest.raises(InvalidRequestError, match="maximum"):
        RetryPolicy(maximum=value)


@pytest.mark.parametrize("value", [HUGE, 0, -1, float("inf"), float("nan"), True, "1"], ids=type)
def test_a_timeout_must_be_finite_and_above_0(value) -> None:
    assert [problem.field for problem in timeout_problems(value)] == ["timeout"]


def test_the_pause_before_the_thousandth_attempt_is_the_longest_one() -> None:
    assert RetryPolicy(attempts=5000, maximum=7.0).pause(4999) == 7.0


@pytest.mark.parametrize(
    "url", ["https://picoworkers.com/api", "https://[2001:db8::1]:8443/api/", "http://[::1]/"]
)
def test_a_plain_address_has_no_problems(url: str) -> None:
    assert address_problems(url) == []


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError


def test_a_problem_shows_its_value_whatever_it_is() -> None:
    endless: list = []
    endless.append(endless)
    for value, shown in (
        (HUGE, "(int)"),
        (Broken(), "(Broken)"),
        ("\ud800" * 10**6, "\\ud800"),
        (endless, "[[...]]"),
    ):
        text = str(Problem("x", value, "short", ProblemCode.TYPE))
        assert shown in text
        assert len(text.encode()) < 200


def test_every_message_can_be_written_to_a_log() -> None:
    assert str(InvalidRequestError("call", [Problem("x", 1, "one of \ud800, ü", ProblemCode.CHOICE)])).encode()


def test_an_error_carries_a_report_only_where_it_ended_a_batch() -> None:
    assert PicoworkersError("x").report is None


def test_a_wrong_name_of_a_host_is_told_alone_and_not_what_follows_from_it() -> None:
    for hosts in ({"sandbox:8000"}, "sandbox", {"*"}):
        with pytest.raises(InvalidRequestError) as caught:
            AsyncPicoworkers("a", "b", base_url="http://sandbox:8000/api/", insecure_http_hosts=hosts)
        assert {problem.field for problem in caught.value.problems} == {"insecure_http_hosts"}
    with pytest.raises(InvalidRequestError) as caught:
        AsyncPicoworkers("a", "b", base_url="http://sandbox:8000/api/?x", insecure_http_hosts={"*"})
    assert {problem.field for problem in caught.value.problems} == {"insecure_http_hosts", "base_url"}


@pytest.mark.parametrize("priority", ["batch", 7, 0, -1, math.nan, object()], ids=type)
def test_a_priority_that_is_none_is_refused_by_name_beside_what_else_is_wrong(priority: Any) -> None:
    with pytest.raises(InvalidRequestError, match=r"Priority.INTERACTIVE or Priority.BATCH") as caught:
        AsyncPicoworkers("a", "b").with_options(priority=priority, max_wait=0)
    assert [problem.field for problem in caught.value.problems] == ["priority", "max_wait"]


def test_from_env_tells_at_once_what_is_wrong_in_variables_by_their_names_and_in_options(monkeypatch) -> None:
    for name, value in {
        "USER_ID": "a:b",
        "API_SECRET": " ",
        "BASE_URL": "http://evil.example/api/",
        "EDITION": "nope",
        "TRANSPORT": "x",
    }.items():
        monkeypatch.setenv(f"PICOWORKERS_{name}", value)
    with pytest.raises(InvalidRequestError, match=r"AsyncPicoworkers\.from_env") as caught:
        AsyncPicoworkers.from_env(timeout=-1)
    assert [problem.field for problem in caught.value.problems] == [
        *("PICOWORKERS_USER_ID", "PICOWORKERS_API_SECRET", "PICOWORKERS_EDITION", "PICOWORKERS_BASE_URL"),
        *("PICOWORKERS_TRANSPORT", "timeout"),
    ]
    assert caught.value.__context__ is None
    with pytest.raises(InvalidRequestError) as caught:
        AsyncPicoworkers.from_env(edition="what", base_url="http://evil.example/api/")
    fields = {problem.field for problem in caught.value.problems}
    assert fields >= {"edition", "base_url"}
    assert fields.isdisjoint({"PICOWORKERS_EDITION", "PICOWORKERS_BASE_URL"})


def test_a_variable_that_is_set_but_empty_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICOWORKERS_USER_ID", "")
    monkeypatch.delenv("PICOWORKERS_API_SECRET", raising=False)
    with pytest.raises(InvalidRequestError) as caught:
        AsyncPicoworkers.from_env()
    limits = {problem.field: problem.limit for problem in caught.value.problems}
    assert "empty" in limits["PICOWORKERS_USER_ID"]
    assert "empty" not in limits["PICOWORKERS_API_SECRET"]
