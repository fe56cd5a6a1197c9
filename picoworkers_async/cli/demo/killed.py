"""The second part: a process that is killed during a batch, and another that resumes with its journal."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import attrs
from anyio.abc import Process
from rich.table import Table
from rich.text import Text

from ... import Effect, Journal, JournalError, JournalState
from ..exits import CommandError, Exit
from . import words
from .screen import Screen, table_of
from .services import Money, Part, Served, add_tasks, booked
from .sizes import Sizes

_TITLE = "Find a step-free cafe"
_LOOK_SECONDS = 0.02


@attrs.define
class Batch:
    """The batch whose process is killed."""

    served: Served
    jobs: list[str]
    journal: Journal
    command: list[str]
    doing: str = words.KILLED_FIRST
    when_killed: Mapping[JournalState, int] | None = None
    rated_when_killed: int = 0

    def counts(self) -> Mapping[JournalState, int]:
        """What the journal has at this moment."""
        try:
            return self.journal.counts()
        except JournalError:
            # The process is still to make it.
            return {}

    def rated(self) -> int:
        """How many the service has rated."""
        return booked(self.served.sandbox, self.jobs).rated


async def show(screen: Screen, served: Served, sizes: Sizes, folder: Path, pace_file: Path) -> Part:
    """Kill the process once some are rated, run it again to its end, and report what became of the rest."""
    screen.say(words.KILLED.format(tasks=sizes.of_batch))
    screen.gap()
    started = time.perf_counter()
    served.sandbox.latency = sizes.latency
    path = folder / "paid.db"
    command = [sys.executable, "-m", f"{__package__}.worker", served.url, str(path), str(pace_file)]
    command += [str(sizes.pace), str(sizes.settle_after)]
    jobs = add_tasks(served.sandbox, [_TITLE], sizes.of_batch)
    batch = Batch(served, jobs, Journal(path), command)

    def line() -> str:
        return words.KILLED_LINE.format(batch.doing, batch.rated(), sizes.of_batch)

    async with screen.watching(lambda: _table(batch), line):
        pid, code = await _kill(batch, sizes.before_kill)
        batch.rated_when_killed, batch.when_killed = batch.rated(), batch.counts()
        screen.step(time.perf_counter() - started, words.KILLED_AT.format(pid, _signal_name(code)), "bold red")
        async with _child(batch.command) as process:
            batch.doing = words.KILLED_AGAIN.format(process.pid)
            screen.step(time.perf_counter() - started, batch.doing, "bold green")
            settled = (await _said(process))["settled"]
    did_not = settled.get(Effect.DID_NOT.value, 0)
    said = words.KILLED_SAID + (words.KILLED_OTHERS if did_not else "")
    screen.say(
        said.format(
            sent=batch.when_killed.get(JournalState.SENT, 0),
            took_effect=settled.get(Effect.TOOK_EFFECT.value, 0),
            did_not=did_not,
            settle_after=sizes.settle_after,
        )
    )
    return Part("2. killed, resumed", _told(batch.journal), booked(served.sandbox, jobs))


async def _kill(batch: Batch, rated: int) -> tuple[int, int]:
    """Run the command until this many are rated, then kill it; returns its process's number and exit code."""
    async with _child(batch.command) as process:
        while batch.rated() < rated:
            if process.returncode is not None:
                raise _failed(await _read(process))
            await anyio.sleep(_LOOK_SECONDS)
        process.kill()
        return process.pid, await process.wait()


async def _said(process: Process) -> dict[str, Any]:
    """What it prints at its end."""
    printed = await _read(process)
    if await process.wait() != 0:
        raise _failed(printed)
    said: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return said


@asynccontextmanager
async def _child(command: list[str]) -> AsyncIterator[Process]:
    """A process that does not outlive the block."""
    # Apart from the terminal's Ctrl-C: whoever ends it is this one.
    process = await anyio.open_process(
        command, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        yield process
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                process.kill()
            await process.aclose()


async def _read(process: Process) -> str:
    if process.stdout is None:
        return ""
    return b"".join([chunk async for chunk in process.stdout]).decode(errors="replace")


def _failed(printed: str) -> CommandError:
    lines = printed.strip().splitlines()
    return CommandError(
        words.CHILD_ENDED.format(lines[-1] if lines else words.CHILD_SAID_NOTHING), code=Exit.FAILED
    )


def _signal_name(code: int) -> str:
    """The signal that ended a process with this code; Windows has none."""
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _told(journal: Journal) -> Money:
    """What the journal says that all its runs paid."""
    pay = sum((day.pay for day in journal.summary("day")), Decimal(0))
    return Money(journal.counts().get(JournalState.RATED, 0), pay, journal.bonus_paid())


def _table(batch: Batch) -> Table:
    now, then = batch.counts(), batch.when_killed
    rows: list[tuple[str | Text, ...]] = []
    for state, meaning in words.MEANINGS.items():
        before = "-" if then is None else str(then.get(state, 0))
        rows.append((state.value, before, Text(str(now.get(state, 0)), style="bold"), meaning))
    rows[-1] = (*rows[-1][:2], Text(str(now.get(JournalState.RATED, 0)), style="bold green"), rows[-1][3])
    before = "-" if then is None else str(batch.rated_when_killed)
    rows.append((words.KILLED_LEDGER[0], before, str(batch.rated()), words.KILLED_LEDGER[1]))
    twice = Text(str(batch.served.sandbox.double_ratings), style="bold")
    rows.append((words.KILLED_TWICE[0], "", twice, words.KILLED_TWICE[1]))
    return table_of(words.KILLED_HEADINGS, rows, numbers=(1, 2))
