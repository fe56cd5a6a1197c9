"""A blocking program that reviews everything with a journal, or deposits: the one that Ctrl-C ends."""

from __future__ import annotations

import logging
import sys

from picoworkers_async import Rating, Task, Throttle
from picoworkers_async.blocking import Picoworkers


def decide(task: Task) -> Rating:
    return Rating.ok(task, bonus="0.01")


def main(url: str, journal: str, wait: str) -> None:
    throttle = Throttle(requests_per_second=200.0)
    with Picoworkers("user_id", "api_secret", base_url=url, throttle=throttle) as pico:
        if wait == "report":
            print("began", flush=True)
            print("rated", pico.review_all(decide, journal=journal).rated, flush=True)
        elif wait == "iterate":
            with pico.review(decide, journal=journal) as outcomes:
                for _ in outcomes:
                    print("outcome", flush=True)
        elif wait == "deposit":
            print("began", flush=True)
            pico.wallet.deposit(1000)


if __name__ == "__main__":
    logging.basicConfig(level=logging.CRITICAL)
    main(*sys.argv[1:])
