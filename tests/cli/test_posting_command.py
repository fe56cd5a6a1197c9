"""`picoworkers post`: what it says of a draft, and that it posts it once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from picoworkers_async.cli import asking
from picoworkers_async.sandbox import Faults, Sandbox
from tests.cli.conftest import Run, change_answers
from tests.cli.test_acting import writes

DRAFT = """
zone_id = "int"
category_id = "0501"
title = "Sign up to ACME website"
instructions = ["Visit the ACME website"]
num_tasks = 25
task_value = "0.20"

[[proofs]]
description = "Screenshot of your profile"
type = "screenshot"
"""


@pytest.fixture
def draft(tmp_path: Path) -> str:
    path = tmp_path / "job.toml"
    path.write_text(DRAFT)
    return str(path)


def test_a_good_draft_is_posted_after_its_cost_was_told(run: Run, service: Sandbox, draft: str) -> None:
    ran = run("post", draft, "--yes", "--sandbox", "--json")
    assert (ran.code, ran.document["outcome"]) == (0, "done")
    assert ran.document["check"]["cost"]["known"] == "5.00"
    assert "cost: at least $5.00, about $6.00 with fees" in ran.err
    assert "balance: $1,000.00\n" in ran.err
    assert writes(service) == ["post_job"]


def test_nothing_is_posted_without_a_yes(
    run: Run, service: Sandbox, draft: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = run("post", draft, "--sandbox")
    assert ran.code == 2
    assert "Post 'Sign up to ACME website' for $5.00 and fees, about $6.00 in all?" in ran.err
    monkeypatch.setattr(asking, "is_at_terminal", lambda: True)
    monkeypatch.setattr("sys.stdin.readline", lambda: "no\n", raising=False)
    assert run("post", draft, "--sandbox").code == 1
    assert writes(service) == []


def test_a_test_asks_nothing_and_posts_nothing(run: Run, service: Sandbox, draft: str) -> None:
    ran = run("post", draft, "--test", "--sandbox", "--json")
    assert (ran.code, ran.document["outcome"], ran.document["job_id"]) == (0, "done", None)
    assert len(run("jobs", "--sandbox", "--json").lines) == 1
    assert service.requests[-2].body["test"] == 1


def test_what_is_wrong_with_a_draft_is_told_and_it_is_not_posted(
    run: Run, service: Sandbox, tmp_path: Path
) -> None:
    path = tmp_path / "job.toml"
    path.write_text(DRAFT.replace('"0501"', '"9999"').replace("25", "9"))
    ran = run("post", str(path), "--yes", "--sandbox", "--json")
    assert (ran.code, ran.document["outcome"]) == (2, "invalid")
    fields = [problem["field"] for problem in ran.document["check"]["problems"]]
    assert sorted(fields) == ["category_id", "num_tasks"]
    assert ran.err.count("problem: ") == 2
    assert writes(service) == []


@pytest.mark.parametrize("text", ["title = ", 'titel = "Play"', None])
def test_a_file_that_cannot_be_read_has_exit_code_2(
    run: Run, service: Sandbox, tmp_path: Path, text: str | None
) -> None:
    path = tmp_path / "job.toml"
    if text is not None:
        path.write_text(text)
    ran = run("post", str(path), "--yes", "--sandbox")
    assert ran.code == 2
    assert "not valid TOML" in ran.err or "titel" in ran.err or "job.toml cannot be read" in ran.err
    assert service.requests == []


def test_all_that_is_wrong_with_a_draft_is_told_in_one_round(run: Run, service: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    path.write_text(DRAFT.replace("title =", "titel =").replace("25", "9"))
    ran = run("post", str(path), "--yes", "--sandbox")
    assert ran.code == 2
    assert "titel" in ran.err
    assert "num_tasks" in ran.err
    assert service.requests == []


def test_a_post_whose_answer_was_lost_is_found_by_reading(run: Run, service: Sandbox, draft: str) -> None:
    service.faults = Faults(cut_after=1.0, only={"post_job"})
    ran = run("post", draft, "--yes", "--sandbox", "--json")
    assert (ran.code, ran.document["outcome"]) == (0, "done")
    assert ran.document["job_id"] in [job["id"] for job in run("jobs", "--sandbox", "--json").lines]
    assert writes(service) == ["post_job"]


def test_a_post_that_cannot_be_looked_up_is_unknown(
    run: Run, service: Sandbox, draft: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse_jobs(request, answer):
        if "get-jobs" not in str(request.url):
            return answer
        return type(answer)(200, json={"ok": False, "message": "Not now."}, request=request)

    change_answers(monkeypatch, service, refuse_jobs)
    service.faults = Faults(cut_after=1.0, only={"post_job"})
    ran = run("post", draft, "--yes", "--sandbox", "--json")
    assert (ran.code, ran.document["outcome"]) == (3, "unknown")
    assert "could not be read" in ran.err
    assert ran.err.rstrip().endswith("before you repeat it")
    assert writes(service) == ["post_job"]


def test_a_draft_that_is_a_pipe_is_refused_and_not_waited_for(run: Run, service: Sandbox, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.toml"
    os.mkfifo(pipe)
    ran = run("post", str(pipe), "--yes", "--sandbox")
    assert ran.code == 2
    assert f"{pipe} cannot be read: not a regular file" in ran.err
