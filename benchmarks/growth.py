"""What an item costs in each structure of a batch at 10 thousand, 100 thousand and a million items.

Each works its way through its items as a batch would. The last column is the cost of an item at a million by that
at ten thousand: about 1 is linear. "Longest" is the longest single call of all, in ms of processor time; the
cyclic garbage collector is off, since its pauses are the program's. Ratings a request are counted in a batch of
SproutGigs, in memory, that rates tasks of many jobs in turn.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterator

import anyio
import httpx

from picoworkers_async import SPROUTGIGS, AsyncPicoworkers, Priority, Rating, Task, Throttle
from picoworkers_async.rating.ended import LatelyEnded
from picoworkers_async.rating.pending import PendingRating
from picoworkers_async.rating.queue import RatingQueue
from picoworkers_async.rating.reconcile import Reconciler
from picoworkers_async.rating.seen import SeenTasks
from picoworkers_async.throttle.queue import FairQueue

COUNTS = (10_000, 100_000, 1_000_000)
Calls = Iterator[Callable[[], object]]


def give_up(count: int) -> Calls:
    queue: FairQueue[int] = FairQueue()
    places = [queue.push(number, Priority.BATCH, number % 3) for number in range(count)]
    for number in range(count):
        yield lambda place=places[number * 7919 % count]: queue.remove(place)  # type: ignore[misc]


def pass_through(count: int) -> Calls:
    queue: FairQueue[int] = FairQueue()
    for number in range(count):
        yield lambda number=number: queue.push(number, Priority.BATCH, number)  # type: ignore[misc]
    for _ in range(count):
        yield queue.pop


def tasks(count: int) -> list[Task]:
    return [Task(f"{number:014x}") for number in range(count)]


def meet(count: int) -> Calls:
    seen = SeenTasks()
    seen.begin_look(0.0, count_anew=True)
    for task in tasks(count):
        yield lambda task=task: seen.meet(task)  # type: ignore[misc]


def remember_the_last(count: int) -> Calls:
    seen = SeenTasks(most=count)
    for task in tasks(count):
        seen.meet(task)
    for task in [Task(f"new{number}") for number in range(count)]:
        yield lambda task=task: seen.meet(task)  # type: ignore[misc]


def forget(count: int) -> Calls:
    seen = SeenTasks()
    for look in (0, 1):
        seen.begin_look(float(look), count_anew=True)
        for task in tasks(count)[look * count // 2 :]:
            seen.meet(task)
    seen.begin_look(2.0, count_anew=True)
    yield lambda: seen.forget_the_gone(1.5)
    for task in tasks(count)[count // 2 :]:
        yield lambda task=task: seen.meet(task)  # type: ignore[misc]
    assert len(seen) == count - count // 2


def lately_ended(count: int) -> Calls:
    lately = LatelyEnded(30.0)
    for number in range(count):
        yield lambda number=number: lately.add(f"job{number % 1000}", f"{number:014x}", number / 500)  # type: ignore[misc]
        if number % 100 == 0:
            yield lambda number=number: lately.of_job(f"job{number % 997}", number / 500)  # type: ignore[misc]


def pendings(count: int, jobs: int) -> list[PendingRating]:
    return [PendingRating(Rating(f"job{number % jobs}", f"{number:014x}", "ok")) for number in range(count)]


def reconcile(at_once: int | None) -> Callable[[int], Calls]:
    def calls(count: int) -> Calls:
        reconciler = Reconciler(settle_after=30.0, at_once=at_once)
        for number, pending in enumerate(pendings(count, 1000)):
            yield lambda pending=pending, number=number: reconciler.park(pending, number / 1000)  # type: ignore[misc]
            yield lambda: reconciler.overdue(0.0)
            yield lambda: len(reconciler)
        left = count
        while left:
            yield lambda: reconciler.next_change(2000.0)
            taken: list[PendingRating] = []
            yield lambda taken=taken: taken.extend(reconciler.take(2000.0))  # type: ignore[misc]
            left -= len(taken)

    return calls


def queue_over(jobs: int) -> Callable[[int], Calls]:
    def calls(count: int) -> Calls:
        queue = RatingQueue(50, 7)
        sent = 0
        for pending in pendings(count, jobs):
            yield lambda pending=pending: queue.put(pending)  # type: ignore[misc]
            yield lambda: (queue.full, queue.parts())
            if not queue.full:
                continue
            taken: list[PendingRating] = []
            yield lambda taken=taken: taken.extend(queue.take(part=False))  # type: ignore[misc]
            yield lambda taken=taken: queue.ended(taken[0].rating.job_id)  # type: ignore[misc]
            sent += len(taken)
        while sent < count:
            taken = []
            yield lambda taken=taken: taken.extend(queue.take(part=True))  # type: ignore[misc]
            queue.ended(taken[0].rating.job_id)
            sent += len(taken)

    return calls


STRUCTURES: dict[str, Callable[[int], Calls]] = {
    "queue: give up a place": give_up,
    "queue: 1,000 groups in turn": pass_through,
    "seen: meet": meet,
    "seen: remember so many": remember_the_last,
    "seen: forget the gone": forget,
    "lately ended": lately_ended,
    "unknown: 1,000 jobs, 100 a look": reconcile(100),
    "unknown: 1,000 jobs, whole jobs": reconcile(None),
    "ratings wait: 1 job": queue_over(1),
    "ratings wait: 1,000 jobs": queue_over(1000),
    "ratings wait: 100,000 jobs": queue_over(100_000),
}


def measure(calls: Calls, count: int) -> tuple[float, float]:
    """Microseconds an item, and the longest call in ms; what comes between the calls is not counted."""
    total = longest = 0.0
    clock = time.thread_time
    for call in calls:
        before = clock()
        call()
        spent = clock() - before
        total += spent
        longest = max(longest, spent)
    return total / count * 1e6, longest * 1e3


async def ratings_a_request(jobs: int, count: int) -> tuple[float, float]:
    """How many ratings a request carried, and microseconds of processor time a rating."""
    requests = 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal requests
        requests += 1
        sent = json.loads(request.content)["tasks"]
        return httpx.Response(200, json={"tasks": [{"id": one["id"], "ok": True} for one in sent]})

    ratings = (Rating(f"job{number % jobs}", f"{number:014x}", "ok") for number in range(count))
    before = time.thread_time()
    transport, throttle = httpx.MockTransport(answer), Throttle()
    async with AsyncPicoworkers(
        "user_id", "api_secret", edition=SPROUTGIGS, transport=transport, throttle=throttle
    ) as pico:
        report = await pico.rate_all(ratings)
    assert report.rated == count
    return count / requests, (time.thread_time() - before) / count * 1e6


def main() -> None:
    gc.disable()
    print(f"{'us an item at':32}{'10,000':>9}{'100,000':>9}{'1,000,000':>10}{'ratio':>7}{'longest, ms':>13}")
    for name, structure in STRUCTURES.items():
        measure(structure(1000), 1000)
        costs = [measure(structure(count), count) for count in COUNTS]
        figures = "".join(f"{cost:>{width}.2f}" for (cost, _), width in zip(costs, (9, 9, 10), strict=True))
        print(f"{name:32}{figures}{costs[-1][0] / costs[0][0]:>7.2f}{max(longest for _, longest in costs):>13.2f}",
              flush=True)  # fmt: skip
    gc.enable()
    for jobs in (1, 1000, 10_000):
        size, cost = anyio.run(ratings_a_request, jobs, 100_000)
        print(f"{jobs:,} jobs in turn: {size:.1f} ratings a request, {cost:.0f} us a rating", flush=True)


if __name__ == "__main__":
    main()
