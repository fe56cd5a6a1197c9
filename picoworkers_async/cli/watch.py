"""The command that shows the journal of a batch in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import anyio
from cyclopts import Parameter

from .connection import NO_SANDBOX
from .exits import CommandError
from .options import Json
from .output import print_json, say


async def watch(
    journal: Annotated[Path, Parameter(help="The journal of a batch that is running or has ended.")],
    /,
    *,
    port: Annotated[int, Parameter(help="The port on loopback (a free one).")] = 0,
    timezone: Annotated[str, Parameter(help="The time zone in which a day begins at midnight (UTC).")] = "UTC",
    json: Json = False,
) -> None:
    """Show a journal in the browser, read-only, until interrupted, and print the address on stdout."""
    if not 0 <= port <= 65535:
        raise CommandError("--port must be a port")
    try:
        from ..console import watch_journal
    except ImportError:
        raise CommandError(NO_SANDBOX) from None
    try:
        async with watch_journal(journal, port, timezone=timezone) as url:
            if json:
                print_json({"url": url})
            else:
                print(url, flush=True)
            say("the address works once, in the browser that opens it first; stop with Ctrl-C")
            await anyio.sleep_forever()
    except OSError as error:
        raise CommandError(f"port {port} cannot be used: {error.strerror or error}") from None
