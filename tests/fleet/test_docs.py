"""The programs of the page on deciders run as they stand."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from picoworkers_async import AsyncPicoworkers, Throttle
from picoworkers_async.sandbox import Sandbox
from tests.docs.pages import ROOT, programs
from tests.support.valkey import Server

pytestmark = pytest.mark.story
RULES, COORDINATOR = programs("docs/how-to/deciders.md")


@pytest.fixture
def deciding(broker: Server, tmp_path: Path) -> Iterator[None]:
    """A decider by the page's rules, started by the command."""
    (tmp_path / "rules.py").write_text(RULES, encoding="utf-8")
    environment = {**os.environ, "PICOWORKERS_BROKER": broker.url, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "picoworkers_async", "decide", "rules:decide", "--name", "shop"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL) as process:
        yield
        process.terminate()
        assert process.wait(60) == 0


@pytest.mark.usefixtures("deciding")
def test_the_page_s_decider_and_coordinator_rate_all(
    broker: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox = Sandbox()
    sandbox.add_tasks(sandbox.add_job(), 8)
    monkeypatch.setattr(
        AsyncPicoworkers,
        "from_env",
        lambda: AsyncPicoworkers("user_id", "api_secret", transport=sandbox.transport(), throttle=Throttle()),
    )
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": "coordinator"}
    exec(COORDINATOR.replace("redis://127.0.0.1:6379/0", broker.url), names)
    anyio.run(names["main"])
    assert capsys.readouterr().out.startswith("8 FleetCounts(out=0, decided=8, failed=0")
    assert sandbox.unrated() == []
