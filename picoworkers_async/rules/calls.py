"""The rules for the arguments of the smaller calls."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

import attrs

from ..editions import Ability, Edition
from ..models import JobDraft, JobStatus
from ..models.drafts import limits_of
from ..problems import Problem, ProblemCode
from . import values

_MOST_POSITIONS = 9999
_LEAST_DEPOSIT = 1000
_LEAST_FEATURE = Decimal("2.00")
_PATH_PART = re.compile(r"[A-Za-z0-9._-]+")
_ORDERS = ("asc", "desc")
MOST_TASK_IDS = 400
"""This many ids keep an address under 8 KB, the longest that web servers commonly accept."""

_FILTERS = [status.value for status in JobStatus if status is not JobStatus.PENDING_APPROVAL]


def check_job_id(job_id: str) -> list[Problem]:
    """A job's id must be a text that is not empty, and no path."""
    problems = list(values.text("job_id", job_id))
    if not problems and ("/" in job_id or "\\" in job_id):
        limit = "an id, such as fc7b3bd10d08; this is a path, or an address"
        problems.append(Problem("job_id", job_id, limit, ProblemCode.FORMAT))
    return problems


def check_page(page: int) -> list[Problem]:
    """Pages are counted from 1 (sections 3.8 and 3.9 of the API document)."""
    return list(values.whole("page", page, 1))


def check_status_filter(status: JobStatus | str | None) -> list[Problem]:
    """Only the documented statuses filter the listing of jobs, in any letter case (API document, section 3.8)."""
    if status is None or (isinstance(status, str) and status.lower() in _FILTERS):
        return []
    return [Problem("status", status, f"one of {', '.join(_FILTERS)}", ProblemCode.CHOICE)]


def check_order(order: str | None, edition: Edition) -> list[Problem]:
    """SproutGigs only: sort by creation date, `asc` or `desc`."""
    if order is None:
        return []
    if not edition.can(Ability.JOB_ORDER):
        return [_lacking("order", order, edition, Ability.JOB_ORDER)]
    return (
        []
        if isinstance(order, str) and order in _ORDERS
        else [Problem("order", order, "asc or desc", ProblemCode.CHOICE)]
    )


def check_task_ids(task_ids: Sequence[str] | None, edition: Edition) -> list[Problem]:
    """SproutGigs only: 1 to 400 ids of one job's tasks; they are joined by commas, so none may contain one."""
    if task_ids is None:
        return []
    if not edition.can(Ability.TASK_IDS):
        return [_lacking("task_ids", task_ids, edition, Ability.TASK_IDS)]
    problems = list(values.texts("task_ids", task_ids, least=1, most=MOST_TASK_IDS))
    return problems or [
        Problem(("task_ids", place), task_id, "an id without a comma", ProblemCode.FORMAT)
        for place, task_id in enumerate(task_ids)
        if "," in task_id
    ]


def check_feature(amount: Decimal) -> list[Problem]:
    """SproutGigs only: featuring a job costs at least 2.00 US dollars."""
    problems = list(values.money("amount", amount))
    if not problems and amount < _LEAST_FEATURE:
        problems.append(Problem("amount", amount, f"an amount of at least {_LEAST_FEATURE}", ProblemCode.RANGE))
    return problems


def check_category(category_id: str) -> list[Problem]:
    """A category's id must be a text, leading zeroes included (API document, section 3.3)."""
    return list(values.text("category_id", category_id))


def check_request(method: str, path: str) -> list[Problem]:
    """The low-level call sends a GET or a POST, to a path below the service's address."""
    problems = [] if method in ("GET", "POST") else [Problem("method", method, "GET or POST", ProblemCode.CHOICE)]
    parts = path.split("/") if isinstance(path, str) else [""]
    if any(part in ("", ".", "..") or not _PATH_PART.fullmatch(part) for part in parts):
        limit = "a path relative to the service's address, such as jobs/set-distribution.php"
        problems.append(Problem("path", path, limit, ProblemCode.FORMAT))
    return problems


def _lacking(field: str, value: object, edition: Edition, ability: Ability) -> Problem:
    return Problem(
        field, value, f"must be left out: the edition {edition.name} cannot {ability.value}", ProblemCode.EDITION
    )


def check_positions(positions: int) -> list[Problem]:
    """Positions must be 1 to 9999 (API document, section 3.5)."""
    return list(values.whole("positions", positions, 1, _MOST_POSITIONS))


def check_speed(speed: int) -> list[Problem]:
    """Speed must be 1 to 1000 (API document, section 3.6)."""
    limit = limits_of(JobDraft)["speed"]
    return list(values.whole("speed", speed, int(limit.minimum or 0), int(limit.maximum or 0)))


def check_ttr(ttr: int, edition: Edition) -> list[Problem]:
    """The time to rate must be 1 day to the edition's longest, 7 or 90 days (API document, section 3.7)."""
    return list(values.named(edition, values.whole("ttr", ttr, 1, edition.max_ttr)))


def check_deposit(amount: int) -> list[Problem]:
    """A deposit must be at least 1000, in whole US cents (API document, section 6.1)."""
    return [
        attrs.evolve(problem, limit=f"{problem.limit}, in US cents")
        for problem in values.whole("amount", amount, _LEAST_DEPOSIT)
    ]


def check_list_id(list_id: int) -> list[Problem]:
    """The id of a list of workers must be a whole number, at least 1 (API document, section 5.1)."""
    return list(values.whole("list_id", list_id, 1))


def check_workers(workers: Sequence[str]) -> list[Problem]:
    """There must be at least one worker, each an id that is not empty (API document, section 5.1)."""
    return list(values.texts("workers", workers, least=1))
