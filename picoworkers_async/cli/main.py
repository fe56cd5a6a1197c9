"""`picoworkers`: the entry point and its subcommands."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial

import anyio


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and run it."""
    parser = argparse.ArgumentParser(prog="picoworkers", description="Tools around the Picoworkers employer API.")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="review the tasks of a sandbox over real HTTP, on both editions")
    demo.add_argument("--tasks", type=int, default=2000, help="how many tasks wait to be rated (default: 2000)")
    demo.add_argument("--latency", type=float, default=0.01, help="seconds for each request (default: 0.01)")
    demo.add_argument("--requests-per-second", type=float, default=20.0, help="the limit (default: 20)")
    options = parser.parse_args(arguments)
    if options.tasks < 1 or options.latency < 0 or options.requests_per_second <= 0:
        parser.error("--tasks must be at least 1, --latency at least 0, --requests-per-second above 0")

    from .demo import run_demo

    rate = options.requests_per_second
    anyio.run(partial(run_demo, tasks=options.tasks, latency=options.latency, requests_per_second=rate))
