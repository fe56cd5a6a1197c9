"""`picoworkers doctor`: a line each, with what to do where something is not well."""

from __future__ import annotations

from pathlib import Path

import pytest

from picoworkers_async import SPROUTGIGS
from picoworkers_async.cli.doctor import Level, of_clock
from picoworkers_async.sandbox import Sandbox
from tests.cli.conftest import Ran, Run, change_answers, serve


def levels(ran: Ran) -> dict[str, str]:
    return {finding["subject"]: finding["level"] for finding in ran.document["findings"]}


def remedy(ran: Ran, subject: str) -> str:
    (found,) = (finding for finding in ran.document["findings"] if finding["subject"] == subject)
    return found["remedy"]


@pytest.mark.usefixtures("service")
def test_a_service_that_is_well_is_said_to_be(run: Run) -> None:
    ran = run("doctor", "--sandbox", "--json")
    assert (ran.code, ran.document["ok"]) == (0, True)
    assert levels(ran) == dict.fromkeys(("credentials", "address", "edition", "clock", "pacer"), "ok")
    assert "within a minute" in run("doctor", "--sandbox").out


def test_missing_credentials_are_a_problem_with_a_remedy(run: Run) -> None:
    ran = run("doctor", "--json")
    assert (ran.code, ran.document["ok"]) == (1, False)
    assert levels(ran) == {"credentials": "problem"}
    assert "picoworkers login" in remedy(ran, "credentials")


def test_a_file_that_others_can_read_is_a_problem_with_its_own_remedy(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('user_id = "a"\napi_secret = "b"\n')
    path.chmod(0o644)
    ran = run("doctor", "--credentials", str(path), "--json")
    assert (ran.code, remedy(ran, "credentials")) == (1, f"chmod 600 {path}")


def test_credentials_that_are_not_accepted_are_a_problem(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, Sandbox(api_secret="another"))
    ran = run("doctor", "--sandbox", "--json")
    assert ran.code == 1
    assert levels(ran) == {"credentials": "problem", "address": "ok", "pacer": "ok"}


def test_an_address_where_nobody_answers_is_a_problem(run: Run) -> None:
    ran = run("doctor", "--sandbox", "--base-url", "http://127.0.0.1:9/api/", "--json")
    assert ran.code == 1
    assert levels(ran)["address"] == "problem"
    assert levels(ran)["credentials"] == "note"
    ran = run("doctor", "--sandbox", "--base-url", "http://sandbox.example/api/", "--json")
    assert levels(ran) == {"base_url": "problem"}
    ran = run("doctor", "--sandbox", "--base-url", "https://sandbox.example/api/", "--json")
    assert levels(ran) == {"options": "problem"}


def test_another_edition_than_the_one_that_answers_is_a_problem(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, Sandbox(edition=SPROUTGIGS))
    ran = run("doctor", "--sandbox", "--json")
    assert ran.code == 1
    assert remedy(ran, "edition") == "use --edition sproutgigs"


def test_a_service_that_has_moved_is_told_from_one_that_is_away(
    run: Run, service: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def moved(request, answer):
        return type(answer)(301, headers={"location": "https://sproutgigs.com/api/"}, request=request)

    change_answers(monkeypatch, service, moved)
    ran = run("doctor", "--sandbox", "--json")
    assert "use --edition sproutgigs" in remedy(ran, "address")


@pytest.mark.parametrize(
    ("ahead", "level"),
    [(None, Level.NOTE), (0.0, Level.OK), (-59.0, Level.OK), (61.0, Level.PROBLEM), (-3600.0, Level.PROBLEM)],
)
def test_a_clock_that_is_a_minute_off_is_a_problem(ahead: float | None, level: Level) -> None:
    found = of_clock(ahead)
    assert found.level is level
    assert (found.remedy is None) is (level is not Level.PROBLEM)
    assert "behind" in found.what or ahead != -3600.0


def test_the_clock_of_a_service_that_is_an_hour_behind_is_told(
    run: Run, service: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def behind(_, answer):
        answer.headers["date"] = "Mon, 01 Jan 2024 00:00:00 GMT"
        return answer

    change_answers(monkeypatch, service, behind)
    assert levels(run("doctor", "--sandbox", "--json"))["clock"] == "problem"


@pytest.mark.usefixtures("service")
def test_a_pacer_is_tried(run: Run, tmp_path: Path) -> None:
    good, bad = tmp_path / "pace.db", tmp_path / "words.db"
    bad.write_text("no database at all, but words, and more of them than a heading has" * 20)
    options = ("--sandbox", "--requests-per-second", "100", "--json", "--pacer")
    assert levels(run("doctor", *options, str(good)))["pacer"] == "ok"
    ran = run("doctor", *options, str(bad))
    assert (ran.code, levels(ran)["pacer"]) == (1, "problem")


def test_an_edition_with_a_pace_is_better_shared(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICOWORKERS_USER_ID", "user_id")
    monkeypatch.setenv("PICOWORKERS_API_SECRET", "api_secret")
    ran = run("doctor", "--edition", "sproutgigs", "--base-url", "http://127.0.0.1:9/api/", "--json")
    assert levels(ran)["pacer"] == "note"


def test_a_journal_is_looked_at(run: Run, journal: str, tmp_path: Path) -> None:
    ran = run("doctor", "--sandbox", "--journal", journal, "--json")
    assert (ran.code, levels(ran)["journal"]) == (0, "ok")
    run("journal", "reopen", journal, "--yes")
    ran = run("doctor", "--sandbox", "--journal", journal, "--json")
    assert (ran.code, levels(ran)["journal"]) == (0, "note")
    assert "again, which sends them" in remedy(ran, "journal")
    assert "of them decided, but not sent" in ran.out
    assert "unknown" not in ran.out
    missing = run("doctor", "--sandbox", "--journal", str(tmp_path / "no.db"), "--json")
    assert (missing.code, levels(missing)["journal"]) == (1, "problem")
