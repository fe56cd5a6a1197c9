"""`export` and `rate`: a sheet goes out, comes back filled in, and is rated as it says, once."""

from __future__ import annotations

import csv
import os
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from picoworkers_async import Edition, Journal, ServiceError
from picoworkers_async.cli import asking, batches, connection, rate
from picoworkers_async.sandbox import Faults, Sandbox
from picoworkers_async.sheets import checking
from tests.cli.conftest import Run, serve
from tests.sheets.test_story import FILLED, fill, ledger_of

JOB = "fc7b3bd10d08"
MARKS = {"SATISFIED": "ok", "NOT_SATISFIED": "not_ok", "REVISE_TASK": "revise"}


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, edition: Edition) -> Sandbox:
    """Ten tasks of one job, with workers whose names are formulas."""
    monkeypatch.setattr(connection, "SETTLE_AFTER_SECONDS", 0.0)
    sandbox = serve(monkeypatch, Sandbox(edition=edition, balance=10**6))
    for number in range(7):
        sandbox.add_tasks(JOB, 1, worker_id=f"=w{number}", proofs=[{"text": f"=proof {number}"}])
    return sandbox


@pytest.fixture
def shared(edition: Edition) -> list[str]:
    return ["--sandbox", "--edition", edition.name]


def write(path: Path, *rows: str, head: str = "JOB_ID,TASK_ID,SATISFIED,BONUS_AMOUNT") -> Path:
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def paid(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("kind", ["csv", "jsonl", "xlsx"])
def test_what_is_exported_and_filled_in_is_rated_as_it_says_and_reported(
    run: Run, desk: Sandbox, shared: list[str], tmp_path: Path, kind: str
) -> None:
    sheet, report = tmp_path / f"todo.{kind}", tmp_path / "paid.csv"
    waiting = desk.unrated()
    exported = run("export", str(sheet), *shared, "--json")
    assert (exported.code, exported.document["rows"]) == (0, 10)
    assert f"picoworkers rate {sheet}" in exported.err
    fill(sheet)
    rated = run("rate", str(sheet), *shared, "--yes", "--json", "--report", str(report))
    assert (rated.code, rated.document["rated"], rated.document["outcome"]) == (0, 8, "done")
    money = [Decimal(rated.document[name]) for name in ("pay", "bonus", "total")]
    assert money == [Decimal("0.4"), Decimal("0.1"), Decimal("0.5")]
    assert "10 rows: 8 ratings (4 ok, 2 not_ok, 2 revise), 2 left alone" in rated.err
    expected = {}
    for number, task_id in enumerate(waiting):
        cells = FILLED[number % len(FILLED)]
        for verdict in (MARKS[name] for name in MARKS if name in cells):
            expected[task_id] = verdict, cells.get("EMPLOYER_COMMENT"), Decimal(cells.get("BONUS_AMOUNT", 0))
    assert ledger_of(desk) == expected
    told = {row["task"]: row for row in paid(report)}
    assert told.keys() == {task_id for task_id, (verdict, *_) in expected.items() if verdict == "ok"}
    journal = f"{sheet}.sandbox.journal"
    assert all(row.worker_id is not None for row in Journal(journal).rows())
    sums = {line["key"]: line for line in run("journal", journal, "--by", "worker", "--json").lines}
    assert Decimal(sums["=w2"]["bonus"]) == Decimal("0.05")
    assert sum(Decimal(row["total"]) for row in told.values()) == desk.paid + desk.bonus_paid
    assert all(row["state"] == "rated" and row["at"] and row["worker"] for row in told.values())
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in told.values() for cell in row.values())
    assert any(row["worker"].startswith("'=w") for row in told.values())
    again = run("rate", str(sheet), *shared, "--yes", "--json")
    assert (again.code, again.document["replayed"], again.document["requests"]) == (0, 8, 0)
    assert desk.double_ratings == 0


