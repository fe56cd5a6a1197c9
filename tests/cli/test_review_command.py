"""`review`: a function of the user's decides, within limits, and is found or said why not."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from picoworkers_async.sandbox import Sandbox
from tests.cli.conftest import Run
from tests.sheets.test_story import ledger_of

JOB = "fc7b3bd10d08"
RULES = """
import os

from picoworkers_async import Rating
print("loaded")

def bonus(task):
    print("asked about", task.id)
    return Rating.ok(task, "good", bonus="0.05")

async def later(task, job):
    return Rating.ok(task, "good") if job.title else None

def moves(task):
    os.chdir("/")
    return Rating.ok(task, "good")

def leaves(task):
    raise SystemExit(0)

class Rules:
    @staticmethod
    def none(task):
        return None

    @staticmethod
    def broken(task):
        raise ValueError("\\x1b[31mbroken")

def three(task, job, more):
    return None

number = 5
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current folder with rules in it; what was imported from there is forgotten at the end."""
    (tmp_path / "my_rules.py").write_text(RULES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    for name in ("my_rules", "wrong_rules"):
        sys.modules.pop(name, None)


def test_a_function_of_the_current_folder_decides_and_json_stays_alone_on_stdout(
    run: Run, service: Sandbox, folder: Path
) -> None:
    waiting = service.unrated()
    more = ["--journal", "j.db", "--report", "paid.csv", "--yes", "--json", "--sandbox"]
    ran = run("review", "my_rules:bonus", *more)
    assert (ran.code, ran.document["rated"]) == (0, 3)
    assert "loaded\n" in ran.err
    assert f"asked about {waiting[0]}\n" in ran.err
    assert ledger_of(service).keys() == set(waiting)
    with (folder / "paid.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["task"], row["pay"], row["bonus"], row["state"]) for row in rows} == {
        (task_id, "0.10", "0.05", "rated") for task_id in waiting
    }
    assert all(row["worker"] for row in rows)
    again = run("review", "my_rules:bonus", *more)
    assert (again.code, again.document["rated"], again.document["go_on"]) == (0, 0, None)


@pytest.mark.parametrize(("rule", "rated"), [("my_rules:later", 3), ("my_rules:Rules.none", 0)])
def test_a_function_may_be_async_take_the_job_or_stand_within_something(
    run: Run, service: Sandbox, rule: str, rated: int
) -> None:
    ran = run(
        "review", rule, "--yes", "--sandbox", "--json", "--deciding", "2", "--due-first", "--due-within", "1d"
    )
    assert (ran.code, ran.document["rated"]) == (0, rated)
    assert "no --journal" in ran.err


def test_it_asks_first_and_says_the_limits(run: Run, service: Sandbox) -> None:
    limits = ["--max-bonus", "0.05", "--total", "0.20", "--keep-balance", "10", "--tasks-per-day", "7"]
    ran = run("review", "my_rules:bonus", *limits, "--follow", "60", "--sandbox")
    assert ran.code == 2
    assert "Let my_rules:bonus rate all waiting tasks, and read the listing again every 60 s?" in ran.err
    assert "limits: max bonus $0.05, tasks per day 7, total $0.20, keep balance $10." in ran.err
    assert "limits: no limit." in run("review", "my_rules:bonus", "--sandbox").err
    assert ledger_of(service) == {}


def test_a_function_that_goes_to_another_folder_takes_neither_journal_nor_report_along(
    run: Run, service: Sandbox, folder: Path
) -> None:
    ran = run(
        *("review", "my_rules:moves", "--journal", "j.db", "--report", "paid.csv", "--yes", "--sandbox"),
    )
    assert ran.code == 0
    assert (folder / "paid.csv").read_text("utf-8-sig").count("rated") == 3
    assert "could not" not in ran.err


def test_a_function_that_exits_is_not_taken_for_a_batch_that_is_done(run: Run, service: Sandbox) -> None:
    ran = run("review", "my_rules:leaves", "--journal", "j.db", "--yes", "--sandbox")
    assert ran.code == 1
    assert "SystemExit" in ran.err.splitlines()[-1]
    assert ledger_of(service) == {}


def test_a_limit_ends_it_with_exit_code_1_and_says_so(run: Run, service: Sandbox) -> None:
    ran = run("review", "my_rules:bonus", "--total", "0.20", "--journal", "j.db", "--yes", "--sandbox", "--json")
    assert (ran.code, ran.document["rated"]) == (1, 1)
    assert "the batch reached a limit" in ran.err
    assert "paying nobody twice: picoworkers review" in ran.err.splitlines()[-1]


def test_a_limit_is_told_by_its_option(run: Run, service: Sandbox) -> None:
    day = run("review", "my_rules:bonus", "--pay-per-day", "0.20", "--yes", "--sandbox")
    assert "the batch reached a limit: --pay-per-day is 0.20, and would be exceeded today" in day.err
    alone = run("review", "my_rules:bonus", "--max-bonus", "0.01", "--yes", "--sandbox", "--json").document
    said = "--max-bonus: 0.05 for this rating alone is more than 0.01; it was not sent"
    assert {one["why"] for one in alone["outcomes"]} == {said}


def test_a_function_that_raises_fails_its_task_and_no_other(run: Run, service: Sandbox) -> None:
    ran = run("review", "my_rules:Rules.broken", "--yes", "--sandbox")
    assert ran.code == 1
    assert "broken" in ran.out
    assert "\x1b" not in ran.out + ran.err
    assert ledger_of(service) == {}


def test_a_dry_run_that_a_limit_ends_does_not_say_that_it_rates(run: Run, service: Sandbox) -> None:
    ran = run("review", "my_rules:bonus", "--dry-run", "--tasks-per-day", "1", "--sandbox")
    assert ran.code == 1
    assert "to rate what" not in ran.err
    assert "nothing was sent; to run it again" in ran.err


def test_a_dry_run_asks_nothing_and_rates_nothing(run: Run, service: Sandbox) -> None:
    ran = run("review", "my_rules:bonus", "--dry-run", "--job", JOB, "--sandbox", "--json")
    assert (ran.code, ran.document["would_rate"], ran.document["bonus"]) == (0, 3, "0.15")
    assert ledger_of(service) == {}


def test_a_dry_run_is_told_what_to_do_instead_of_using_a_real_journal(
    run: Run, service: Sandbox, folder: Path
) -> None:
    more = ["--journal", "j.db", "--sandbox"]
    assert run("review", "my_rules:Rules.none", "--yes", *more).code == 0
    ran = run("review", "my_rules:bonus", "--dry-run", *more)
    assert ran.code == 2
    assert "j.db is a real batch's" in ran.err
    assert "leave --journal out" in ran.err
    assert "loaded" not in ran.err
    assert run("review", "my_rules:bonus", "--dry-run", "--journal", "dry.db", "--sandbox").code == 0


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("my_rules", "MODULE:NAME"),
        (":bonus", "MODULE:NAME"),
        ("my_rules:", "MODULE:NAME"),
        ("my_rules.py:bonus", "my_rules:bonus"),
        ("no_rules:bonus", "there is no module no_rules in"),
        ("my_rules.sub:bonus", "there is no module my_rules.sub in"),
        ("my_rules:bonos", "did you mean bonus?"),
        ("my_rules:Rules.nine", "has no nine"),
        ("my_rules:three", "a function of (task) or (task, job)"),
        ("my_rules:number", "a function of (task) or (task, job)"),
    ],
)
def test_a_function_that_cannot_be_had_is_said_why(run: Run, service: Sandbox, rule: str, said: str) -> None:
    ran = run("review", rule, "--yes", "--sandbox")
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert service.requests == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nothing_of_this_name", "it needs nothing_of_this_name"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def (", "SyntaxError"),
        ("raise SystemExit(5)", "SystemExit: 5"),
    ],
)
def test_a_module_that_cannot_be_imported_is_said_why(
    run: Run, service: Sandbox, folder: Path, text: str, said: str
) -> None:
    (folder / "wrong_rules.py").write_text(text)
    ran = run("review", "wrong_rules:decide", "--yes", "--sandbox")
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert "wrong_rules" in ran.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--max-bonus", "much"], "--max-bonus 'much'"),
        (["--follow", "0"], "follow"),
        (["--timezone", "Nowhere/Here"], "--timezone 'Nowhere/Here'"),
        (["--deciding", "0"], "deciding"),
        (["--report", "paid.csv"], "add --journal"),
        (["--on-limit", "sleep"], "on-limit"),
    ],
)
def test_a_mistake_in_the_options_is_said_before_anything_is_sent(
    run: Run, service: Sandbox, options: list[str], said: str
) -> None:
    ran = run("review", "my_rules:bonus", "--yes", "--sandbox", *options)
    assert ran.code == 2
    assert said in ran.err
    assert service.requests == []
    assert os.listdir() == ["my_rules.py"]
