"""Runs every benchmark and writes what they print, with the machine it came from, to `benchmarks/results.md`.

`python benchmarks/table.py [PYTHON]`: the interpreter is one with Toloka-Kit, for the comparison with it.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = (
    "engine",
    "importing",
    "clients",
    "agencies",
    "speed",
    "overhead",
    "growth",
    "journal",
    "journals",
    "unattended",
    "telemetry",
    "fleet",
    "memory",
    "learned_pace",
    "pacing",
    "latency",
    "bulk",
    "task_costs",
    "scaling",
    "sheets",
    "command",
)
PACKAGES = ("httpx", "anyio", "attrs", "cattrs", "httptools", "aiohttp")


def machine() -> str:
    """What it ran on, in a line."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, {python}; {packages}"


def main() -> None:
    started = time.perf_counter()
    parts = [f"# What was measured\n\nBy `nox -s bench`, in one run, on one machine: {machine()}.\n"]
    for script in SCRIPTS:
        options = ["--toloka", sys.argv[1]] if script == "speed" and len(sys.argv) > 1 else []
        command = [sys.executable, str(HERE / f"{script}.py"), *options]
        printed = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
        print(f"== {script}\n{printed}", flush=True)
        parts.append(f"## {script}.py\n\n```text\n{printed.rstrip()}\n```\n")
    parts.append(f"All of it took {(time.perf_counter() - started) / 60:.1f} minutes.\n")
    (HERE / "results.md").write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
