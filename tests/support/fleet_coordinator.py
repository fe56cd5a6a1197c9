"""A program that reviews everything by a fleet, with a journal: the one that the fleet's kill test kills."""

from __future__ import annotations

import logging
import sys

import anyio

from picoworkers_async import AsyncPicoworkers, Throttle
from picoworkers_async.fleet import Fleet


async def main(url: str, broker: str, journal: str) -> None:
    pico = AsyncPicoworkers("user_id", "api_secret", base_url=url, throttle=Throttle(), settle_after=0.5)
    async with Fleet(broker) as fleet, pico:
        report = await pico.review_all(fleet.decide, journal=journal, deciding=20)
    print(report.rated, report.failed, report.unknown, flush=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.CRITICAL)
    anyio.run(main, *sys.argv[1:])
