"""A program of another user of this machine, for tests that run as root: it takes a slot of the default pacer.

Given the ids of a user and of its groups, and the machine's folder, it prints what it got, or the error, as JSON.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from pathlib import Path

import anyio
import platformdirs.unix  # noqa: F401  # what the user may not be able to read is loaded before

from picoworkers_async import PacerError, SqlitePacer
from picoworkers_async.throttle import pacer_file


async def take() -> dict[str, object]:
    pacer = SqlitePacer()
    pacer.bind("account")
    try:
        reservation = await pacer.reserve(100.0)
    except PacerError as error:
        return {"error": str(error)}
    return {"pacer": repr(pacer), "sharers": reservation.sharers, "slot": reservation.slot}


async def load() -> None:
    with contextlib.suppress(PacerError):
        await SqlitePacer("/").reserve(1.0)


def main(user: str, groups: str, folder: str) -> None:
    logging.basicConfig(level=logging.WARNING)
    pacer_file.MACHINE_FOLDER = Path(folder)
    anyio.run(load)
    os.setgroups([int(group) for group in groups.split(",")])
    os.setgid(int(user))
    os.setuid(int(user))
    print(json.dumps(anyio.run(take)))


if __name__ == "__main__":
    main(*sys.argv[1:])
