"""The rules for the arguments of the smaller calls."""

from __future__ import annotations

from collections.abc import Sequence

from ..editions import Edition
from ..errors import Problem
from ..models import JobDraft, JobStatus
from ..models.limits import limits_of
from . import values

_MOST_POSITIONS = 9999
_LEAST_DEPOSIT = 1000
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


def check_workers(list_id: int, workers: Sequence[str]) -> list[Problem]:
    """A list, and at least one worker for it (section 5.1)."""
    return [*values.whole("list_id", list_id, 1), *values.texts("workers", workers, least=1)]
