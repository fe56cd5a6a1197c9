"""How long a newcomer's way is: from a clone to the first rating of their own, against the sandbox.

Prints each command, its seconds on the clock, and its seconds of CPU, which a busy machine changes less. Exit code
1 if that is more than 3 minutes of CPU or 6 commands. The clone is of what is committed here.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).parent.parent
MOST_SECONDS, MOST_COMMANDS = 180.0, 6
PROGRAM = """
import asyncio
from picoworkers_async import AsyncPicoworkers, Rating
from picoworkers_async.sandbox import Sandbox

async def main():
    sandbox = Sandbox()
    sandbox.add_tasks(sandbox.add_job(), 1)
    async with AsyncPicoworkers("user_id", "api_secret", transport=sandbox.transport()) as pico:
        async for task in pico.jobs.iter_unrated_tasks():
            print(await pico.jobs.rate_single_task(Rating.ok(task)))
    assert len(sandbox.ledger) == 1

asyncio.run(main())
"""
COMMANDS = (
    f"git clone -q {CHECKOUT} picoworkers_async",
    "cd picoworkers_async",
    "python3 -m venv .venv",
    '.venv/bin/pip install -q ".[cli,sandbox]"',
    f"cat > first.py <<'END'{PROGRAM}END",
    ".venv/bin/python first.py",
)


def main() -> int:
    began, total = time.perf_counter(), 0.0
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        for command in COMMANDS:
            wall, cpu = time.perf_counter(), of_children()
            subprocess.run(command, shell=True, check=True, cwd=here)
            if command.startswith("cd "):
                here /= command.removeprefix("cd ")
            spent = of_children() - cpu
            total += spent
            print(f"{time.perf_counter() - wall:6.1f} s, {spent:5.1f} s of CPU: {command.splitlines()[0]}")
    print(f"{len(COMMANDS)} commands, {time.perf_counter() - began:.1f} s, {total:.1f} s of CPU")
    return int(total > MOST_SECONDS or len(COMMANDS) > MOST_COMMANDS)


def of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    # Its own settings, as a newcomer has none; a virtual environment that it is run from would hide python3.
    for name in ("PYTHONPATH", "VIRTUAL_ENV"):
        os.environ.pop(name, None)
    sys.exit(main())
