"""Commands that read: tables for people, JSON for programs, and nothing else on stdout."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from picoworkers_async import Job, Task
from picoworkers_async.cli import connection, sandbox_command
from picoworkers_async.cli.credentials import Login
from picoworkers_async.cli.exits import CommandError
from picoworkers_async.cli.jobs import due_within, rate_by
from picoworkers_async.sandbox import Sandbox
from tests.cli.conftest import Run

JOB = "fc7b3bd10d08"
READING = (
    *(["balance"], ["zones"], ["categories"], ["lists"], ["jobs"], ["job", JOB]),
    *(["tasks"], ["tasks", "--job", JOB, "--due", "9d"]),
)


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_command_that_reads_prints_a_table_or_json_alone_on_stdout(run: Run, command: list[str]) -> None:
    table, plain = run(*command, "--sandbox"), run(*command, "--sandbox", "--json")
    assert (table.code, plain.code) == (0, 0)
    assert table.out.strip()
    assert "\x1b" not in table.out
    assert all(isinstance(line, dict) for line in plain.lines)
    assert table.err == plain.err == ""


@pytest.mark.usefixtures("service")
def test_the_balance_is_exact(run: Run) -> None:
    assert run("balance", "--sandbox", "--json").document["spendable"] == "1000.0000"
    assert "$1,000.00\n" in run("balance", "--sandbox").out


@pytest.mark.usefixtures("service")
def test_categories_are_searched_in_any_letter_case(run: Run) -> None:
    assert [one["id"] for one in run("categories", "--search", "VIDEO", "--sandbox", "--json").lines] == ["2004"]


def test_jobs_are_filtered(run: Run, service: Sandbox) -> None:
    paused = service.add_job(title="Another")
    service.set_job_status(paused, "paused")
    assert [job["id"] for job in run("jobs", "--sandbox", "--json").lines] == [JOB, paused]
    assert [job["id"] for job in run("jobs", "--status", "paused", "--sandbox", "--json").lines] == [paused]
    assert [job["id"] for job in run("jobs", "--unrated", "--sandbox", "--json").lines] == [JOB]


def test_tasks_are_listed_with_when_they_pay_themselves_and_the_first_due_first(
    run: Run, service: Sandbox
) -> None:
    early = datetime.now(UTC) - timedelta(days=2, hours=12)
    (urgent,) = service.add_tasks(JOB, 1, finished_at=early)
    listed = run("tasks", "--sandbox", "--json").lines
    assert len(listed) == 4
    soon = run("tasks", "--due", "24h", "--sandbox", "--json").lines
    assert [task["id"] for task in soon] == [urgent]
    assert datetime.fromisoformat(soon[0]["rate_by"]) == datetime.fromisoformat(
        soon[0]["finished_at"]
    ) + timedelta(3)
    assert run("tasks", "--due", "30d", "--sandbox", "--json").lines[0]["id"] == urgent


def test_tasks_of_which_it_is_not_known_when_they_are_due_are_kept_and_come_last() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    known = {"a": Job("a", ttr=1)}
    dated, undated, other = Task("1", "a", finished_at=now), Task("2", "a"), Task("3", "b", finished_at=now)
    rows = [(task, rate_by(task, known)) for task in (undated, other, dated)]
    assert [at for _, at in rows] == [None, None, now + timedelta(days=1)]
    assert [task.id for task, _ in due_within(rows, now + timedelta(days=2))] == ["1", "2", "3"]
    assert [task.id for task, _ in due_within(rows, now)] == ["2", "3"]


def test_a_watched_job_is_told_until_it_has_ended(run: Run, service: Sandbox) -> None:
    service.set_job_status(JOB, "finished")
    watched = run("job", JOB, "--watch", "--sandbox", "--json")
    assert watched.code == 0
    assert [line["after"]["status"] for line in watched.lines] == ["finished"]
    assert "stop with Ctrl-C" in watched.err
    assert "finished" in run("job", JOB, "--watch", "--sandbox").out


@pytest.mark.usefixtures("service")
def test_a_table_is_as_wide_as_columns_says(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert max(map(len, run("zones", "--sandbox").out.splitlines())) > 80
    monkeypatch.setenv("COLUMNS", "60")
    assert max(map(len, run("zones", "--sandbox").out.splitlines())) == 60


@pytest.mark.usefixtures("service")
def test_what_the_service_refuses_is_told_in_its_words_with_exit_code_1(run: Run) -> None:
    ran = run("job", "00000000000", "--sandbox", "--json")
    assert (ran.code, ran.out) == (1, "")
    assert "refused by the service" in ran.err


@pytest.mark.parametrize("command", [["balance"], ["pause", JOB], ["stop", JOB, "--yes"]], ids=" ".join)
def test_credentials_that_the_service_does_not_accept_have_exit_code_2(
    run: Run, service: Sandbox, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_OF_SANDBOXES", Login("user_id", "wrong", "the test"))
    ran = run(*command, "--sandbox", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert "user id and API secret" in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["balance", "--nonsense"], "--nonsense"),
        (["nonsense"], "nonsense"),
        (["job", "--sandbox"], "job"),
        (["balance", "--sandbox", "--timeout", "-1"], "--timeout -1.0: a finite number of seconds above 0\n"),
        (["balance", "--sandbox", "--requests-per-second", "0"], "--requests-per-second 0"),
        (["balance", "--sandbox", "--pacer", "pace.db"], "for the pacer to share"),
        (["jobs", "--sandbox", "--status", "pending_approval"], "status"),
        (["balance", "--sandbox", "--base-url", "https://sproutgigs.com/api/"], "served on this machine"),
        (["sandbox", "--port", "-1"], "--port a port"),
    ],
)
def test_a_mistake_in_the_command_has_exit_code_2(run: Run, arguments: list[str], said: str) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_an_edition_in_the_environment_that_there_is_not_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICOWORKERS_EDITION", "picoworker")
    ran = run("balance", "--sandbox")
    assert ran.code == 2
    assert "one of picoworkers, sproutgigs" in ran.err


def test_a_fresh_sandbox_has_something_to_look_at(run: Run) -> None:
    assert len(run("jobs", "--sandbox", "--edition", "sproutgigs", "--json").lines) == 3
    assert len(run("tasks", "--sandbox", "--json").lines) == 12


def test_completion_is_written_for_a_shell(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "completion.sh"
    ran = run("--install-completion", "--shell", "bash", "--output", str(path))
    assert ran.code == 0
    assert "add-positions" in path.read_text()


@pytest.mark.parametrize(
    ("options", "limit"),
    [
        (["--edition", "sproutgigs"], 1.0),
        ([], None),
        (["--edition", "sproutgigs", "--requests-per-second", "0"], None),
        (["--requests-per-second", "5"], 5.0),
    ],
)
def test_a_served_sandbox_has_the_limit_of_its_edition_unless_another_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, options: list[str], limit: float | None
) -> None:
    made: list[float | None] = []

    def fresh_sandbox(*_: object, requests_per_second: float | None, **__: object) -> None:
        made.append(requests_per_second)
        raise CommandError("made")

    monkeypatch.setattr(sandbox_command, "fresh_sandbox", fresh_sandbox)
    run("sandbox", *options)
    assert made == [limit]
