"""The installed command rating and reviewing in processes of its own: resized, interrupted, and going on."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal

from picoworkers_async.sandbox import Faults, Sandbox
from tests.cli.test_installed import COMMAND, SECONDS, at_terminal, ended
from tests.sheets.test_story import ledger_of

JOB = "fc7b3bd10d08"
TASKS = 240
PACE = ["--requests-per-second", "60"]

pytestmark = [pytest.mark.story, pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")]


@contextmanager
def serving(sandbox: Sandbox) -> Iterator[list[str]]:
    """The options that ask this sandbox, served for the block."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(sandbox.serve()) as url:
        yield ["--sandbox", "--base-url", url, *PACE]


def with_tasks(count: int = TASKS, **options) -> Sandbox:
    sandbox = Sandbox(balance=10**6, **options)
    sandbox.add_job(id=JOB, title="Play a video", num_tasks=10_000, task_value="0.10")
    sandbox.add_tasks(JOB, count, proofs=[{"text": "done"}])
    return sandbox


def sheet_of(sandbox: Sandbox, path: Path) -> str:
    rows = [f"{JOB},{task_id},x,0.05\n" for task_id in sandbox.unrated()]
    path.write_text("JOB_ID,TASK_ID,SATISFIED,BONUS_AMOUNT\n" + "".join(rows))
    return str(path)


def wait_for(sandbox: Sandbox, ratings: int) -> None:
    until = time.monotonic() + SECONDS
    while len(sandbox.ledger) < ratings:
        assert time.monotonic() < until
        time.sleep(0.02)


def lines_of(printed: str) -> list[str]:
    """What was drawn, line by line, without what moves the cursor and colours."""
    return [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in re.split(r"[\r\n]+", printed)]


def test_at_a_terminal_it_is_live_follows_a_resize_stops_by_ctrl_c_and_goes_on_by_its_last_line(
    tmp_path: Path,
) -> None:
    sandbox = with_tasks(latency=0.05)
    with serving(sandbox) as at:
        sheet = sheet_of(sandbox, tmp_path / "s.csv")
        waiting = set(sandbox.unrated())
        child = at_terminal("rate", sheet, *at, dimensions=(24, 100))
        child.expect_exact("[y/N] ")
        child.sendline("y")
        child.expect("rated [1-9]")
        child.expect(r"of 240, \d+ %")
        child.setwinsize(24, 50)
        child.expect("permitted pace")
        child.expect("permitted pace")
        # From here on all is drawn for the new width.
        child.expect("rated [1-9]")
        child.sendintr()
        printed, code = ended(child)
        assert code == 130
        assert "stopping: sending what was decided" in " ".join(lines_of(printed))
        assert all(len(line) <= 50 for line in lines_of(printed.partition("stopping")[0]))
        first = len(sandbox.ledger)
        assert 0 < first < TASKS
        last = lines_of(printed)[-1] or lines_of(printed)[-2]
        command = last.partition("picoworkers rate ")[2].split()
        assert command == [sheet, *at]
        ran = subprocess.run(
            [COMMAND, "rate", *command, "--yes", "--json", "--report", str(tmp_path / "paid.csv")],
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    report = json.loads(ran.stdout)
    assert (ran.returncode, report["rated"], report["replayed"]) == (0, TASKS, first)
    assert "\x1b" not in ran.stderr
    assert ledger_of(sandbox).keys() == waiting
    assert sandbox.double_ratings == 0
    assert len((tmp_path / "paid.csv").read_text().splitlines()) == TASKS + 1


def test_ctrl_c_twice_leaves_at_once_and_a_third_ends_the_process(tmp_path: Path) -> None:
    sandbox = with_tasks(faults=Faults(slow=1.0, slow_seconds=120.0, only={"rate_single_task"}))
    with serving(sandbox) as at:
        sheet = sheet_of(sandbox, tmp_path / "s.csv")
        command = [COMMAND, "rate", sheet, "--yes", *at]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            try:
                until = time.monotonic() + SECONDS
                while not any("/rate-" in request.path for request in sandbox.requests):
                    assert time.monotonic() < until
                    time.sleep(0.02)
                for said in ("stopping: ", "leaving: ", "ended: "):
                    process.send_signal(signal.SIGINT)
                    while not (line := process.stderr.readline()).startswith(said):
                        assert line, said
                assert process.wait(timeout=SECONDS) == 130
            finally:
                process.kill()


def test_a_function_that_blocks_the_loop_is_said_to_and_ended_by_a_third_ctrl_c(tmp_path: Path) -> None:
    sandbox = with_tasks(3)
    (tmp_path / "rules.py").write_text(
        "import time\n\ndef decide(task):\n    print('asked', flush=True)\n    time.sleep(3600)\n"
    )
    with serving(sandbox) as at:
        command = [COMMAND, "review", "rules:decide", "--yes", *at]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
            assert process.stderr is not None
            try:
                while (line := process.stderr.readline()) != "asked\n":
                    assert line
                for said in ("not heard yet: ", "not heard yet: ", "ended: "):
                    process.send_signal(signal.SIGINT)
                    while not (line := process.stderr.readline()).startswith(said):
                        assert line, said
                assert process.wait(timeout=SECONDS) == 130
            finally:
                process.kill()
    assert sandbox.ledger == []


def test_a_function_that_never_returns_from_its_thread_does_not_keep_the_process(tmp_path: Path) -> None:
    sandbox = with_tasks(3)
    (tmp_path / "rules.py").write_text("import time\n\ndef decide(task):\n    time.sleep(3600)\n")
    with serving(sandbox) as at:
        command = [
            COMMAND,
            "review",
            "rules:decide",
            "--threads",
            "--decide-timeout",
            "0.2",
            "--yes",
            "--json",
            *at,
        ]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, cwd=tmp_path)
    assert (ran.returncode, json.loads(ran.stdout)["failed"]) == (1, 3)
    assert " ".join(command[1:]) in ran.stderr.splitlines()[-1]


