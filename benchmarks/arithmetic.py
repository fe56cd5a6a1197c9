"""What so many tasks take: the formulas of a plan past one machine, for `scaling.py`.

All assume what `docs/explanation/scaling.md` says: pages of one size, jobs whose tasks come in turn, and decisions
that take the same time on average whatever the task.
"""

from __future__ import annotations

import math

import attrs

from picoworkers_async.rating.queue import MOST_WAITING
from picoworkers_async.rules import MOST_TASK_IDS
from picoworkers_async.throttle.pacing import LEAST_MARGIN

AT_ONCE = 1000
DAY = 86_400


@attrs.frozen(kw_only=True)
class Case:
    """What is simulated: `tasks` of all accounts, listed at once or, with `day`, evenly over 24 hours.

    `jobs` of each account, whose tasks come in turn, and are many; `limit` in requests a second; `deciders` at
    work at a time, each for `decision` seconds, half more or less; `deciding` decisions of one coordinator at a
    time; `lost` is the share of answers that are.
    """

    name: str
    tasks: int = 10_000_000
    accounts: int = 2
    jobs: int = 100
    page: int = 100
    limit: float = 1.0
    latency: float = 0.2
    decision: float = 2.0
    deciders: int = 510
    deciding: int = 1000
    lost: float = 0.0
    day: bool = False
    grain: int = 50


def requests_of_a_look(tasks: int, page: int) -> int:
    """Requests that read a listing of so many: the first page, the last, those between, and the first again."""
    pages = -(-tasks // page)
    return pages + 1 if pages > 1 else 1


def requests_to_settle(tasks: int, page: int) -> int:
    """Requests that look up so many rated tasks of a job by their ids: no more unrated, and listed as rated."""
    looks = [min(MOST_TASK_IDS, tasks - first) for first in range(0, tasks, MOST_TASK_IDS)]
    return sum(1 + requests_of_a_look(look, page) for look in looks)


@attrs.frozen
class Prediction:
    """What a case should come to. `requests` is None where requests are not what it waits for."""

    seconds: float
    requests: float | None
    look: float
    wall: str


def ratings_a_request(jobs: int, of_a_job: float) -> float:
    """Ratings in a request: that of the largest job leaves, and the sizes of those that wait are spread evenly."""
    return min(AT_ONCE, of_a_job, 2 * MOST_WAITING / jobs)


def requests_for(tasks: float, page: int, together: float, lost: float = 0.0) -> float:
    """Requests that one account needs for so many tasks that are listed at once."""
    reads = requests_of_a_look(math.ceil(tasks), page) + 1
    settling = requests_to_settle(round(together), page)
    return reads / (1 - lost) + tasks / together * (1 + lost * settling / (1 - lost))


def tasks_a_day(page: int, jobs: int, of_a_job: float, limit: float = 1.0) -> float:
    """What one account can rate in a day at best."""
    return DAY * limit / (1 + LEAST_MARGIN) / (1 / page + 1 / ratings_a_request(jobs, of_a_job))


def predict(case: Case) -> Prediction:
    interval = (1 + LEAST_MARGIN) / case.limit
    tasks = case.tasks / case.accounts
    if case.day:
        share = interval * tasks / DAY / case.page
        look = interval * (1.5 + case.jobs) / (1 - share)
        return Prediction(DAY + look, None, look, "the day")
    together = ratings_a_request(case.jobs, tasks / case.jobs)
    requests = requests_for(tasks, case.page, together, case.lost)
    walls = {
        "account": requests * interval,
        "deciders": case.tasks * case.decision / case.deciders,
        "deciding": tasks * case.decision / case.deciding,
    }
    wall = max(walls, key=walls.__getitem__)
    return Prediction(walls[wall], requests * case.accounts if wall == "account" else None, 0.0, wall)
