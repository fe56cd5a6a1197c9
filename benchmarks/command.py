"""A million rows checked and 100,000 rated by the installed command, beside the library alone: time and memory.

`python benchmarks/command.py [ROWS [RATINGS]]`. The sandbox is SproutGigs, served by a process of its own, without
a pace. Seconds are of the command's processor, MB its peak; the sandbox's are in neither.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

ROWS, RATINGS = 1_000_000, 100_000
SMALL_SHARE = 50
JOB = "fc7b3bd10d08"
COMMAND = [sys.executable, "-c", "import sys; from picoworkers_async.cli.main import main; sys.exit(main())"]
UNPACED = "1000000"
SERVE = f"""
import sys, anyio
from picoworkers_async.sandbox import Sandbox
async def main():
    sandbox = Sandbox(edition="sproutgigs", balance=10**9, page_size=400)
    sandbox.add_job(id="{JOB}", task_value="0.10", num_tasks=10**7)
    ids = sandbox.add_tasks("{JOB}", int(sys.argv[1]))
    async with sandbox.serve() as url:
        with open(sys.argv[2], "w") as file:
            file.writelines(task_id + "\\n" for task_id in ids)
        print(url, flush=True)
        await anyio.to_thread.run_sync(sys.stdin.readline)
        print(len(sandbox.ledger), sandbox.double_ratings, flush=True)
anyio.run(main)
"""
LIBRARY = """
import sys, anyio
from picoworkers_async import AsyncPicoworkers, Throttle, sheets
async def main(path, url, journal):
    throttle = Throttle(requests_per_second=1e6)
    pico = AsyncPicoworkers("user_id", "api_secret", edition="sproutgigs", base_url=url, throttle=throttle)
    async with pico:
        print((await pico.rate_all(sheets.read(path), journal=journal)).rated)
anyio.run(main, *sys.argv[1:])
"""


def write(path: Path, ids: Iterable[str]) -> None:
    """A sheet with a mark in each row, and a bonus in every twentieth."""
    with path.open("w", encoding="utf-8") as file:
        file.write("JOB_ID,TASK_ID,WORKER_ID,PROOF_1,SATISFIED,EMPLOYER_COMMENT,BONUS_AMOUNT\n")
        for number, task_id in enumerate(ids):
            bonus = "0.05" if number % 20 == 0 else ""
            file.write(f"{JOB},{task_id},w{number % 5000},https://example.org/u/{number},x,,{bonus}\n")


def measured(command: list[str]) -> tuple[float, float, float, str]:
    """Seconds of the processor and by the clock, MB at most, and what it printed.

    A child begins with the peak of its parent: this process keeps no list of rows.
    """
    with tempfile.TemporaryFile() as out:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - began
        out.seek(0)
        printed = out.read().decode()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 2):
        raise SystemExit(f"{command} ended with {process.returncode}: {printed}")
    return usage.ru_utime + usage.ru_stime, took, usage.ru_maxrss / 1024, printed


def rated(count: int, how: str, folder: Path) -> tuple[float, float, float]:
    """Rate so many tasks of a sandbox of its own by the command, or by the library alone; check its ledger."""
    listed = folder / f"{how}{count}.txt"
    serve = [sys.executable, "-c", SERVE, str(count), str(listed)]
    server = subprocess.Popen(serve, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    sheet, journal = folder / f"{how}{count}.csv", folder / f"{how}{count}.db"
    with listed.open() as ids:
        write(sheet, map(str.strip, ids))
    if how == "library":
        seconds, took, peak, printed = measured([sys.executable, "-c", LIBRARY, str(sheet), url, str(journal)])
        done = int(printed)
    else:
        at = ["--sandbox", "--edition", "sproutgigs", "--base-url", url, "--requests-per-second", UNPACED]
        options = ["--journal", str(journal), "--yes", "--json", *at]
        if how == "report":
            options += ["--report", str(folder / "paid.csv")]
        seconds, took, peak, printed = measured([*COMMAND, "rate", str(sheet), *options])
        done = json.loads(printed)["rated"]
    ledger, twice = server.communicate("\n")[0].split()
    if (done, int(ledger), int(twice)) != (count, count, 0):
        raise SystemExit(f"rated {done}, in the ledger {ledger}, twice {twice}")
    return seconds, took, peak


def checked(rows: int, folder: Path) -> tuple[float, float]:
    """Have the command look this many rows through, of which the last is bad: nothing is sent."""
    sheet = folder / f"check{rows}.csv"
    write(sheet, (f"{number:08x}abcdef" for number in range(rows)))
    with sheet.open("a") as file:
        file.write(f'{JOB},last,w,,x,,"0,05"\n')
    seconds, _, peak, _ = measured([*COMMAND, "rate", str(sheet), "--sandbox", "--yes"])
    return seconds, peak


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    ratings = int(sys.argv[2]) if len(sys.argv) > 2 else RATINGS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        idle, _, bare, _ = measured([*COMMAND, "--version"])
        print(f"the command, doing nothing: {idle:.2f} s, {bare:.0f} MB")
        few, few_peak = checked(rows // SMALL_SHARE, folder)
        seconds, peak = checked(rows, folder)
        print(
            f"{rows} rows checked: {seconds:.1f} s, {peak:.0f} MB; {peak / few_peak:.2f} times the memory "
            f"of {rows // SMALL_SHARE} rows ({few:.1f} s, {few_peak:.0f} MB)"
        )
        base, base_took, base_peak = rated(ratings, "library", folder)
        print(f"{ratings} rated by the library: {base:.1f} s ({base_took:.1f} by the clock), {base_peak:.0f} MB")
        for how in ("command", "report"):
            seconds, took, peak = rated(ratings, how, folder)
            print(
                f"{ratings} rated by the {how}: {seconds:.1f} s ({took:.1f} by the clock), {peak:.0f} MB; "
                f"{seconds / base:.2f} times the library's time, {peak / base_peak:.2f} times its memory"
            )
        _, _, peak = rated(ratings // 10, "command", folder)
        print(f"{ratings // 10} rated by the command: {peak:.0f} MB")


if __name__ == "__main__":
    main()
