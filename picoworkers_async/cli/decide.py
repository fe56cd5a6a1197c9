"""The command that decides tasks of a review on another machine."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from typing import Annotated

from cyclopts import Parameter

from .exits import CommandError
from .output import say
from .rule import find_rule

_VARIABLE = "PICOWORKERS_BROKER"


async def decide(
    rule: Annotated[str, Parameter(help="The function, as MODULE:NAME; the current folder is looked in first.")],
    /,
    *,
    broker: Annotated[
        str | None, Parameter(help=f"The Redis or Valkey server, as redis://host:6379/0 ({_VARIABLE}).")
    ] = None,
    name: Annotated[str, Parameter(help="The name of the coordinator's Fleet (picoworkers).")] = "picoworkers",
    concurrency: Annotated[int | None, Parameter(help="How many decisions at a time (10).")] = None,
    lease: Annotated[
        float | None, Parameter(help="Seconds of silence after which others take its tasks over (60).")
    ] = None,
) -> None:
    """Decide tasks for a review elsewhere by a Python function of yours, until SIGTERM; needs no credentials."""
    try:
        from ..fleet import BrokerError, DeciderError, run_decider
    except ImportError as missing:
        raise CommandError(str(missing)) from None
    url = broker or os.environ.get(_VARIABLE)
    if not url:
        raise CommandError(f"name the broker: --broker redis://host:6379/0, or {_VARIABLE}")
    with redirect_stdout(sys.stderr):
        function = find_rule(rule)
    say(f"deciding by {rule} for the fleet {name}; SIGTERM ends it in good order")
    try:
        await run_decider(function, url, name=name, concurrency=concurrency, lease=lease)
    except BrokerError as error:
        if not error.refused:
            raise
        raise CommandError(str(error)) from None
    except DeciderError as error:
        raise CommandError(str(error)) from None
    say("ended: nothing is in hand")
