"""What a command says is in its own words: options and examples, no keywords, classes or errors of Python."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from picoworkers_async import Outcome, OutcomeStatus, Rating, Verdict
from picoworkers_async.cli.wording import error_in_words, outcome_in_words, plain, problem_in_words
from picoworkers_async.errors import (
    ConflictError,
    InvalidRequestError,
    JournalError,
    LimitError,
    PicoworkersError,
    RateLimitedError,
    RefusedError,
)
from picoworkers_async.journal.failures import NO_FILE
from picoworkers_async.problems import Problem, ProblemCode
from picoworkers_async.rating.raised import TooLongError
from picoworkers_async.sandbox import Sandbox
from tests.cli.conftest import Run
from tests.cli.test_acting import writes

PYTHON = re.compile(r"[a-z_]+=(?!http)|Decimal|None|Errno|Error\b|\bTrue\b|Unused Tokens|timedelta|datetime")
NOWHERE = "http://127.0.0.1:1/api"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add-positions", "../", "1", "--yes", "--sandbox"], "JOB-ID '../': an id"),
        (["export", "x.csv", "--job", "a/b", "--sandbox"], "--job 'a/b': an id"),
        (["deposit", "99", "--yes", "--sandbox"], "CENTS 99: a whole number of at least 1000"),
        (["review", "os:getpid", "--max-bonus", "x", "--sandbox"], "--max-bonus"),
        (["balance", "--timeout", "-1", "--sandbox"], "--timeout -1.0: a finite number of seconds above 0\n"),
        (["tasks", "--due", "soon", "--sandbox"], '--due: "soon" is not a time such as 24h'),
        (["journal", "x.db", "--since", "soon"], '"soon" is not a day or a moment, such as 2026-01-31'),
        (["balance", "--timeout", "soon", "--sandbox"], '"soon" is not a number, such as 2.5'),
        (["journal", "x.db", "reopen"], "the order is: picoworkers journal reopen FILE"),
        (["balance", "a", "b", "--sandbox"], "more than this command takes: a b"),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, list) else None,
)
def test_a_mistake_is_told_by_the_option_and_what_it_takes(
    run: Run, service: Sandbox, arguments: list[str], said: str
) -> None:
    ran = run(*arguments)
    assert ran.code == 2
    assert said in ran.err
    assert not PYTHON.search(ran.err)
    assert writes(service) == []


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICOWORKERS_USER_ID", "user_id")
    monkeypatch.setenv("PICOWORKERS_API_SECRET", "api_secret")


@pytest.mark.usefixtures("login")
def test_an_address_without_its_beginning_is_shown_with_what_it_lacks(run: Run) -> None:
    ran = run("balance", "--base-url", "127.0.0.1:1/api")
    assert ran.code == 2
    assert "--base-url '127.0.0.1:1/api': begin it with https:// (http:// on this machine)" in ran.err


@pytest.mark.usefixtures("login")
@pytest.mark.parametrize("address", ["user:secret@127.0.0.1/api", "s3cr3t", "s3cr.3t", "user:s3cr3t"])
def test_an_address_that_may_hold_a_password_is_not_shown(run: Run, address: str) -> None:
    ran = run("balance", "--base-url", address)
    assert ran.code == 2
    assert "begin it with https://" in ran.err
    assert address not in ran.err
    assert "3cr" not in ran.err


@pytest.mark.usefixtures("login")
def test_a_service_that_cannot_be_reached_is_told_in_plain_words(run: Run) -> None:
    ran = run("balance", "--base-url", NOWHERE)
    assert ran.code == 1
    assert ran.err == "picoworkers: never reached the service at 127.0.0.1:1 (the connection was refused)\n"
    changing = run("pause", "abc", "--base-url", NOWHERE)
    assert changing.err.endswith("(the connection was refused); it is safe to send again\n")


def test_half_of_the_credentials_is_said_to_be_of_them(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICOWORKERS_USER_ID", "user_id")
    assert "only half of the credentials are in the environment" in run("balance").err


def test_a_draft_that_is_no_toml_is_said_to_be_none(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    path.write_text("title = \n")
    ran = run("post", str(path), "--yes", "--sandbox")
    assert ran.code == 2
    assert f"FILE '{path}': not valid TOML: " in ran.err


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("a path where no file is, or overwrite=True", "a path where no file is, or --overwrite"),
        ("a column TASK_ID, or columns= to say which it is", "a column TASK_ID, or --map to say which it is"),
        ("use edition=SPROUTGIGS, or base_url= with", "use --edition sproutgigs, or --base-url with"),
        ("at least Decimal('0.01')", "at least 0.01"),
        ("(gaierror: [Errno -2] Name or service not known)", "(there is no host of this name, or no network)"),
        ("(OSError: [Errno 101] Network is unreachable); x", "(Network is unreachable); x"),
        ("x=1 and a=b", "x=1 and a=b"),
    ],
)
def test_keywords_become_options(said: str, told: str) -> None:
    assert plain(said) == told


IN_PYTHON = "or tell it in Python by Journal.price()"
REFUSED = RefusedError("rate_single_task", "Set max_bonus= first.")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (LimitError("bonus_per_day", "bonus_per_day is 2"), "--bonus-per-day is 2; it was not sent"),
        (LimitError("total", "9 is more than 5"), "--total: 9 is more than 5; it was not sent"),
        (
            LimitError("limits", "the pay of job a_b is not known"),
            "the pay of job a_b is not known; it was not sent",
        ),
        (
            JournalError("a_b.db", NO_FILE),
            "journal a_b.db: there is no such file; the first batch that is given this path as --journal makes it",
        ),
        (
            JournalError("j", "the task value is not known; tell it by Journal.price()"),
            f"journal j: the task value is not known; leave out --pay-per-day and --total, {IN_PYTHON}",
        ),
        (
            RateLimitedError("get_jobs", None),
            "over the account's rate limit (HTTP 429). Give all commands of the account the same --pacer FILE",
        ),
        (
            ConflictError(Rating("j1", "t1", Verdict.OK), Rating("j1", "t1", Verdict.NOT_OK, comment="No.")),
            "task t1 of job j1 has two different ratings in this batch: ok stands, not_ok was not sent",
        ),
        (
            InvalidRequestError("rate_single_task", [Problem("comment", None, "a text", ProblemCode.REQUIRED)]),
            "comment: a text",
        ),
        (REFUSED, "refused by the service: Set max_bonus= first."),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_ends_a_batch_or_a_rating_is_told_in_words_of_the_command(error: PicoworkersError, told: str) -> None:
    assert error_in_words(error) == told


def test_why_a_task_was_not_rated_is_told_in_the_services_words_or_in_those_of_the_command() -> None:
    message = "Set max_bonus= first."
    assert outcome_in_words(Outcome(None, OutcomeStatus.REFUSED, message, REFUSED)) == message
    raised = ValueError("journal=j")
    assert outcome_in_words(Outcome(None, OutcomeStatus.FAILED, "decide raised it", raised)) == "decide raised it"
    late = Outcome(None, OutcomeStatus.FAILED, "decide took longer than decide_timeout, 2 s", TooLongError())
    assert outcome_in_words(late) == "it took longer than --decide-timeout, 2 s"
    limit = LimitError("max_bonus", "too much")
    said = "--max-bonus: too much; it was not sent"
    assert outcome_in_words(Outcome(None, OutcomeStatus.FAILED, str(limit), limit)) == said


def test_a_field_of_a_draft_keeps_its_name() -> None:
    assert problem_in_words(Problem("title", None, "a text", ProblemCode.REQUIRED)) == "title: a text"
    deep = Problem(("proofs", 0, "type"), "x", "one of a, b", ProblemCode.CHOICE)
    assert problem_in_words(deep) == "proofs[0].type = 'x': one of a, b"
