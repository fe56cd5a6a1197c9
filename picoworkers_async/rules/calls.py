"""The rules for the arguments of the smaller calls."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from ..editions import Ability, Edition
from ..errors import Problem
from ..models import JobDraft, JobStatus
from ..models.drafts import limits_of
from . import values

_MOST_POSITIONS = 9999
_LEAST_DEPOSIT = 1000
_LEAST_FEATURE = Decimal("2.00")
_PATH_PART = re.compile(r"[A-Za-z0-9._-]+")
_ORDERS = ("asc", "desc")
MOST_TASK_IDS = 400
"""So many ids in an address keep it under 8 KB, which is as long as web servers commonly take."""

_FILTERS = [status.value for status in JobStatus if status is not JobStatus.PENDING_APPROVAL]


def check_job_id(job_id: str) -> list[Problem]:
    """A job's id is a text."""
    return list(values.text("job_id", job_id))


def check_page(page: int) -> list[Problem]:
    """Pages count from 1 (sections 3.8, 3.9)."""
    return list(values.whole("page", page, 1))


def check_status_filter(status: JobStatus | str | None) -> list[Problem]:
    """Only the documented statuses filter the listing of jobs, in any letter case (section 3.8)."""
    if status is None or (isinstance(status, str) and status.lower() in _FILTERS):
        return []
    return [Problem("status", status, f"one of {', '.join(_FILTERS)}")]


def check_order(order: str | None, edition: Edition) -> list[Problem]:
    """Of 2024: by date of creation."""
    if order is None:
        return []
    if not edition.can(Ability.JOB_ORDER):
        return [_lacking("order", order, edition, Ability.JOB_ORDER)]
    return [] if order in _ORDERS else [Problem("order", order, "asc or desc")]


def check_task_ids(task_ids: Sequence[str] | None, edition: Edition) -> list[Problem]:
    """Of 2024: ids of one job's tasks, joined by commas in the address."""
    if task_ids is None:
        return []
    if not edition.can(Ability.TASK_IDS):
        return [_lacking("task_ids", task_ids, edition, Ability.TASK_IDS)]
    problems = list(values.texts("task_ids", task_ids, least=1, most=MOST_TASK_IDS))
    return problems or [
        Problem(f"task_ids[{place}]", task_id, "an id without a comma")
        for place, task_id in enumerate(task_ids)
        if "," in task_id
    ]


def check_feature(amount: Decimal) -> list[Problem]:
    """Of 2024: what featuring a job costs at least, in US dollars."""
    problems = list(values.money("amount", amount))
    if not problems and amount < _LEAST_FEATURE:
        problems.append(Problem("amount", amount, f"an amount of at least {_LEAST_FEATURE}"))
    return problems


def check_category(category_id: str) -> list[Problem]:
    """A category's id is a text, leading zeroes included."""
    return list(values.text("category_id", category_id))


def check_request(method: str, path: str) -> list[Problem]:
    """What the low-level call can send: a GET or POST, to a path below the service's address."""
    problems = [] if method in ("GET", "POST") else [Problem("method", method, "GET or POST")]
    parts = path.split("/") if isinstance(path, str) else [""]
    if any(part in ("", ".", "..") or not _PATH_PART.fullmatch(part) for part in parts):
        limit = "a path relative to the service's address, such as jobs/set-distribution.php"
        problems.append(Problem("path", path, limit))
    return problems


def _lacking(field: str, value: object, edition: Edition, ability: Ability) -> Problem:
    return Problem(field, value, f"none: edition {edition.name} cannot {ability.value}")


def check_positions(positions: int) -> list[Problem]:
    """Section 3.5."""
    return list(values.whole("positions", positions, 1, _MOST_POSITIONS))


def check_speed(speed: int) -> list[Problem]:
    """Section 3.6."""
    limit = limits_of(JobDraft)["speed"]
    return list(values.whole("speed", speed, int(limit.minimum or 0), int(limit.maximum or 0)))


def check_ttr(ttr: int, edition: Edition) -> list[Problem]:
    """Section 3.7; the edition says how long."""
    return list(values.whole("ttr", ttr, 1, edition.max_ttr))


def check_deposit(amount: int) -> list[Problem]:
    """Whole US cents (section 6.1)."""
    return [
        Problem(problem.field, problem.value, f"{problem.limit}, in US cents")
        for problem in values.whole("amount", amount, _LEAST_DEPOSIT)
    ]


def check_list_id(list_id: int) -> list[Problem]:
    """Section 5.1."""
    return list(values.whole("list_id", list_id, 1))


def check_workers(workers: Sequence[str]) -> list[Problem]:
    """At least one worker's id (section 5.1)."""
    return list(values.texts("workers", workers, least=1))
