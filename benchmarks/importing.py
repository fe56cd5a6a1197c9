"""What importing the library costs, package and client, against `import httpx`, each in a fresh interpreter.

Exit code 1 if the import and a client that is made cost more than 1.5 times the CPU of `import httpx`.

The ways take turns; figures are medians, of the import alone, without the start of the interpreter. Bytecode is
cached in a directory of its own, so that an environment that writes none measures the same.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile

ROUNDS = 31
PROGRAM = """
import sys, time
modules, wall, cpu = len(sys.modules), time.perf_counter(), time.process_time()
{statement}
print(time.process_time() - cpu, time.perf_counter() - wall, len(sys.modules) - modules)
"""
HTTPX = "import httpx"
MADE = "the package, and a client that is made"
MOST = 1.5
WAYS = {
    HTTPX: HTTPX,
    "the package and its client": "from picoworkers_async import AsyncPicoworkers",
    MADE: ("from picoworkers_async import AsyncPicoworkers; AsyncPicoworkers('user_id', 'api_secret')"),
    "httpx beside a program's own asyncio": "import asyncio; " + HTTPX,
}


def measure(statement: str, bytecode: str) -> list[float]:
    """Seconds of CPU (user and system), seconds of wall time, and modules imported."""
    command = [sys.executable, "-c", PROGRAM.format(statement=statement)]
    environment = os.environ | {"PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
    printed = subprocess.run(command, capture_output=True, check=True, text=True, env=environment).stdout
    return [float(word) for word in printed.split()]


def main() -> int:
    runs: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as bytecode:
        for statement in WAYS.values():
            measure(statement, bytecode)
        for _ in range(ROUNDS):
            for way, statement in WAYS.items():
                runs[way].append(measure(statement, bytecode))
    medians = {
        way: [statistics.median(column) for column in zip(*rows, strict=True)] for way, rows in runs.items()
    }
    for way, (cpu, wall, modules) in medians.items():
        ratio = f"ratio {cpu / medians[HTTPX][0]:.2f} of CPU, {wall / medians[HTTPX][1]:.2f} of wall time"
        print(f"{way}: {cpu * 1e3:.0f} ms CPU, {wall * 1e3:.0f} ms wall, {modules:.0f} modules; {ratio}")
    return int(medians[MADE][0] > MOST * medians[HTTPX][0])


if __name__ == "__main__":
    sys.exit(main())
