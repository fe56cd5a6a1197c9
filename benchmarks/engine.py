"""What a rating costs in the library itself: all but the HTTP client, in memory, without a journal.

The answer comes at once from an adapter of six lines, so that what is left is planning, checking, writing, reading
and adding up. CPU of the loop's thread, the least of nine rounds, since every disturbance only adds to it. Where
valgrind is installed, the instructions of a rating are counted too, which do not depend on the machine's mood
(`--count N` rates N and prints nothing, for that).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ratings import body_of, ratings

from picoworkers_async import PICOWORKERS, SPROUTGIGS, AsyncPicoworkers, Edition, Throttle
from picoworkers_async.throttle import Permit
from picoworkers_async.transport.adapters import Response

ACK = b'{"ok":true,"message":"Task rated successfully."}'
CONCURRENCY, ROUNDS = 32, 9


class Memory:
    """Answers every single rating at once, and a request of many by naming each."""

    async def open(self) -> None: ...

    async def aclose(self) -> None: ...

    async def send(self, method: str, url: str, content: bytes | None, permit: Permit) -> Response:
        permit.written()
        await asyncio.sleep(0)
        if not url.endswith("rate-multiple-tasks.php"):
            return Response(200, {}, ACK)
        tasks = [{"id": task["id"], "ok": True} for task in json.loads(content or b"")["tasks"]]
        return Response(200, {}, json.dumps({"ok": True, "tasks": tasks}).encode())


async def ours(count: int, edition: Edition = PICOWORKERS) -> float:
    pico = AsyncPicoworkers("user_id", "api_secret", edition=edition, throttle=Throttle(CONCURRENCY))
    adapter: Any = Memory()
    pico._session._adapter = adapter
    given = ratings(count)
    async with pico:
        started = time.thread_time()
        report = await pico.rate_all(given)
        spent = time.thread_time() - started
    assert report.rated == count
    return spent / count


async def by_hand(count: int) -> float:
    """As many loops that write, await and read, and do nothing else."""
    adapter: Any = Memory()
    rated = 0
    given = iter(ratings(count))

    class Nothing:
        def written(self) -> None: ...

    async def loop() -> None:
        nonlocal rated
        for rating in given:
            response = await adapter.send("POST", "", json.dumps(body_of(rating)).encode(), Nothing())
            rated += json.loads(response.body)["ok"]

    started = time.thread_time()
    await asyncio.gather(*(loop() for _ in range(CONCURRENCY)))
    spent = time.thread_time() - started
    assert rated == count
    return spent / count


async def adapter_alone(count: int) -> float:
    """The adapter by itself, which is no share of ours."""
    adapter: Any = Memory()

    class Nothing:
        def written(self) -> None: ...

    async def loop() -> None:
        for _ in range(count // CONCURRENCY):
            await adapter.send("POST", "", None, Nothing())

    started = time.thread_time()
    await asyncio.gather(*(loop() for _ in range(CONCURRENCY)))
    return (time.thread_time() - started) / count


def instructions(count: int) -> int:
    """How many instructions a process executes that rates so many."""
    with tempfile.TemporaryDirectory() as folder:
        rate = [sys.executable, __file__, "--count", str(count)]
        # Once before, so that no bytecode is made while it is counted.
        env = {"PYTHONHASHSEED": "0", "PYTHONPYCACHEPREFIX": f"{folder}/bytecode"}
        subprocess.run(rate, check=True, env=env)
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out"]
        subprocess.run(
            [*command, *rate],
            check=True,
            capture_output=True,
            env=env,
        )
        lines = Path(folder, "out").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("totals:"))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int)
    only = parser.parse_args().count
    if only:
        asyncio.run(ours(only))
        return
    rounds = [
        [
            asyncio.run(way)
            for way in (ours(20_000), adapter_alone(20_000), by_hand(20_000), ours(20_000, SPROUTGIGS))
        ]
        for _ in range(ROUNDS)
    ]
    mine, alone, hand, bulk = (min(figures) * 1e6 for figures in zip(*rounds, strict=True))
    alone_too = f"without the {alone:.1f} us of the adapter itself"
    print(f"a rating, one a request: {mine - alone:.1f} us, {alone_too}   goal 20")
    print(f"by hand, writing and reading the JSON only: {hand:.1f} us; ours is {mine / hand:.1f} of it")
    print(f"a rating among 1000 in a request: {bulk:.1f} us, reading its own answer included")
    if shutil.which("valgrind"):
        few, many = instructions(1000), instructions(3000)
        print(f"instructions of a rating, counted by callgrind: {(many - few) / 2000:,.0f}")


if __name__ == "__main__":
    main()
