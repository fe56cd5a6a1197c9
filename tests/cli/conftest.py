"""The command line run in this process, against a sandbox that the test can look into."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import attrs
import pytest

from picoworkers_async import PICOWORKERS, Rating, Task
from picoworkers_async.cli import connection
from picoworkers_async.cli.main import main
from picoworkers_async.sandbox import Sandbox


@attrs.frozen
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Its one JSON document."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Its JSON Lines."""
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home of its own: nobody's credentials, no keyring, no wishes about colours."""
    for name in ("USER_ID", "API_SECRET", "BASE_URL", "EDITION"):
        monkeypatch.delenv(f"PICOWORKERS_{name}", raising=False)
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setitem(sys.modules, "keyring", None)
    return tmp_path


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """What `--sandbox` asks: one job with three tasks."""
    return serve(monkeypatch, Sandbox(edition=PICOWORKERS))


def serve(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> Sandbox:
    """Have `--sandbox` ask this one."""
    job_id = sandbox.add_job(id="fc7b3bd10d08", title="Play a video", task_value="0.10", num_tasks=50, ttr=3)
    sandbox.add_tasks(job_id, 3, proofs=[{"text": "done"}])
    monkeypatch.setattr(connection, "fresh_sandbox", lambda edition, **_: sandbox)
    return sandbox


def change_answers(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, change: Callable[[Any, Any], Awaitable[Any]]
) -> None:
    """Have `change(request, answer)` give the answer to each request in place of the sandbox's own."""
    real = sandbox.transport

    def transport() -> Any:
        made = real()
        handle = made.handle_async_request

        async def handled(request: Any) -> Any:
            return await change(request, await handle(request))

        monkeypatch.setattr(made, "handle_async_request", handled)
        return made

    monkeypatch.setattr(sandbox, "transport", transport)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command with these arguments."""

    def run_it(*arguments: str) -> Ran:
        code = main(arguments)
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run_it


@pytest.fixture
def journal(service: Sandbox, tmp_path: Path) -> str:
    """Of three ratings: two took effect, one with a bonus, and one was refused in words like a formula."""
    path = tmp_path / "ratings.db"
    refused = service.unrated()[2]
    service.refuse(refused, "=cmd()|\x1b[31m\u202e")

    def decide(task: Task) -> Rating:
        return Rating.ok(task, "good", bonus="0.05" if task.worker_id == "abcd1234" else None)

    async def rate() -> None:
        async with service.client() as pico:
            await pico.review_all(decide, journal=path)

    anyio.run(rate)
    return str(path)