def test_the_marketplaces_own_file_is_rated_as_it_is(
    run: Run, desk: Sandbox, shared: list[str], tmp_path: Path
) -> None:
    good, bad, back, left, *_ = desk.unrated()
    text = (
        "Task_Id,Worker_Id,PROOF_1,SATISFIED,NOT_SATISFIED,REVISE_TASK,BLOCK_WORKER,BONUS_AMOUNT,EMPLOYER_COMMENT,"
        f"REVISION_NUMBER\r\n{good},w1,\u00e9,x,,,,0.05,,N/A\r\n{bad},w2,,,X,,x,,Copied,N/A\r\n"
        f"{back},w3,,,,x,,,Which year?,0\r\n{left},w4,,,,,,,,N/A\r\n"
    )
    sheet, report = tmp_path / "tasks.csv", tmp_path / "paid.csv"
    sheet.write_bytes(text.encode("cp1252"))
    ran = run("rate", str(sheet), "--job", JOB, "--report", str(report), "--yes", *shared)
    assert ran.code == 0
    assert ledger_of(desk) == {
        good: ("ok", None, Decimal("0.05")),
        bad: ("not_ok", "Copied", Decimal(0)),
        back: ("revise", "Which year?", Decimal(0)),
    }
    assert [(row["task"], row["worker"], row["total"]) for row in paid(report)] == [(good, "w1", "0.15")]


def test_any_file_is_rated_by_what_its_columns_are_said_to_be(run: Run, service: Sandbox, tmp_path: Path) -> None:
    first, second, _ = service.unrated()
    sheet = write(tmp_path / "mine.csv", f"{first};ok;", f"{second};not ok;A c\u00f3py", head="Task;A=B;Why")
    sheet.write_bytes(sheet.read_text(encoding="utf-8").encode("cp1252"))
    mapped = ["--map", "Task=task_id", "--map", "A=B=verdict", "--map", "Why=comment", "--job", JOB]
    assert run("rate", str(sheet), *mapped, "--yes", "--sandbox").code == 2
    assert run("rate", str(sheet), *mapped, "--encoding", "cp1252", "--yes", "--sandbox").code == 0
    assert {key: value[:2] for key, value in ledger_of(service).items()} == {
        first: ("ok", None),
        second: ("not_ok", "A c\u00f3py"),
    }


@pytest.mark.parametrize(
    ("mapped", "said"),
    [
        (["--map", "verdict"], "write COLUMN=FIELD"),
        (["--map", "=verdict"], "write COLUMN=FIELD"),
        (["--map", "A=verdict", "--map", "A=comment"], "mapped twice"),
        (["--map", "A=nothing"], "one of job_id"),
        (["--max-bonus", "much"], "--max-bonus 'much'"),
        (["--encoding", "latin-99"], "encoding"),
    ],
)
def test_a_mistake_in_the_options_is_said_and_nothing_is_sent(
    run: Run, service: Sandbox, tmp_path: Path, mapped: list[str], said: str
) -> None:
    sheet = write(tmp_path / "s.csv", f"{JOB},{service.unrated()[0]},x,")
    ran = run("rate", str(sheet), *mapped, "--yes", "--sandbox")
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert service.requests == []


def test_bad_rows_are_a_table_by_line_column_value_and_remedy_and_nothing_is_sent(
    run: Run, service: Sandbox, tmp_path: Path
) -> None:
    first, second, _ = service.unrated()
    sheet = write(tmp_path / "s.csv", f'{JOB},{first},x,"0,05"', f"{JOB},{second},\x1b[31m,")
    ran = run("rate", str(sheet), "--yes", "--sandbox")
    assert ran.code == 2
    assert "correct 2 problems" in ran.err
    assert ran.out.split()[:4] == ["line", "column", "value", "expected"]
    assert "0.05, with a point instead of the comma" in ran.out
    assert "\x1b" not in ran.out + ran.err
    told = run("rate", str(sheet), "--yes", "--sandbox", "--json").document
    assert (told["outcome"], told["count"]) == ("invalid", 2)
    assert [problem["line"] for problem in told["problems"]] == [2, 3]
    assert set(told["problems"][0]) == {"line", "column", "value", "remedy"}
    assert service.requests == []
    assert not (tmp_path / "s.csv.sandbox.journal").exists()


