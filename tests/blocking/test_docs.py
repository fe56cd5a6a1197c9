"""The programs of docs/how-to/not-async.md run as they stand; stand-ins give the names of Django and Celery."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from picoworkers_async import AsyncPicoworkers, Throttle
from picoworkers_async.sandbox import Sandbox

from ..docs.pages import programs

SCRIPT, SHEETS, INTERRUPTED, VIEW, TASK, ONE, NOTEBOOK = programs("docs/how-to/not-async.md")


def module(monkeypatch: pytest.MonkeyPatch, name: str, **names: object) -> None:
    made = ModuleType(name)
    vars(made).update(names)
    monkeypatch.setitem(sys.modules, name, made)


class JsonResponse:
    def __init__(self, data: object, status: int = 200) -> None:
        self.data, self.status_code = data, status


@pytest.fixture(autouse=True)
def where_it_runs(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, job_id: str) -> None:
    """A folder of its own, the environment, and the sandbox where the service would be."""
    original = AsyncPicoworkers.__init__

    def in_the_sandbox(self: AsyncPicoworkers, *arguments: Any, **options: Any) -> None:
        options.update(transport=sandbox.transport(), throttle=Throttle())
        original(self, *arguments, **options)

    monkeypatch.setattr(AsyncPicoworkers, "__init__", in_the_sandbox)
    monkeypatch.setenv("PICOWORKERS_USER_ID", "user_id")
    monkeypatch.setenv("PICOWORKERS_API_SECRET", "api_secret")
    monkeypatch.chdir(tmp_path)
    module(monkeypatch, "django")
    module(monkeypatch, "django.http", HttpRequest=object, JsonResponse=JsonResponse)
    module(monkeypatch, "celery", shared_task=lambda **options: lambda function: function)


def run(program: str, **given: Any) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "docs", **given}
    exec(compile(program, "docs/how-to/not-async.md", "exec"), names)
    return names


def test_the_script_rates_what_waits(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    run(SCRIPT)
    assert "30 rated" in capsys.readouterr().out
    assert sandbox.unrated() == []
    assert sandbox.complaints == []


def test_the_sheet_is_exported_and_read_again(sandbox: Sandbox, tmp_path: Path) -> None:
    run(SHEETS)
    assert (tmp_path / "todo.csv").exists()
    assert sandbox.ledger == []  # nothing is filled in


def test_the_script_that_is_interrupted_says_what_is_known(sandbox: Sandbox) -> None:
    said: list[tuple[Any, ...]] = []

    def say(*words: Any) -> None:
        said.append(words)
        if len(said) == 1:
            raise KeyboardInterrupt

    run(INTERRUPTED, print=say)
    _, (report, _, _), (counts,) = said
    assert report.rated == counts["rated"] == len(sandbox.ledger) > 0


def test_the_view_shows_a_job_and_tells_of_one_that_is_not_there(job_id: str) -> None:
    names = run(VIEW)
    try:
        assert names["show_job"](None, job_id).data["id"] == job_id
        assert names["show_job"](None, "missing").status_code == 404
        assert names["pico"]() is names["pico"]()
    finally:
        names["pico"]().close()


def test_the_task_may_be_delivered_twice(sandbox: Sandbox, job_id: str) -> None:
    review = run(TASK)["review_job"]
    assert review(job_id) == {"rated": 30, "failed": 0, "unknown": 0}
    assert review(job_id)["failed"] == 0
    assert sandbox.double_ratings == 0


def test_the_task_that_rates_one_may_be_delivered_twice(sandbox: Sandbox, job_id: str) -> None:
    rate = run(ONE)["rate_task"]
    task_id = sandbox.unrated()[0]
    for _ in range(2):
        assert rate(job_id, task_id, "0.05") == {"rated": 1, "failed": 0, "unknown": 0}
    assert (len(sandbox.ledger), sandbox.double_ratings) == (1, 0)


def test_the_cell_of_the_notebook_reads_the_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    run(NOTEBOOK)
    assert capsys.readouterr().out == "30\n"
