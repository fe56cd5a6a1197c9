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

Rate = Annotated[
    float | None,
    Parameter(help="The sandbox's limit, with 429 above it (the edition's: 1 for sproutgigs); 0 for none."),
]


async def sandbox(
    *,
    edition: Annotated[EditionName, Parameter(help="The edition of the service (picoworkers).")] = "picoworkers",
    port: Annotated[int, Parameter(help="The port on loopback (a free one).")] = 0,
    tasks: Annotated[int, Parameter(help="How many tasks wait to be rated (100).")] = 100,
    requests_per_second: Rate = None,
    json: Json = False,
) -> None:
    """Serve a sandbox with some jobs and tasks until interrupted, and print its address on stdout."""
    if tasks < 0 or not 0 <= port <= 65535 or (requests_per_second or 0) < 0:
        raise CommandError("--tasks must be 0 or more, --port a port, --requests-per-second 0 or more")
    service = EDITIONS[edition]
    pace = service.requests_per_second if requests_per_second is None else requests_per_second or None
    served = fresh_sandbox(service, tasks=tasks, page_size=100, requests_per_second=pace)
    try:
        async with served.serve(port) as url:
            if json:
                print_json({"url": url})
            else:
                print(url, flush=True)
            say(f"the user id is user_id, the secret api_secret. Try: picoworkers jobs --sandbox --base-url {url}")
            say("stop with Ctrl-C")
            await anyio.sleep_forever()
    except OSError as error:
        raise CommandError(f"port {port} cannot be used: {error.strerror or error}") from None


async def demo(
    *,
    fast: Annotated[bool, Parameter(help="Show everything with fewer tasks, in half the time.")] = False,
    keep: Annotated[bool, Parameter(help="Keep the consoles open at the end, until Ctrl-C.")] = False,
) -> int:
    """Show the library on two sandboxes of its own: bulk requests, a killed batch resumed, a lost answer."""
    try:
        from .demo.show import run_demo
        from .demo.sizes import FAST, WHOLE
    except ImportError:
        raise CommandError(NO_SANDBOX) from None
    return await run_demo(FAST if fast else WHOLE, keep=keep)