def test_without_a_terminal_it_needs_a_yes_and_far_higher_bonuses_need_their_own(
    run: Run, service: Sandbox, tmp_path: Path
) -> None:
    first, second, third = service.unrated()
    rows = [f"{JOB},{first},x,0.05", f"{JOB},{second},x,0.05", f"{JOB},{third},x,50.0"]
    sheet = str(write(tmp_path / "s.csv", *rows))
    asked = run("rate", sheet, "--sandbox", "--max-bonus", "60")
    assert asked.code == 2
    assert "Rate 3 tasks? This pays for all of them: $0.30 (without fees) and $50.10 in bonuses." in asked.err
    assert "add --yes" in asked.err
    high = run("rate", sheet, "--sandbox", "--yes")
    assert high.code == 2
    assert "far above the other bonuses: $50.00 in line 4. Pay them?" in high.err
    assert "add --max-bonus" in high.err
    assert {one.method for one in service.requests} == {"GET"}
    above = run("rate", sheet, "--sandbox", "--yes", "--max-bonus", "1")
    assert above.code == 2
    assert "BONUS_AMOUNT" in above.out
    assert ledger_of(service) == {}
    assert run("rate", sheet, "--sandbox", "--yes", "--max-bonus", "50").code == 0
    assert service.bonus_paid == Decimal("50.10")


@pytest.mark.parametrize("answers", [["n"], ["y", "n"], ["y", "y"]], ids="-".join)
def test_at_a_terminal_both_questions_are_asked(
    run: Run, service: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: list[str]
) -> None:
    monkeypatch.setattr(asking, "is_at_terminal", lambda: True)
    left = list(answers)
    monkeypatch.setattr("sys.stdin.readline", lambda: left.pop(0) + "\n", raising=False)
    first, second, third = service.unrated()
    rows = [f"{JOB},{first},x,0.05", f"{JOB},{second},x,0.05", f"{JOB},{third},x,50"]
    ran = run("rate", str(write(tmp_path / "s.csv", *rows)), "--sandbox")
    assert left == []
    assert ran.code == (0 if answers == ["y", "y"] else 1)
    assert len(ledger_of(service)) == (3 if answers == ["y", "y"] else 0)


def test_a_dry_run_sends_nothing_asks_nothing_and_says_what_it_would_cost(
    run: Run, service: Sandbox, tmp_path: Path
) -> None:
    sheet = write(tmp_path / "s.csv", *(f"{JOB},{task_id},x,0.05" for task_id in service.unrated()))
    ran = run("rate", str(sheet), "--dry-run", "--sandbox", "--json")
    assert (ran.code, ran.document["would_rate"]) == (0, 3)
    assert [Decimal(ran.document[name]) for name in ("pay", "bonus")] == [Decimal("0.3"), Decimal("0.15")]
    assert ledger_of(service) == {}
    assert os.listdir(tmp_path) == ["s.csv"]
    assert "would be paid for tasks" in run("rate", str(sheet), "--dry-run", "--sandbox").out
    assert run("rate", str(sheet), "--dry-run", "--report", "p.csv", "--sandbox").code == 2


def test_a_sheet_in_which_nothing_is_filled_in_is_done_at_once(run: Run, service: Sandbox, tmp_path: Path) -> None:
    sheet = tmp_path / "todo.csv"
    assert run("export", str(sheet), "--sandbox").code == 0
    ran = run("rate", str(sheet), "--sandbox")
    assert ran.code == 0
    assert "nothing is filled in" in ran.err
    assert os.listdir(tmp_path) == ["todo.csv"]


