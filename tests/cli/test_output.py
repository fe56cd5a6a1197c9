"""Tables: ids stay whole at any width, texts wrap, and what has no room is left out and named."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from picoworkers_async.cli.output import Column, print_table, shown
from picoworkers_async.sandbox import Sandbox
from tests.cli.conftest import Run

TASK, JOB_OF = "00000000/02d755", "fc7b3bd10d08"
COLUMNS = [
    *(Column("job"), Column("task"), Column("revision", is_number=True), Column("worker"), Column("state")),
    *(Column("verdict"), Column("pay", is_number=True), Column("at"), Column("message")),
]
ROW = [
    *(JOB_OF, TASK, 1, "abcd1234", "refused", "ok", Decimal("0.1"), datetime(2026, 1, 2, 3, 4, tzinfo=UTC)),
    "The task was rated by somebody else already, and https://example.com/" + "a" * 60 + " says so.",
]


def test_of_very_many_rows_the_first_are_shown_and_the_others_counted(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([Column("number")], ([number] for number in range(101_000)), whole="--csv")
    out, err = capsys.readouterr()
    assert out.split()[-1] == "999"
    assert err == "100,000 more rows are not shown; use --csv for all\n"


@pytest.mark.parametrize("width", [40, *range(60, 130, 7)])
def test_ids_and_headings_are_never_broken_and_what_is_left_out_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    print_table(COLUMNS, [ROW])
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert max(map(len, lines)) <= width
    assert JOB_OF in out
    assert TASK in out
    heading = lines[0].split()
    left_out = [column.name for column in COLUMNS if column.name not in heading]
    assert all(name in err for name in left_out)
    assert ("--json" in err) is bool(left_out)
    if "message" in heading:
        assert all(word in out for word in ("somebody", "already,", "says"))
    if "at" in heading:
        assert "2026-01-02 03:04" in out


def test_in_80_columns_a_row_with_a_short_message_is_a_line_or_two(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    print_table(COLUMNS, [[*ROW[:-1], "Already rated."]])
    assert len(capsys.readouterr().out.splitlines()) <= 4


@pytest.mark.usefixtures("service")
def test_tasks_fit_80_columns(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ids = [task["id"] for task in run("tasks", "--sandbox", "--json").lines]
    ran = run("tasks", "--sandbox")
    assert all(task_id in ran.out for task_id in ids)
    assert "pays itself" in ran.out
    assert "not shown" in ran.err


@pytest.mark.usefixtures("service")
def test_no_line_of_a_table_ends_in_spaces(run: Run) -> None:
    for command in ("jobs", "tasks", "zones", "categories", "balance"):
        assert all(line == line.rstrip() for line in run(command, "--sandbox").out.splitlines())


def test_a_listing_of_nothing_says_none(run: Run, service: Sandbox) -> None:
    ran = run("jobs", "--status", "paused", "--sandbox")
    assert (ran.code, ran.out, ran.err) == (0, "", "none\n")
    plain = run("jobs", "--status", "paused", "--sandbox", "--json")
    assert (plain.out, plain.err) == ("", "")


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0.1", "$0.10"), ("1000.0000", "$1,000.00"), ("0.125", "$0.125"), ("-0.5", "-$0.50"), ("3", "$3.00")],
)
def test_money_looks_alike_in_every_table(amount: str, text: str) -> None:
    assert shown(Decimal(amount)) == text
