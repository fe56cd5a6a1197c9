"""A program that reviews everything with a journal: the one that the kill test kills."""

from __future__ import annotations

import logging
import sys

import anyio

from picoworkers_async import AsyncPicoworkers, RetryPolicy

from .judge import judge


async def main(url: str, journal: str) -> None:
    policy = RetryPolicy(attempts=6, initial=0.02, maximum=0.2)
    async with AsyncPicoworkers("user_id", "api_secret", base_url=url, timeout=0.5, retry=policy) as pico:
        report = await pico.review_all(judge, journal=journal)
    print(report.rated, report.refused, report.failed, report.unknown, flush=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.CRITICAL)
    anyio.run(main, *sys.argv[1:])