def test_an_export_replaces_no_file_unless_told_to(run: Run, service: Sandbox, tmp_path: Path) -> None:
    sheet = write(tmp_path / "todo.csv", "kept")
    before = sheet.read_bytes()
    assert run("export", str(sheet), "--sandbox").code == 2
    assert sheet.read_bytes() == before
    assert run("export", str(sheet), "--sandbox", "--overwrite").code == 0
    assert sheet.read_bytes() != before
    assert run("export", str(tmp_path / "nowhere" / "todo.csv"), "--sandbox").code == 1
    assert run("export", str(tmp_path / "todo.doc"), "--sandbox").code == 2


def test_a_refusal_has_exit_code_1_and_is_listed_with_the_way_to_send_it_again(
    run: Run, service: Sandbox, tmp_path: Path
) -> None:
    first, second, _ = service.unrated()
    service.refuse(second, "No \x1b[31mway")
    sheet = write(tmp_path / "s.csv", f"{JOB},{first},x,", f"{JOB},{second},x,")
    ran = run("rate", str(sheet), "--yes", "--sandbox")
    assert ran.code == 1
    assert second in ran.out
    assert "\x1b" not in ran.out + ran.err
    assert f"picoworkers journal reopen {sheet}.sandbox.journal" in ran.err
    service.refuse(second, None)


def test_what_stays_unknown_has_exit_code_3_and_the_last_line_is_the_command_that_goes_on(
    run: Run, service: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "SETTLE_AFTER_SECONDS", 30.0)
    service.faults = Faults(error_500_before=1.0, only={"rate_single_task"})
    sheet = write(tmp_path / "s.csv", f"{JOB},{service.unrated()[0]},x,")
    arguments = ["rate", str(sheet), "--yes", "--sandbox"]

    class Stopped(batches.Stopping):
        async def listen(self, batch, block):
            # As if somebody pressed Ctrl-C twice: the answer that was lost is not waited for.
            while not batch._assembled or batch.progress().unknown == 0:  # noqa: ASYNC110
                await anyio.sleep(0.01)
            block.cancel()

    monkeypatch.setattr(batches, "Stopping", Stopped)
    ran = run(*arguments)
    assert ran.code == 3
    assert ran.err.splitlines()[-1].endswith(f"picoworkers {' '.join(arguments)}")
    service.faults = Faults()
    monkeypatch.undo()


def test_a_sheet_that_changes_after_it_was_checked_ends_it_and_the_same_command_goes_on(
    run: Run, service: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "BLOCK", 2)
    ids = service.unrated()
    rows = [f"{JOB},{task_id},x," for task_id in ids]
    sheet = write(tmp_path / "s.csv", *rows)
    real = rate._ask

    def ask(*given, **more):
        write(sheet, *rows[:2], f"{JOB},{ids[2]},x,0.05")
        return real(*given, **more)

    monkeypatch.setattr(rate, "_ask", ask)
    ran = run("rate", str(sheet), "--yes", "--sandbox", "--json")
    assert (ran.code, ran.document["outcome"]) == (1, "failed")
    assert len(ledger_of(service)) == ran.document["rated"] <= 2
    assert "changed after it was checked" in ran.document["error"]
    assert ran.document["go_on"] in ran.err.splitlines()[-1]
    monkeypatch.setattr(rate, "_ask", real)
    again = run("rate", str(sheet), "--yes", "--sandbox", "--json")
    assert (again.code, again.document["rated"], again.document["replayed"]) == (0, 3, ran.document["rated"])
    assert len(ledger_of(service)) == 3


