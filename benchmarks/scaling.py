"""The plan past one machine: what so many tasks a day take, and whether a simulation of ten million agrees.

The formulas are those of `arithmetic.py`; `docs/explanation/scaling.md` explains them. They are held against two
things: the library itself, reviewing the sandbox in virtual time (40,000 tasks, and 150,000 where answers are
lost), and `simulated.py`, a discrete simulation of 10,000,000 tasks with the library's planner and pacing. It ends
with 1 if either differs from its formula by more than a tenth.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable

import attrs
import trio
import trio.testing
from arithmetic import AT_ONCE, DAY, Case, predict, ratings_a_request, tasks_a_day
from simulated import simulate

from picoworkers_async import SPROUTGIGS, AsyncPicoworkers, Rating, Throttle
from picoworkers_async.sandbox import Faults, Sandbox

MOST_OFF = 0.10
AT_WORK = 0.7  # the share of deciders that are busy in a plan
# Bytes of a task, measured by `task_costs.py`: listed; rated and answered; asked and decided over a broker; a row.
LISTED, SENT, ASKED, DECIDED, ROW = 304, 167, 376, 205, 200

CASES = (
    Case(name="as planned"),
    Case(name="decisions of 10 s, no more deciders", decision=10),
    Case(name="decisions of 10 s, five times as many", decision=10, deciders=2550),
    Case(name="5 % of answers lost", lost=0.05),
    Case(name="0.5 requests a second", limit=0.5),
    Case(name="pages of 20, on 7 accounts", page=20, accounts=7, grain=20),
    Case(name="1,000 jobs in turn, on 4 accounts", jobs=1000, accounts=4, grain=10),
    Case(name="evenly over a day", day=True),
)
SCALES = (1_000_000, 10_000_000, 100_000_000)
# Page size, jobs whose tasks come in turn, tasks of a job.
WALLS = (
    (20, 1, 25),
    (20, 100, 10_000),
    (100, 1, 25),
    (100, 100, 10_000),
    (100, 1000, 10_000),
    (1000, 100, 10_000),
)


def real(case: Case) -> tuple[float, int]:
    """Seconds and requests of the library itself, of one account; the decisions take no time."""
    sandbox = Sandbox(
        edition=SPROUTGIGS,
        page_size=case.page,
        latency=case.latency,
        requests_per_second=case.limit,
        balance=10**9,
    )
    sandbox.add_tasks(sandbox.add_job(num_tasks=case.tasks), case.tasks)
    sandbox.faults = Faults(cut_after=case.lost)

    async def review() -> None:
        throttle = Throttle(requests_per_second=case.limit)
        transport = sandbox.transport()
        async with AsyncPicoworkers(
            "user_id", "api_secret", edition=SPROUTGIGS, transport=transport, throttle=throttle
        ) as pico:
            report = await pico.review_all(Rating.ok)
        assert report.rated == len(sandbox.ledger) == case.tasks

    trio.run(review, clock=trio.testing.MockClock(autojump_threshold=0))
    return sandbox.requests[-1].time - sandbox.requests[0].time, len(sandbox.requests)


def compare(name: str, rows: Iterable[tuple[str, float | None, float, str]]) -> float:
    """Print each figure as predicted and as found; gives the ratio that is furthest from 1."""
    worst = 1.0
    for what, predicted, found, wall in rows:
        if predicted is None:
            print(f"{name:38} {what:9} {'':>10} {found:10,.0f}")
            continue
        ratio = found / predicted
        worst = max(worst, ratio, key=lambda ratio: abs(ratio - 1))
        print(f"{name:38} {what:9} {predicted:10,.0f} {found:10,.0f}  {ratio:5.3f}  {wall}", flush=True)
    return worst


def print_plan() -> None:
    print("one account at best, tasks a day, at 1 request a second")
    for page, jobs, of_a_job in WALLS:
        together, best = ratings_a_request(jobs, of_a_job), tasks_a_day(page, jobs, of_a_job)
        given = f"pages of {page:4}, {jobs:4} jobs in turn, {of_a_job:6,} tasks of each"
        print(f"  {given}: {together:5,.0f} a request, {best:12,.0f}")
    print(f"\n{'tasks a day':>44}" + "".join(f"{scale:14,}" for scale in SCALES))
    rows: list[tuple[str, list[float]]] = [
        ("tasks a second", [scale / DAY for scale in SCALES]),
    ]
    for page in (20, 100):
        best = tasks_a_day(page, 100, 10_000)
        rows.append((f"requests, pages of {page}", [scale * (1 / page + 1 / AT_ONCE) for scale in SCALES]))
        rows.append((f"accounts, pages of {page}", [math.ceil(scale / best) for scale in SCALES]))
    for seconds in (0.1, 2, 10, 30):
        places = [math.ceil(scale / DAY * seconds / AT_WORK) for scale in SCALES]
        rows.append(
            (f"decisions at a time, of {seconds} s, {AT_WORK:.0%} busy", [float(place) for place in places])
        )
    rows += [
        ("network, service: GB a day", [scale * (LISTED + SENT) / 1e9 for scale in SCALES]),
        ("broker: messages a second", [2 * scale / DAY for scale in SCALES]),
        ("broker: kB a second", [scale / DAY * (ASKED + DECIDED) / 1e3 for scale in SCALES]),
        ("journal: steps a second", [scale / DAY * (1 + 2 / AT_ONCE) for scale in SCALES]),
        ("journal: GB of rows a day", [scale * ROW / 1e9 for scale in SCALES]),
        ("journal: GB in 120 days", [120 * scale * ROW / 1e9 for scale in SCALES]),
    ]
    for what, figures in rows:
        print(
            f"{what:>44}"
            + "".join(f"{figure:14,.{1 if figure < 100 and figure % 1 else 0}f}" for figure in figures)
        )
    print()


def main() -> None:
    print_plan()
    off = []
    print(f"{'':48} {'predicted':>10} {'found':>10}  ratio  the wall")
    for case in (
        Case(name="library: pages of 100", tasks=40_000, accounts=1, jobs=1),
        Case(name="library: pages of 20", tasks=40_000, accounts=1, jobs=1, page=20),
        Case(name="library: 5 % of answers lost", tasks=150_000, accounts=1, jobs=1, lost=0.05),
    ):
        expected = predict(attrs.evolve(case, decision=0))
        seconds, requests = real(case)
        rows = [
            ("seconds", expected.seconds, seconds, expected.wall),
            ("requests", expected.requests, requests, ""),
        ]
        off.append(compare(case.name, rows))
    for case in CASES:
        expected, found = predict(case), simulate(case)
        rows = [
            ("seconds", expected.seconds, found.seconds, expected.wall),
            ("requests", expected.requests, found.requests, ""),
        ]
        if case.day:
            rows.append(("look, s", expected.look, found.look, ""))
        else:
            busy = case.tasks * case.decision / expected.seconds
            rows.append(("deciders", busy, found.busy, "busy on average"))
        off.append(compare(case.name, rows))
    worst = max(off, key=lambda ratio: abs(ratio - 1))
    allowed = f"{1 - MOST_OFF:.1f} to {1 + MOST_OFF:.1f} allowed"
    print(f"\nfurthest from its prediction: a ratio of {worst:.3f}, of {allowed}")
    sys.exit(abs(worst - 1) > MOST_OFF)


if __name__ == "__main__":
    main()
