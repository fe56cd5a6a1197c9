"""A program that reviews everything with a journal: the one that tests kill, stop, and have stand by."""

from __future__ import annotations

import logging
import sys
import time

import anyio

from picoworkers_async import AsyncPicoworkers, JournalError, RetryPolicy, Throttle, events
from picoworkers_async.editions import EDITIONS
from tests.support.judge import judge


async def main(url: str, journal: str, edition: str, pace: str = "500", lease: str = "") -> None:
    """With a `lease`, in seconds, it stands by for the journal, and tells when it has it, and of each rating."""

    def tell(event: events.Event) -> None:
        rates = isinstance(event, events.RequestDone) and "rate_" in event.call
        if lease and (rates or isinstance(event, events.BatchBegan | events.StandbyWaiting)):
            # When it left: a clock that all programs of this machine share.
            seconds = event.seconds if isinstance(event, events.RequestDone) else 0.0
            print(event.event, time.monotonic() - seconds, flush=True)

    if lease:
        from picoworkers_async.journal import postgres_store

        postgres_store.LEASE_SECONDS = float(lease)
    pico = AsyncPicoworkers(
        "user_id",
        "api_secret",
        edition=EDITIONS[edition],
        base_url=url,
        timeout=1.0,
        retry=RetryPolicy(attempts=6, initial=0.02, maximum=0.2),
        # With a pace of its own, since the 429s among the faults would have a lower and lower one learned.
        throttle=Throttle(requests_per_second=float(pace), cooldown=0.05),
        settle_after=1.5,
        on_event=tell,
    )
    async with pico:
        try:
            report = await pico.review_all(judge, journal=journal, standby=bool(lease))
        except JournalError as error:
            print(type(error).__name__, flush=True)
            raise SystemExit(3) from None
    print(report.rated, report.refused, report.failed, report.unknown, flush=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.CRITICAL)
    anyio.run(main, *sys.argv[1:])
