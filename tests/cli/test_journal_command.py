"""`picoworkers journal`: what a batch's journal holds, and looking after it."""

from __future__ import annotations

import csv
import io
from functools import partial
from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_it_is_added_up(run: Run, journal: str) -> None:
    assert run("journal", journal, "--json").document == {
        "counts": {"rated": 2, "refused": 1},
        "pay_paid": "0",
        "bonus_paid": "0.05",
        "total_paid": None,
        "unpriced": ["fc7b3bd10d08"],
        "running": None,
    }
    table = run("journal", journal).out
    assert "bonuses paid" in table
    assert "0.05" in table


def test_its_rows_are_picked_out(run: Run, journal: str) -> None:
    assert len(run("journal", journal, "--state", "rated", "--json").lines) == 2
    assert len(run("journal", journal, "--worker", "abcd1234", "--json").lines) == 1
    assert len(run("journal", journal, "--job", "fc7b3bd10d08", "--json").lines) == 3
    assert len(run("journal", journal, "--since", "2024-01-01", "--json").lines) == 3
    assert run("journal", journal, "--since", "2100-01-01", "--json").lines == []
    assert "refused" in run("journal", journal, "--state", "refused").out


def test_it_is_added_up_by_day_job_and_worker(run: Run, journal: str) -> None:
    assert [line["key"] for line in run("journal", journal, "--by", "job", "--json").lines] == ["fc7b3bd10d08"]
    assert len(run("journal", journal, "--by", "worker", "--json").lines) == 3
    rows = list(csv.DictReader(io.StringIO(run("journal", journal, "--by", "day", "--csv").out)))
    assert [(row["rated"], row["refused"], row["bonus"]) for row in rows] == [("2", "1", "0.05")]


def test_csv_has_a_heading_and_neither_formulas_nor_commands_for_terminals(run: Run, journal: str) -> None:
    rows = list(csv.DictReader(io.StringIO(run("journal", journal, "--csv").out)))
    assert len(rows) == 3
    assert {row["state"] for row in rows} == {"rated", "refused"}
    (refused,) = (row for row in rows if row["state"] == "refused")
    assert refused["message"].startswith("'=cmd()|")
    assert refused["message"].isprintable()


def test_what_was_refused_is_reopened_and_taken_back(run: Run, journal: str) -> None:
    without_yes = run("journal", "reopen", journal)
    assert without_yes.code == 2
    assert "add --yes" in without_yes.err
    assert run("journal", "reopen", journal, "--yes", "--json").document == {"reopened": 1}
    assert run("journal", journal, "--json").document["counts"] == {"rated": 2, "decided": 1}
    assert "withdrawn: 1 rating\n" in run("journal", "withdraw", journal, "--yes").err
    assert run("journal", "prune", journal, "--yes", "--json").document == {"deleted": 0}


@pytest.mark.parametrize(
    "wrong",
    [
        ("--csv", "--json"),
        ("--by", "day", "--state", "rated"),
        ("--by", "month"),
        ("--state", "paid"),
    ],
)
def test_a_mistake_has_exit_code_2(run: Run, journal: str, wrong: tuple[str, ...]) -> None:
    ran = run("journal", journal, *wrong)
    assert (ran.code, ran.out) == (2, "")


def test_a_file_that_is_no_journal_has_exit_code_1(run: Run, tmp_path: Path) -> None:
    ask = partial(run, "journal")
    assert ask(str(tmp_path / "nothing.db")).code == 1
    (tmp_path / "words.db").write_text("no journal")
    ran = ask(str(tmp_path / "words.db"))
    assert ran.code == 1
    assert "words.db" in ran.err
