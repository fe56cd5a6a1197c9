"""`rate` on a sheet whose journal has something of it already: what is left, and what was changed too late."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from picoworkers_async import Journal
from picoworkers_async.cli import rate
from picoworkers_async.cli.sheet_facts import SheetFacts
from picoworkers_async.journal.lock import FileLock
from picoworkers_async.sandbox import Sandbox
from tests.cli.conftest import Run
from tests.cli.test_rate_command import JOB, write
from tests.cli.test_wording import NOWHERE
from tests.sheets.test_story import ledger_of


def test_rows_that_were_changed_after_they_were_rated_are_told_before_and_after_and_fail(
    run: Run, service: Sandbox, tmp_path: Path
) -> None:
    ids = service.unrated()
    sheet = write(tmp_path / "s.csv", *(f"{JOB},{task_id},x,0.05" for task_id in ids))
    assert run("rate", str(sheet), "--yes", "--sandbox").code == 0
    write(sheet, f"{JOB},{ids[0]},x,0.05", f"{JOB},{ids[1]},x,0.07", f"{JOB},{ids[2]},x,")
    ran = run("rate", str(sheet), "--yes", "--sandbox", "--json")
    assert (ran.code, ran.document["outcome"], ran.document["replayed"]) == (1, "failed", 3)
    said = "2 rows differ from what was already rated, and stay as they were: line 3, 4"
    assert said in ran.document["differing"]
    assert ran.err.count(said) == 2
    assert "by earlier runs: 3 rated; 0 to send" in ran.err
    assert service.bonus_paid == Decimal("0.15")
    assert run("rate", str(sheet), "--dry-run", "--sandbox").code == 1


def test_a_row_that_says_the_same_in_other_words_does_not_differ(
    run: Run, service: Sandbox, tmp_path: Path
) -> None:
    first = service.unrated()[0]
    sheet = write(tmp_path / "s.csv", f"{JOB},{first},x,")
    assert run("rate", str(sheet), "--yes", "--sandbox").code == 0
    write(sheet, f"{JOB},{first},X,0.00")
    assert run("rate", str(sheet), "--yes", "--sandbox").code == 0


def test_a_dry_run_beside_a_real_journal_says_what_a_second_run_would_send_and_leaves_the_journal_alone(
    run: Run, service: Sandbox, tmp_path: Path
) -> None:
    ids, journal = service.unrated(), tmp_path / "real.db"
    named = ["--journal", str(journal), "--sandbox"]
    sheet = write(tmp_path / "s.csv", f"{JOB},{ids[0]},x,0.05")
    assert run("rate", str(sheet), "--yes", *named).code == 0
    write(sheet, *(f"{JOB},{task_id},x,0.05" for task_id in ids))
    before = journal.read_bytes(), journal.stat().st_mtime_ns
    # A batch that runs has it locked, and is not met.
    lock = FileLock(journal)
    try:
        ran = run("rate", str(sheet), "--dry-run", "--json", *named)
    finally:
        lock.release()
    assert (ran.code, ran.document["would_rate"], ran.document["journal"]) == (0, 2, None)
    assert "by earlier runs: 1 rated; 2 to send" in ran.err
    assert before == (journal.read_bytes(), journal.stat().st_mtime_ns)
    assert len(ledger_of(service)) == 1
    assert not (tmp_path / "s.csv.sandbox.journal").exists()


def test_what_was_tried_on_a_sandbox_does_not_stand_in_the_way_of_the_real_run(
    run: Run, service: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = write(tmp_path / "s.csv", f"{JOB},{service.unrated()[0]},x,")
    tried = run("rate", str(sheet), "--yes", "--sandbox")
    assert tried.code == 0
    assert f"the journal is {sheet}.sandbox.journal" in tried.err
    for name, value in (("USER_ID", "somebody"), ("API_SECRET", "s3cret"), ("BASE_URL", NOWHERE)):
        monkeypatch.setenv(f"PICOWORKERS_{name}", value)
    real = run("rate", str(sheet), "--no-compare")
    assert "earlier runs" not in real.err
    assert "Rate 1 task?" in real.err


def test_a_dry_run_may_have_a_journal_of_its_own(run: Run, service: Sandbox, tmp_path: Path) -> None:
    sheet = write(tmp_path / "s.csv", *(f"{JOB},{task_id},x," for task_id in service.unrated()))
    more = ["--dry-run", "--journal", str(tmp_path / "dry.db"), "--sandbox", "--json"]
    assert run("rate", str(sheet), *more).document["would_rate"] == 3
    assert Journal(tmp_path / "dry.db").counts() == {"would_rate": 3}


def test_more_differing_rows_are_counted_than_are_named(run: Run, service: Sandbox, tmp_path: Path) -> None:
    service.add_tasks(JOB, 20, proofs=[{"text": "done"}])
    ids = service.unrated()
    sheet = write(tmp_path / "s.csv", *(f"{JOB},{task_id},x," for task_id in ids))
    assert run("rate", str(sheet), "--yes", "--sandbox").code == 0
    write(sheet, *(f"{JOB},{task_id},x,0.01" for task_id in ids))
    ran = run("rate", str(sheet), "--yes", "--sandbox")
    assert ran.code == 1
    assert "23 rows differ" in ran.err
    assert "10, 11 and 13 more" in ran.err


def test_what_is_left_is_asked_about_in_dollars_and_nothing_is_asked_where_nothing_is(
    run: Run, service: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = service.unrated()
    sheet = write(tmp_path / "s.csv", f"{JOB},{ids[0]},x,0.05")
    assert run("rate", str(sheet), "--yes", "--sandbox").code == 0
    write(sheet, *(f"{JOB},{task_id},x,0.05" for task_id in ids))
    dry = run("rate", str(sheet), "--dry-run", "--sandbox", "--json").document
    assert (dry["would_rate"], Decimal(dry["pay"]), Decimal(dry["bonus"])) == (2, Decimal("0.2"), Decimal("0.1"))
    asked: list[str] = []

    def confirm(question: str, **_: object) -> None:
        asked.append(question)

    monkeypatch.setattr(rate, "confirm", confirm)
    ran = run("rate", str(sheet), "--sandbox")
    assert ran.code == 0
    assert "by earlier runs: 1 rated; 2 to send" in ran.err
    assert asked == ["Rate 2 tasks? This pays for all of them: $0.20 (without fees) and $0.10 in bonuses."]
    assert run("rate", str(sheet), "--sandbox").code == 0
    assert len(asked) == 1
    assert len(ledger_of(service)) == 3


def test_the_pay_of_very_many_jobs_is_about_what_the_sheet_says_and_takes_no_request(
    run: Run, service: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def confirm(question: str, **_: object) -> None:
        asked.append(question)
        assert service.requests == []

    monkeypatch.setattr(rate, "confirm", confirm)
    jobs = [service.add_job(task_value="0.25", num_tasks=5) for _ in range(21)]
    rows = [f"{job_id},{service.add_tasks(job_id, 1)[0]},x,,0.25" for job_id in jobs]
    head = "JOB_ID,TASK_ID,SATISFIED,BONUS_AMOUNT,PAY"
    sheet = write(tmp_path / "s.csv", *rows, head=head)
    assert run("rate", str(sheet), "--no-compare", "--sandbox").code == 0
    assert asked == ["Rate 21 tasks? This pays for all of them: about $5.25 (without fees, by the sheet)."]


@pytest.mark.parametrize("pays", [("0.25", "0.5"), ("much", "much"), ("", ""), ("-1", "-1")])
def test_what_a_sheet_does_not_say_clearly_of_pay_is_not_known(tmp_path: Path, pays: tuple[str, str]) -> None:
    sheet = write(tmp_path / "s.csv", *(f"{JOB},t,{pay}" for pay in pays), head="JOB_ID,TASK_ID,PAY")
    assert SheetFacts(sheet, {}, None, None).pays() == {}


def test_the_journal_knows_afterwards_what_was_paid_for_tasks_and_in_total(
    run: Run, service: Sandbox, tmp_path: Path
) -> None:
    sheet = write(tmp_path / "s.csv", *(f"{JOB},{task_id},x,0.05" for task_id in service.unrated()))
    assert run("rate", str(sheet), "--yes", "--sandbox").code == 0
    whole = run("journal", f"{sheet}.sandbox.journal", "--json").document
    assert [Decimal(whole[name]) for name in ("pay_paid", "bonus_paid", "total_paid")] == [
        Decimal("0.3"),
        Decimal("0.15"),
        Decimal("0.45"),
    ]
    assert whole["unpriced"] == []
    (of_job,) = run("journal", f"{sheet}.sandbox.journal", "--by", "job", "--json").lines
    assert (Decimal(of_job["pay"]), of_job["unpriced"]) == (Decimal("0.3"), 0)
    for asked in (["--by", "worker"], ["--worker", "abcd1234"]):
        assert "this journal has no workers" in run("journal", f"{sheet}.sandbox.journal", *asked).err


def test_pay_that_is_not_known_is_no_zero_and_has_its_remedy(run: Run, journal: str) -> None:
    told = run("journal", journal, "--by", "job", "--csv")
    assert told.out.splitlines()[1].split(",")[3:] == ["", "0.05", "2"]
    assert "the pay of 2 ratings is not known" in told.err
    assert "--report" in run("journal", journal).err
