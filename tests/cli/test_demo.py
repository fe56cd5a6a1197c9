"""`picoworkers demo`: what it shows is so, and nothing of it is left behind."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import anyio
import httpx
import pexpect
import pytest

import picoworkers_async
from picoworkers_async import PICOWORKERS
from picoworkers_async.cli import demo
from picoworkers_async.cli.demo import books, killed, screen, services, show
from picoworkers_async.cli.demo.services import Money, Part, Served
from picoworkers_async.cli.demo.sizes import FAST, Sizes
from picoworkers_async.cli.exits import CommandError, Exit
from picoworkers_async.sandbox import Sandbox

PROGRAM = "import sys; from picoworkers_async.cli.main import main; sys.exit(main())"
COMMAND = [sys.executable, "-c", PROGRAM, "demo"]
SECONDS = 100
SMALL = Sizes(tasks=150, few=4, of_batch=24, before_kill=5, pace=40.0, latency=0.2, settle_after=0.4)
PAID = Money(3, Decimal("0.30"), Decimal("0.05"))

# Python warns of forking beside threads, which pytest's own workers have; the child does nothing but exec.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def at_terminal(*options: str, env: dict[str, str]) -> pexpect.spawn:
    command, *arguments = COMMAND
    return pexpect.spawn(
        command, [*arguments, *options], encoding="utf-8", timeout=SECONDS, dimensions=(50, 80), env=env
    )


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def processes(printed: str) -> list[int]:
    """The numbers of the process that was killed, and of the one that went on."""
    return [int(number) for number in re.findall(r"process (\d+) (?:is killed|resumes)", printed)]


def numbers(printed: str, name: str) -> list[int]:
    """What a row of a table has of this name."""
    row = re.search(rf"^ *{name} {{2,}}(.*)$", printed, re.MULTILINE)
    assert row is not None, printed
    return [int(value.replace(",", "")) for value in re.findall(r"(?<![\d.])\d[\d,]*(?![\d.])", row[1])]


@pytest.mark.story
def test_in_a_pipe_it_shows_all_of_it_in_80_columns_and_leaves_no_process(tmp_path: Path) -> None:
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    ran = subprocess.run([*COMMAND, "--fast"], capture_output=True, text=True, timeout=SECONDS, env=env)
    printed = ran.stdout
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "\x1b" not in printed
    assert max(map(len, printed.splitlines())) <= 80
    assert [line for line in printed.splitlines() if line != line.rstrip()] == []
    # In bulk, one by one.
    assert numbers(printed, "rated")[:2] == [FAST.tasks, FAST.few]
    bulk, single = numbers(printed, "requests that rate")
    assert bulk * 50 <= FAST.tasks
    assert single == FAST.few
    # Killed, resumed.
    assert "is killed (SIGKILL)" in printed
    assert "  ... " in printed
    then, now = numbers(printed, "rated by the service")
    assert FAST.before_kill <= then < now == FAST.of_batch
    of_journal = printed[printed.index("in the journal") :]
    assert numbers(of_journal, "sent")[0] > 0
    assert [numbers(of_journal, state)[1] for state in ("decided", "sent", "unknown", "rated")] == [
        *(0, 0, 0),
        FAST.of_batch,
    ]
    # Lost.
    assert "UNKNOWN: nothing is sent again" in printed
    assert "RATED: requests that rated it: 1" in printed
    # The ledger.
    assert re.findall(r"ledger +([\d,]+) ", printed) == re.findall(r"report +([\d,]+) ", printed)
    assert "They agree to the cent. Rated twice: 0. Left out: 0." in printed
    assert "Requests over the limit: 0." in " ".join(printed.split())
    pids = processes(printed)
    assert len(set(pids)) == 2
    assert not any(map(is_there, pids))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.story
def test_at_a_terminal_its_tables_change_in_place_and_its_pages_are_kept_if_asked() -> None:
    env = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    env["TERM"] = "xterm-256color"
    child = pexpect.spawn(
        COMMAND[0],
        [*COMMAND[1:], "--fast", "--keep"],
        encoding="utf-8",
        timeout=SECONDS,
        dimensions=(50, 80),
        env=env,
    )
    child.expect(r"(http://127\.0\.0\.1:\d+/)")
    page = child.match[1]
    child.expect_exact("until Ctrl-C")
    shown = child.before
    assert "\x1b[1A" in shown
    assert "  ... " not in shown
    assert "They agree to the cent" in shown
    assert httpx.get(page).status_code == 200
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert "its pages are closed" in child.before


@pytest.mark.story
def test_ctrl_c_in_the_middle_ends_its_process_too() -> None:
    env = {**os.environ, "TERM": "xterm-256color", "NO_COLOR": "1"}
    child = at_terminal("--fast", env=env)
    child.expect(r"process (\d+) resumes")
    pid = int(child.match[1])
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert "Traceback" not in child.before
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", child.before)
    assert not is_there(pid)


@pytest.mark.parametrize(
    ("booked", "agree"),
    [(PAID, True), (Money(3, Decimal("0.30"), Decimal("0.06")), False), (Money(2, PAID.pay, PAID.bonus), False)],
    ids=["the same", "a cent more", "one less"],
)
def test_a_ledger_that_differs_from_the_report_is_said(
    booked: Money, agree: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert books.show(screen.Screen(), [Part("a part", PAID, booked)], [Sandbox()]) is agree
    assert ("They differ: a part." in capsys.readouterr().out) is not agree


def test_a_task_rated_twice_or_left_out_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    sandbox = Sandbox()
    sandbox.add_tasks(sandbox.add_job(), 2)
    assert not books.show(screen.Screen(), [Part("a part", PAID, PAID)], [sandbox])
    assert "Left out: 2." in capsys.readouterr().out


def test_a_difference_is_exit_code_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    real = services.booked

    def a_cent_more(sandbox: Sandbox, jobs: list[str]) -> Money:
        money = real(sandbox, jobs)
        return Money(money.rated, money.pay, money.bonus + Decimal("0.01"))

    monkeypatch.setattr("picoworkers_async.cli.demo.lost.booked", a_cent_more)
    assert anyio.run(show.run_demo, SMALL) is Exit.FAILED
    assert "They differ: 3. answer lost." in capsys.readouterr().out


def test_a_process_that_cannot_start_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(killed, "__package__", "nowhere")

    async def start() -> None:
        sandbox = services.service(PICOWORKERS, SMALL.pace)
        async with sandbox.serve() as url:
            served = Served(sandbox, url)
            await killed.show(screen.Screen(), served, SMALL, tmp_path, tmp_path / "pace.db")

    with pytest.RaisesGroup(pytest.RaisesExc(CommandError, match="nowhere")):
        anyio.run(start)


def test_it_uses_what_is_public_and_nothing_else() -> None:
    folder = Path(demo.__file__).parent
    public = {"picoworkers_async", "picoworkers_async.events", "picoworkers_async.sandbox"}
    used: set[str] = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or node.level < 3:
                continue
            module = ".".join(filter(None, ["picoworkers_async", node.module]))
            used.add(module)
            if module == "picoworkers_async":
                assert {name.name for name in node.names} <= set(picoworkers_async.__all__)
    assert used == public
