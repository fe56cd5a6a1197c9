"""`python -m picoworkers_async.sandbox`: serve a sandbox until interrupted, for programs in other processes."""

from __future__ import annotations

import argparse
import sys
from functools import partial

import anyio
import attrs

from ..editions import EDITIONS
from .faults import Faults
from .sandbox import Sandbox


async def _serve(options: argparse.Namespace) -> None:
    sandbox = Sandbox(
        edition=EDITIONS[options.edition],
        page_size=options.page_size,
        latency=options.latency,
        requests_per_second=options.requests_per_second,
        order=options.order,
        balance=10**6,
        faults=_faults(options),
        read_lag=options.read_lag,
        pays_repeats=options.pays_repeats,
        seed=options.seed,
    )
    for number in range(options.jobs):
        job_id = sandbox.add_job(title=f"Job {number + 1}", num_tasks=options.tasks)
        sandbox.add_tasks(job_id, options.tasks // options.jobs)
    async with sandbox.serve(options.port, options.host) as url:
        sys.stdout.write(url + "\n")
        sys.stdout.flush()
        await anyio.sleep_forever()


def _faults(options: argparse.Namespace) -> Faults:
    faults = Faults.all(options.faults, slow_seconds=options.slow_seconds, late_seconds=options.late_seconds)
    return faults if options.late is None else attrs.evolve(faults, late=options.late)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m picoworkers_async.sandbox", description=__doc__)
    parser.add_argument(
        "--host", default="127.0.0.1", help="where to listen; 0.0.0.0: for everybody who reaches this machine"
    )
    parser.add_argument("--port", type=int, default=0, help="0: a free one; the base URL is printed")
    parser.add_argument("--edition", choices=list(EDITIONS), default="picoworkers")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--tasks", type=int, default=100, help="unrated tasks, over all jobs")
    parser.add_argument("--page-size", type=int, default=20)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds")
    parser.add_argument(
        "--requests-per-second", type=float, default=None, help="429 above it; no limit, if left out"
    )
    parser.add_argument("--order", choices=("oldest", "newest", "shuffled"), default="oldest")
    parser.add_argument("--faults", type=float, default=0.0, help="the probability of each fault")
    parser.add_argument("--late", type=float, default=None, help="that of acting late, if it is another one")
    parser.add_argument("--late-seconds", type=float, default=0.5, help="how late that is")
    parser.add_argument("--read-lag", type=float, default=0.0, help="reads show what was so many seconds ago")
    parser.add_argument("--pays-repeats", action="store_true", help="a task that is rated again is paid again")
    parser.add_argument("--slow-seconds", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    try:
        anyio.run(partial(_serve, parser.parse_args()))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