def test_a_sheet_that_is_gone_when_it_was_agreed_to_ends_it_and_leaves_the_journal_to_others(
    run: Run, service: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = write(tmp_path / "s.csv", *(f"{JOB},{task_id},x," for task_id in service.unrated()))
    text, real = sheet.read_text(), rate._ask

    def ask(*given, **more):
        sheet.unlink()
        os.mkfifo(sheet)
        return real(*given, **more)

    monkeypatch.setattr(rate, "_ask", ask)
    ran = run("rate", str(sheet), "--yes", "--sandbox", "--json")
    assert (ran.code, ran.document["rated"]) == (1, 0)
    assert "changed after it was checked" in ran.document["error"]
    monkeypatch.setattr(rate, "_ask", real)
    sheet.unlink()
    sheet.write_text(text)
    assert run("rate", str(sheet), "--yes", "--sandbox").code == 0


def test_a_report_replaces_an_earlier_report_and_no_other_file(run: Run, service: Sandbox, tmp_path: Path) -> None:
    sheet = write(tmp_path / "s.csv", *(f"{JOB},{task_id},x," for task_id in service.unrated()))
    other, empty = tmp_path / "accounts.csv", tmp_path / "empty.csv"
    other.write_text("at,job,task\nall that we know\n")
    empty.touch()
    asked = ["rate", str(sheet), "--yes", "--sandbox", "--report"]
    ran = run(*asked, str(other))
    assert ran.code == 2
    assert "that file is there, and is no report" in ran.err
    assert other.read_text().endswith("all that we know\n")
    assert service.requests == []
    assert [run(*asked, str(empty)).code for _ in range(2)] == [0, 0]
    assert len(paid(empty)) == 3


def test_lost_credentials_end_it_with_what_was_learned(
    run: Run, service: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = write(tmp_path / "s.csv", *(f"{JOB},{task_id},x," for task_id in service.unrated()))
    monkeypatch.setattr(connection, "_OF_SANDBOXES", connection.Login("user_id", "wrong", "a test"))
    asked = ["rate", str(sheet), "--yes", "--sandbox", "--json"]
    early = run(*asked)
    assert (early.code, early.out) == (2, "")
    ran = run(*asked, "--no-compare")
    assert (ran.code, ran.document["rated"]) == (1, 0)
    assert "picoworkers doctor" in ran.err
    assert ran.err.splitlines()[-1].endswith(f"rate {sheet} --yes --sandbox --json --no-compare")


def test_a_report_is_refused_where_it_would_destroy_something_or_cannot_be(
    run: Run, service: Sandbox, tmp_path: Path
) -> None:
    sheet = write(tmp_path / "s.csv", *(f"{JOB},{task_id},x," for task_id in service.unrated()))
    places = (sheet, f"{sheet}.sandbox.journal", tmp_path, tmp_path / "nowhere" / "p.csv")
    assert [run("rate", str(sheet), "--yes", "--sandbox", "--report", str(one)).code for one in places] == [2] * 4
    assert service.requests == []


def test_a_report_replaces_no_device_no_pipe_and_nothing_that_belongs_to_the_journal(
    run: Run, service: Sandbox, tmp_path: Path
) -> None:
    sheet = write(tmp_path / "s.csv", *(f"{JOB},{task_id},x," for task_id in service.unrated()))
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    places = (pipe, *(f"{sheet}.sandbox.journal{end}" for end in ("-wal", "-shm", "-journal")))
    assert [run("rate", str(sheet), "--yes", "--sandbox", "--report", str(one)).code for one in places] == [2] * 4
    assert service.requests == []
    assert pipe.is_fifo()


def test_a_report_is_written_to_where_a_link_leads(run: Run, service: Sandbox, tmp_path: Path) -> None:
    sheet = write(tmp_path / "s.csv", *(f"{JOB},{task_id},x," for task_id in service.unrated()))
    (tmp_path / "link.csv").symlink_to("paid.csv")
    assert run("rate", str(sheet), "--yes", "--sandbox", "--report", str(tmp_path / "link.csv")).code == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert len(paid(tmp_path / "paid.csv")) == 3


def test_an_export_replaces_nothing_that_is_no_file(run: Run, service: Sandbox, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    ran = run("export", str(pipe), "--overwrite", "--sandbox")
    assert (ran.code, pipe.is_fifo()) == (2, True)
    assert service.requests == []


def test_the_journal_may_be_named(run: Run, service: Sandbox, tmp_path: Path) -> None:
    sheet = write(tmp_path / "s.csv", *(f"{JOB},{task_id},x," for task_id in service.unrated()))
    ran = run("rate", str(sheet), "--yes", "--sandbox", "--journal", str(tmp_path / "j.db"))
    assert ran.code == 0
    assert "the journal is" not in ran.err
    assert Journal(tmp_path / "j.db").counts() == {"rated": 3}
    other = run("rate", str(sheet), "--yes", "--sandbox", "--journal", str(sheet))
    assert other.code == 1


def test_rows_whose_work_was_handed_in_anew_or_waits_no_more_are_left_out_and_said(
    run: Run, desk: Sandbox, shared: list[str], tmp_path: Path
) -> None:
    sheet = tmp_path / "todo.csv"
    again, gone, *_ = desk.unrated()
    assert run("export", str(sheet), *shared).code == 0
    fill(sheet)
    asked = ["rate", str(sheet), "--yes", "--max-bonus", "1", *shared, "--json"]
    back = write(tmp_path / "back.csv", f"{JOB},{again},x,Which year?", head="JOB_ID,TASK_ID,REVISE_TASK,COMMENT")
    assert run("rate", str(back), "--yes", *shared).code == 0
    desk.resubmit(again)
    desk.withdraw(gone)
    ran = run(*asked)
    assert (ran.code, ran.document["rated"], ran.document["outcome"]) == (1, 6, "failed")
    assert ran.document["stale"] == "2 rows are left out: 1 handed in again since, 1 no longer waiting (line 2, 3)"
    assert again in desk.unrated()
    assert "6 tasks" not in ran.err
    twice = run(*asked)
    assert (twice.code, twice.document["rated"], twice.document["requests"]) == (1, 6, 0)
    unlooked = run(*asked, "--no-compare")
    assert (unlooked.document["stale"], unlooked.document["rated"]) == (None, 7)
    assert again not in desk.unrated()


def test_a_sheet_that_is_stale_as_a_whole_rates_nothing(run: Run, service: Sandbox, tmp_path: Path) -> None:
    sheet = tmp_path / "todo.csv"
    assert run("export", str(sheet), "--sandbox").code == 0
    fill(sheet)
    for task_id in service.unrated():
        service.withdraw(task_id)
    ran = run("rate", str(sheet), "--sandbox")
    assert ran.code == 1
    assert "nothing is left to rate" in ran.err
    assert os.listdir(tmp_path) == ["todo.csv"]


def test_where_it_cannot_be_read_what_still_waits_nothing_is_rated_and_the_way_on_is_said(
    run: Run, service: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def compare(*_: object, **__: object) -> None:
        raise ServiceError("jobs.get_unrated_tasks", "HTTP 500", status=500)

    monkeypatch.setattr(rate.sheets, "compare", compare)
    sheet = write(tmp_path / "s.csv", *(f"{JOB},{task_id},x," for task_id in service.unrated()))
    ran = run("rate", str(sheet), "--yes", "--sandbox")
    assert ran.code == 1
    assert "nothing was rated; --no-compare skips this check" in ran.err
    assert ledger_of(service) == {}
    assert run("rate", str(sheet), "--yes", "--sandbox", "--no-compare").code == 0


@pytest.mark.parametrize(
    ("count", "paying", "pay", "bonus", "said"),
    [
        (3, 2, "$0.20 (without fees)", "0.05", "for 2 of them: $0.20 (without fees) and $0.05 in bonuses"),
        (3, 2, None, "0.05", "for 2 of them, and $0.05 in bonuses"),
        (3, 3, None, "0", "for all of them"),
        (1, 1, "$0.10 (without fees)", "0", "for it: $0.10 (without fees)"),
        (2, 0, None, "0", "nobody"),
        (2, 0, None, "0.05", "$0.05 in bonuses"),
    ],
)
def test_the_question_says_what_is_paid(count: int, paying: int, pay: str | None, bonus: str, said: str) -> None:
    assert rate._what_it_pays(count, paying, pay, Decimal(bonus)) == f"This pays {said}"
