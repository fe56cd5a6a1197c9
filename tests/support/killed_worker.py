"""A program that reviews everything with a journal: the one that the kill test kills."""

from __future__ import annotations

import logging
import sys

import anyio

from picoworkers_async import AsyncPicoworkers, RetryPolicy, Throttle
from picoworkers_async.editions import EDITIONS
from tests.support.judge import judge


async def main(url: str, journal: str, edition: str) -> None:
    pico = AsyncPicoworkers(
        "user_id",
        "api_secret",
        edition=EDITIONS[edition],
        base_url=url,
        timeout=1.0,
        retry=RetryPolicy(attempts=6, initial=0.02, maximum=0.2),
        # With a pace of its own, since the 429s among the faults would have a lower and lower one learned.
        throttle=Throttle(requests_per_second=500.0, cooldown=0.05),
        settle_after=1.5,
    )
    async with pico:
        report = await pico.review_all(judge, journal=journal)
    print(report.rated, report.refused, report.failed, report.unknown, flush=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.CRITICAL)
    anyio.run(main, *sys.argv[1:])
