"""Whether an interpreter ends cleanly after a success, a refused connection and a cancelled request.

`python benchmarks/exits.py [--runs 200] [WAY ...]`: so many interpreters for each way, each with a client that is
entered, sends, and is left. By default every connection is refused; `--ending all` has a third of each ending.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import subprocess
import sys
from typing import Any

from server import served

from picoworkers_async import AsyncPicoworkers, NotSentError, RetryPolicy, SharedTransport

WAYS = ("fast", "lanes", "client", "shared")
ENDINGS = ("success", "refused", "cancelled")


async def request(url: str, transport: Any) -> None:
    once = RetryPolicy(attempts=1)
    async with AsyncPicoworkers("user_id", "api_secret", base_url=url, transport=transport, retry=once) as pico:
        await pico.request("POST", "jobs/rate-single-task.php", {})


async def end(way: str, url: str, ending: str) -> None:
    """One request that ends as it is told; what else happens is an exception, and so no clean exit."""
    if way == "shared":
        async with SharedTransport("fast") as shared:
            await end_over(shared, url, ending)
    else:
        await end_over(way, url, ending)


async def end_over(transport: Any, url: str, ending: str) -> None:
    if ending == "success":
        await request(url, transport)
    elif ending == "refused":
        try:
            await request(url, transport)
        except NotSentError:
            return
        raise RuntimeError("it was not refused")
    else:
        task = asyncio.create_task(request(url, transport))
        await asyncio.sleep(0.2)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return
        raise RuntimeError("it was not cancelled")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--ending", choices=("refused", "all"), default="refused")
    parser.add_argument("ways", nargs="*", default=WAYS)
    arguments = parser.parse_args()
    endings = ENDINGS if arguments.ending == "all" else ("refused",)
    with served() as url, socket.create_server(("127.0.0.1", 0)) as silent:
        with socket.create_server(("127.0.0.1", 0)) as gone:
            refused = f"http://127.0.0.1:{gone.getsockname()[1]}/"
        urls = {"success": url, "refused": refused}
        urls["cancelled"] = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        for way in arguments.ways:
            unclean: dict[str, int] = {}
            for number in range(arguments.runs):
                ending = endings[number % len(endings)]
                command = [sys.executable, "-W", "default", __file__, "--once", way, urls[ending], ending]
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
