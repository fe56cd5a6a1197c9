"""Decisions a second through a fleet against in-process ones, by the size of what a worker handed in.

Everything runs on this machine: the broker, the coordinator and the deciders share its cores, so the ratio is what
the way costs, not what more machines would bring. `decide` does nothing. The milliseconds are a processor's, for
one decision. Run: `python -m benchmarks.fleet`.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import anyio

from picoworkers_async import Rating, Task, TaskProof
from picoworkers_async.fleet import Fleet, decider
from tests.support.valkey import Server

ROOT = Path(__file__).parents[1]
SIZES = (100, 1_000, 10_000, 100_000)


@decider(concurrency=100)
async def nothing(task: Task) -> Rating:
    """Decides at once."""
    return Rating.ok(task)


async def decided_per_second(decide, number: int, size: int, at_once: int) -> tuple[float, float]:
    """Decisions a second, and the milliseconds of this process's CPU that one takes."""
    limiter = anyio.CapacityLimiter(at_once)

    async def one(task: Task) -> None:
        async with limiter:
            await decide(task)

    tasks = [
        Task(f"{os.getpid()}-{size}-{place}", "job", proofs=(TaskProof("x" * size),)) for place in range(number)
    ]
    began, cpu = time.perf_counter(), time.process_time()
    async with anyio.create_task_group() as group:
        for task in tasks:
            group.start_soon(one, task)
    return number / (time.perf_counter() - began), (time.process_time() - cpu) / number * 1000


def cpu_seconds(pid: int) -> float:
    """What a process has taken of the processor so far, on Linux."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def main(number: int, at_once: int, processes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        server.start()
        command = [sys.executable, "-m", "picoworkers_async", "decide", "benchmarks.fleet:nothing"]
        command += ["--broker", server.url]
        deciders = [
            subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)  # noqa: ASYNC220
            for _ in range(processes)
        ]
        try:
            async with Fleet(server.url) as fleet:
                for place in range(10 * processes):
                    await fleet.decide(Task(f"warm-{place}", "job"))
                print(f"{processes} deciders, {at_once} out at once, {number} tasks each")
                print(
                    "| proof, bytes | fleet, a second | in process | share | coordinator, ms | decider | broker |"
                )
                print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
                for size in SIZES:
                    inside, _ = await decided_per_second(nothing, number, size, at_once)
                    pids = [[one.pid for one in deciders], [server.pid]]
                    before = [sum(map(cpu_seconds, some)) for some in pids]
                    through, cpu = await decided_per_second(fleet.decide, number, size, at_once)
                    others = [
                        (sum(map(cpu_seconds, some)) - seconds) / number * 1000
                        for some, seconds in zip(pids, before, strict=True)
                    ]
                    print(
                        f"| {size:,} | {through:,.0f} | {inside:,.0f} | 1:{inside / through:,.0f} | {cpu:.2f} "
                        f"| {others[0]:.2f} | {others[1]:.2f} |"
                    )
                print(fleet.counts())
        finally:
            for process in deciders:
                process.send_signal(signal.SIGTERM)
                process.wait()
            server.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=2_000)
    parser.add_argument("--at-once", type=int, default=500)
    parser.add_argument("--deciders", type=int, default=2)
    given = parser.parse_args()
    anyio.run(main, given.number, given.at_once, given.deciders)
