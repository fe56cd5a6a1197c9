"""Commands around the sandbox: serving one, and the demo."""

from __future__ import annotations

from typing import Annotated

import anyio
from cyclopts import Parameter

from ..editions import EDITIONS
from .connection import NO_SANDBOX, fresh_sandbox
from .exits import CommandError
from .options import EditionName, Json
from .output import print_json, say

Rate = Annotated[float | None, Parameter(help="The limit, with 429 above it.")]


async def sandbox(
    *,
    edition: Annotated[EditionName, Parameter(help="Which edition of the service (picoworkers).")] = "picoworkers",
    port: Annotated[int, Parameter(help="The port on loopback (a free one).")] = 0,
    tasks: Annotated[int, Parameter(help="How many tasks wait to be rated (100).")] = 100,
    requests_per_second: Rate = None,
    json: Json = False,
) -> None:
    """Serve a sandbox with some jobs and tasks until interrupted; its address is printed on stdout."""
    if tasks < 0 or not 0 <= port <= 65535 or (requests_per_second is not None and requests_per_second <= 0):
        raise CommandError("--tasks must be 0 or more, --port a port, --requests-per-second above 0")
    service = EDITIONS[edition]
    served = fresh_sandbox(service, tasks=tasks, page_size=100, requests_per_second=requests_per_second)
    try:
        async with served.serve(port) as url:
            if json:
                print_json({"url": url})
            else:
                print(url, flush=True)
            say(f"the user id is user_id, the secret api_secret. Try: picoworkers jobs --sandbox --base-url {url}")
            say("Ctrl-C ends it")
            await anyio.sleep_forever()
    except OSError as error:
        raise CommandError(f"port {port} cannot be used: {error.strerror or error}") from None


async def demo(
    *,
    tasks: Annotated[int, Parameter(help="How many tasks wait to be rated (2000).")] = 2000,
    latency: Annotated[float, Parameter(help="Seconds for each request (0.01).")] = 0.01,
    requests_per_second: Annotated[float, Parameter(help="The limit (20).")] = 20.0,
) -> None:
    """Review the tasks of a sandbox over real HTTP, on both editions."""
    if tasks < 1 or latency < 0 or requests_per_second <= 0:
        raise CommandError("--tasks must be at least 1, --latency at least 0, --requests-per-second above 0")
    try:
        from .demo import run_demo
    except ImportError:
        raise CommandError(NO_SANDBOX) from None
    await run_demo(tasks=tasks, latency=latency, requests_per_second=requests_per_second)
