"""The program that the demo kills: it reviews everything that waits, with a journal. Run by `-m`."""

from __future__ import annotations

import json
import logging
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import anyio

from ... import PICOWORKERS
from ...events import Event, UnknownSettled
from .rule import decide
from .services import LIMITS, client

_PATIENCE_SECONDS = 20.0


async def main(arguments: Sequence[str]) -> None:
    """Review, and print one line of JSON: how many were rated, and what sweeps showed about lost answers."""
    url, journal, pace_file, pace, settle_after = arguments
    settled: Counter[str] = Counter()

    def hear(event: Event) -> None:
        if isinstance(event, UnknownSettled):
            settled[event.effect] += 1

    pico = client(
        PICOWORKERS,
        url,
        pace_file=Path(pace_file),
        pace=float(pace),
        settle_after=float(settle_after),
        on_event=hear,
    )
    async with pico:
        report = await pico.review_all(decide, journal=journal, limits=LIMITS, patience=_PATIENCE_SECONDS)
    print(json.dumps({"rated": report.rated, "unknown": report.unknown, "settled": settled}), flush=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.CRITICAL)
    anyio.run(main, sys.argv[1:])
