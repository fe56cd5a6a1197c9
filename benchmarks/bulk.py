"""What 100,000 ratings cost at one request a second, in simulated time: both editions and a hand-written loop.

The service is the sandbox in process, with a clock that jumps to the next thing to happen: the seconds are those a
real service would have taken. The listing is read in pages of 100; the hand-written loop is given its ratings and
sends one a second, with httpx. `--ratings` takes another number.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Awaitable, Callable

import httpx
import trio
import trio.testing

from picoworkers_async import PICOWORKERS, SPROUTGIGS, AsyncPicoworkers, Edition, Rating, Throttle
from picoworkers_async.sandbox import Sandbox

LATENCY = 0.2


def seeded(edition: Edition, ratings: int) -> Sandbox:
    sandbox = Sandbox(
        edition=edition,
        page_size=100,
        latency=LATENCY,
        requests_per_second=1.0,
        balance=10**9,
    )
    sandbox.add_tasks(sandbox.add_job(num_tasks=ratings), ratings)
    return sandbox


def given(sandbox: Sandbox) -> list[Rating]:
    return [Rating(task.job.id, task.id, "ok", revision_number=0) for task in sandbox.store.unrated.values()]


def client(sandbox: Sandbox) -> AsyncPicoworkers:
    throttle = Throttle(requests_per_second=1.0)
    transport = sandbox.transport()
    return AsyncPicoworkers(
        "user_id", "api_secret", edition=sandbox.edition, transport=transport, throttle=throttle
    )


async def rate(sandbox: Sandbox) -> None:
    async with client(sandbox) as pico:
        report = await pico.rate_all(given(sandbox))
        assert report.rated == report.total


async def review(sandbox: Sandbox) -> None:
    async with client(sandbox) as pico:
        report = await pico.review_all(Rating.ok)
        assert report.rated == report.total


async def by_hand(sandbox: Sandbox) -> None:
    async with httpx.AsyncClient(transport=sandbox.transport(), auth=("user_id", "api_secret")) as http:
        for rating in given(sandbox):
            started = trio.current_time()
            body = {"job_id": rating.job_id, "task_id": rating.task_id, "task_rating": "ok"}
            answer = await http.post("https://picoworkers.com/api/jobs/rate-single-task.php", json=body)
            assert answer.json()["ok"]
            await trio.sleep_until(started + 1.0)


ROWS: tuple[tuple[str, Edition, Callable[[Sandbox], Awaitable[None]]], ...] = (
    ("ours, rate, sproutgigs", SPROUTGIGS, rate),
    ("ours, review, sproutgigs", SPROUTGIGS, review),
    ("ours, rate, picoworkers", PICOWORKERS, rate),
    ("by hand, picoworkers", PICOWORKERS, by_hand),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ratings", type=int, default=100_000)
    ratings = parser.parse_args().ratings
    print(f"{ratings} ratings at 1 request a second\n")
    print(f"{'':26}{'requests':>9}{'429s':>6}{'ratings a request':>19}{'seconds':>10}{'(real)':>8}")
    for name, edition, run in ROWS:
        sandbox = seeded(edition, ratings)
        clock = trio.testing.MockClock(autojump_threshold=0)
        started = time.perf_counter()
        trio.run(run, sandbox, clock=clock)
        assert len(sandbox.ledger) == ratings
        requests = len(sandbox.requests)
        print(
            f"{name:26}{requests:9d}{sandbox.rate_limited:6d}{ratings / requests:19.1f}"
            f"{sandbox.requests[-1].time - sandbox.requests[0].time:10.0f}{time.perf_counter() - started:8.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