def test_a_review_that_follows_is_stopped_by_sigterm_in_good_order(tmp_path: Path) -> None:
    sandbox = with_tasks(30, latency=0.01)
    (tmp_path / "rules.py").write_text(
        "from picoworkers_async import Rating\n\ndef decide(task):\n    return Rating.ok(task, 'good')\n"
    )
    with serving(sandbox) as at:
        command = [
            COMMAND,
            "review",
            "rules:decide",
            "--follow",
            "0.2",
            "--yes",
            "--journal",
            "j.db",
            *at,
            "--json",
        ]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
        ) as process:
            try:
                wait_for(sandbox, 30)
                sandbox.add_tasks(JOB, 5)
                wait_for(sandbox, 35)
                process.send_signal(signal.SIGTERM)
                printed, words = process.communicate(timeout=SECONDS)
            finally:
                process.kill()
    report = json.loads(printed)
    assert (process.returncode, report["outcome"], report["rated"]) == (130, "interrupted", 35)
    assert "stopping: " in words
    assert words.splitlines()[-1].endswith(" ".join(command[1:]))
    assert len(ledger_of(sandbox)) == 35


CLOSING = """
import contextlib, os, sys
from picoworkers_async import Rating

todo = [
    lambda: os.close(1),
    sys.__stdout__.close,
    lambda: os.close(2),
    lambda: sys.stdout.close(),
    lambda: sys.stderr.close(),
    lambda: setattr(sys, "stderr", None),
]

def decide(task):
    with contextlib.suppress(OSError):
        todo.pop(0)()
    return Rating.ok(task, "good")
"""


def test_a_function_that_closes_stdout_and_stderr_takes_neither_the_report_nor_the_last_line(
    tmp_path: Path,
) -> None:
    sandbox = with_tasks(6)
    (tmp_path / "rules.py").write_text(CLOSING)
    (tmp_path / "early.py").write_text("import os\nos.close(1)\nimport sys\nsys.stderr.close()\n")
    with serving(sandbox) as at:
        command = [COMMAND, "review", "rules:decide", "--yes", "--json", "--journal", "j.db", *at]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, cwd=tmp_path)
        command[2] = "early:decide"
        early = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout)["rated"] == 6
    assert early.returncode == 2
    assert "no decide" in early.stderr.splitlines()[-1]


def test_without_a_terminal_there_is_a_plain_line_every_few_seconds(tmp_path: Path) -> None:
    sandbox = with_tasks(350)
    with serving(sandbox) as at:
        sheet = sheet_of(sandbox, tmp_path / "s.csv")
        ran = subprocess.run(
            [COMMAND, "rate", sheet, "--yes", *at], capture_output=True, text=True, timeout=SECONDS
        )
    assert ran.returncode == 0
    assert re.search(
        r"^\d+ of 350, \d+ %, \d+:\d\d left; rated \d+; refused 0; .*permitted pace$", ran.stderr, re.M
    )
    assert "\x1b" not in ran.stdout + ran.stderr
    assert re.search(r"^paid for tasks +\$35\.00", ran.stdout, re.M)
