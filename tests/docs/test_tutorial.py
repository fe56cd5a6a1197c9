"""The tutorial, from its sandbox to its spreadsheet, as a newcomer types it."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from picoworkers_async import Journal, JournalState

from .pages import PAGES, ROOT, programs

pytestmark = pytest.mark.story

LOOK, ONE, REVIEW, LOST = programs("docs/tutorial.md")
INSTALL, SERVE, EXPORTS, ASK, SHEET = programs("docs/tutorial.md", "sh")
SECONDS = 120


def command(line: str) -> list[str]:
    """What the shell would run: `picoworkers` and `python` of this environment."""
    first, *rest = line.split()
    assert first == "picoworkers"
    return [sys.executable, "-m", "picoworkers_async", *rest]


def test_a_newcomer_gets_from_the_sandbox_to_a_rated_spreadsheet(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "HOME": str(tmp_path)}

    def said(*arguments: str) -> str:
        return subprocess.run(
            arguments, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True, timeout=SECONDS
        ).stdout

    for program in (LOOK, ONE, REVIEW, LOST):
        name = re.match(r"# (\w+\.py)\n", program)
        assert name is not None
        (tmp_path / name[1]).write_text(program, encoding="utf-8")

    # The port of the text may be taken here.
    serve = [part if part != "8000" else "0" for part in command(SERVE)]
    service = subprocess.Popen(serve, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert service.stdout is not None
        address = service.stdout.readline().strip()
        for line in EXPORTS.splitlines():
            name, _, value = line.removeprefix("export ").partition("=")
            environment[name] = value.replace("http://127.0.0.1:8000/api/", address)

        assert "1000.0000 US dollars to spend" in said(sys.executable, "look.py")
        assert said(sys.executable, "one.py").startswith("rated ")

        review = [sys.executable, "review.py"]
        killed = subprocess.Popen(review, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
        assert killed.stdout is not None
        assert killed.stdout.readline().startswith("rated ")
        killed.send_signal(signal.SIGKILL)
        killed.communicate(timeout=SECONDS)
        report = said(*review).splitlines()[-1]
        rated = Journal(tmp_path / "ratings.db").counts()[JournalState.RATED]
        assert re.match(r"\d+ rated in ", report)
        assert f"rated                 {rated}" in said(*command(ASK))

        assert said(sys.executable, "lost.py").startswith("TOOK_EFFECT ")

        export, rate = SHEET.splitlines()
        said(*command(export))
        sheet = tmp_path / "todo.csv"
        with sheet.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        assert {row["WORKER_ID"] for row in rows} == {"abcd1237"}
        rows[0]["SATISFIED"] = "x"
        with sheet.open("w", encoding="utf-8-sig", newline="") as file:
            table = csv.DictWriter(file, rows[0].keys())
            table.writeheader()
            table.writerows(rows)
        said(*command(rate), "--yes")
        with (tmp_path / "paid.csv").open(encoding="utf-8-sig", newline="") as file:
            assert len(list(csv.DictReader(file))) == 1
        assert rated + len(rows) + 1 == 300
    finally:
        service.terminate()
        service.communicate(timeout=SECONDS)


def test_the_tutorial_installs_the_extras_that_it_uses() -> None:
    assert '"picoworkers-async[cli,sandbox]"' in INSTALL
    assert '".[cli,sandbox]"' in PAGES["docs/tutorial.md"]
