"""Whether an interpreter ends cleanly after a success, a refused connection and a cancelled request.

`python benchmarks/exits.py [--runs 200] [WAY ...]`: so many interpreters for each way, a third for each ending.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import subprocess
import sys

from carriers import WAYS
from server import served

ENDINGS = ("success", "refused", "cancelled")


async def request(way: str, url: str) -> None:
    async with WAYS[way](url) as send:
        await send("POST", url)


async def end(way: str, url: str, ending: str) -> None:
    """One request that ends as it is told; what else happens is an exception, and so no clean exit."""
    if ending == "success":
        await request(way, url)
    elif ending == "refused":
        try:
            await request(way, url)
        except Exception:
            return
        raise RuntimeError("it was not refused")
    else:
        task = asyncio.create_task(request(way, url))
        await asyncio.sleep(0.05)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return
        raise RuntimeError("it was not cancelled")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("ways", nargs="*", default=["ours", "aiohttp"], choices=list(WAYS))
    arguments = parser.parse_args()
    with served() as url, socket.create_server(("127.0.0.1", 0)) as silent:
        with socket.create_server(("127.0.0.1", 0)) as gone:
            refused = f"http://127.0.0.1:{gone.getsockname()[1]}/"
        urls = (url, refused, f"http://127.0.0.1:{silent.getsockname()[1]}/")
        for way in arguments.ways:
            unclean: dict[str, int] = {}
            for number in range(arguments.runs):
                ending = ENDINGS[number % 3]
                command = [sys.executable, __file__, "--once", way, urls[number % 3], ending]
                run = subprocess.run(command, capture_output=True, text=True, timeout=60)
                if run.returncode or run.stderr:
                    what = f"{ending}: exit {run.returncode}, {(run.stderr.strip().splitlines() or [''])[-1][:80]}"
                    unclean[what] = unclean.get(what, 0) + 1
            print(
                f"{way:10} {arguments.runs - sum(unclean.values())} of {arguments.runs} exits were clean",
                flush=True,
            )
            for what, times in unclean.items():
                print(f"           {times} times {what}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--once"]:
        asyncio.run(end(*sys.argv[2:]))
    else:
        main()
