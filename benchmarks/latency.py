"""How long an interactive call waits while batches run in 1, 4 and 8 processes that share one SqlitePacer.

Each process rates tasks of many jobs, one request for each, as fast as the pace lets it. The first also asks for
its balances every few intervals, through the same client. Printed is how long those calls took, as multiples of
the interval: median, 95th percentile, worst; and how much of the rate was used by all processes together. The
service answers in memory, at once.

`--rate 10` is the pace in requests a second, `--seconds 12` how long each is measured.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import anyio

from picoworkers_async import SPROUTGIGS, AsyncPicoworkers, Rating, SqlitePacer, Throttle
from picoworkers_async.sandbox import Sandbox

PROCESSES = (1, 4, 8)
WARM_UP_SECONDS = 2.0


def ratings(sandbox: Sandbox, count: int) -> list[Rating]:
    """Each of a job of its own, since those of one job go together."""
    jobs = [sandbox.add_job() for _ in range(count)]
    return [Rating(job_id, sandbox.add_tasks(job_id, 1)[0], "ok") for job_id in jobs]


async def work(path: str, rate: float, seconds: float, asks: bool) -> None:
    """One process: when it has warmed up it prints a line, and in the end what it measured."""
    sandbox = Sandbox(edition=SPROUTGIGS, balance=10**6)
    throttle = Throttle(requests_per_second=rate, pacer=SqlitePacer(path))
    rng, waits = random.Random(1), []
    enough = ratings(sandbox, int(rate * (seconds + 2 * WARM_UP_SECONDS)))
    async with (
        AsyncPicoworkers(
            "user_id", "api_secret", edition=SPROUTGIGS, transport=sandbox.transport(), throttle=throttle
        ) as pico,
        anyio.create_task_group() as group,
    ):

        async def batch() -> None:
            await pico.rate_all(enough)

        group.start_soon(batch)
        await anyio.sleep(WARM_UP_SECONDS)
        print("ready", flush=True)
        await anyio.to_thread.run_sync(sys.stdin.readline)
        before, started = len(sandbox.requests), anyio.current_time()
        while anyio.current_time() - started < seconds:
            await anyio.sleep(rng.uniform(3.0, 6.0) / rate)
            if asks:
                asked = anyio.current_time()
                await pico.users.get_balances()
                waits.append((anyio.current_time() - asked) * rate)
        sent = (len(sandbox.requests) - before) / (anyio.current_time() - started)
        print(json.dumps({"waits": waits, "sent": sent}), flush=True)
        group.cancel_scope.cancel()


def measure(processes: int, rate: float, seconds: float) -> tuple[list[float], float]:
    """How long the calls took, in intervals, and the requests a second of all processes."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--rate", str(rate), "--seconds", str(seconds)]
        started = [
            subprocess.Popen(
                [*command, "--work", str(Path(folder) / "pace.db"), *(["--asks"] if number == 0 else [])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(processes)
        ]
        try:
            for process in started:
                assert process.stdout is not None
                process.stdout.readline()
            for process in started:
                assert process.stdin is not None
                process.stdin.write("go\n")
                process.stdin.flush()
            printed = [json.loads(process.communicate(timeout=120)[0]) for process in started]
        finally:
            for process in started:
                process.kill()
                process.wait()
    return sorted(printed[0]["waits"]), sum(one["sent"] for one in printed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--asks", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        anyio.run(work, options.work, options.rate, options.seconds, options.asks)
        return
    print(f"{options.rate:g} requests a second; the wait of get_balances in intervals of {1 / options.rate:g} s")
    for processes in PROCESSES:
        waits, sent = measure(processes, options.rate, options.seconds)
        late = statistics.quantiles(waits, n=20, method="inclusive")[-1]
        print(
            f"{processes} process{'es' if processes > 1 else '  '}: median {statistics.median(waits):5.2f}, "
            f"95% {late:5.2f}, worst {waits[-1]:5.2f} ({len(waits)} calls); "
            f"{sent / options.rate:.3f} of the rate used",
            flush=True,
        )


if __name__ == "__main__":
    main()
