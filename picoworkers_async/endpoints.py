"""The table of endpoints: method, path, and whether repeating the call can cost money.

The client, the sandbox, the docs and the tests all read this one table.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, NamedTuple

from .editions import Ability


class Money(enum.Enum):
    """When a repeated call can cost money that a single one would not."""

    NEVER = "never"
    ALWAYS = "always"
    UNLESS_TEST = "unless the body has test=1"
    WITH_POSITIONS = "when the body has positions"


class Endpoint(NamedTuple):
    """One row: `group` and `name` are the client's method, `section` is the place in the API document.

    `ability` is what the edition must be able to do for the endpoint to exist there (None: both have it).
    """

    group: str
    name: str
    method: str
    path: str
    money: Money
    section: str
    ability: Ability | None = None

    @property
    def call(self) -> str:
        """The name used in errors and logs, such as `jobs.get_job`."""
        return self.name if self.group == "request" else f"{self.group}.{self.name}"


def repeat_costs_money(endpoint: Endpoint, body: Mapping[str, Any] | None) -> bool:
    """Whether sending this call a second time could cost money."""
    match endpoint.money:
        case Money.NEVER:
            return False
        case Money.ALWAYS:
            return True
        case Money.UNLESS_TEST:
            return not (body and body.get("test"))
        case Money.WITH_POSITIONS:
            return bool(body and body.get("positions"))


GET_ZONES = Endpoint("jobs", "get_zones", "GET", "jobs/get-zones.php", Money.NEVER, "3.1")
GET_LISTS = Endpoint("jobs", "get_lists", "GET", "jobs/get-lists.php", Money.NEVER, "3.2")
GET_CATEGORIES = Endpoint("jobs", "get_categories", "GET", "jobs/get-categories.php", Money.NEVER, "3.3")
POST_JOB = Endpoint("jobs", "post_job", "POST", "jobs/post-job.php", Money.UNLESS_TEST, "3.4")
ADD_POSITIONS = Endpoint("jobs", "add_positions", "POST", "jobs/add-positions.php", Money.ALWAYS, "3.5")
SET_SPEED = Endpoint("jobs", "set_speed", "POST", "jobs/set-speed.php", Money.NEVER, "3.6")
SET_TTR = Endpoint("jobs", "set_ttr", "POST", "jobs/set-ttr.php", Money.NEVER, "3.7")
GET_JOBS = Endpoint("jobs", "get_jobs", "GET", "jobs/get-jobs.php", Money.NEVER, "3.8")
GET_UNRATED_TASKS = Endpoint("jobs", "get_unrated_tasks", "GET", "jobs/get-unrated-tasks.php", Money.NEVER, "3.9")
RATE_SINGLE_TASK = Endpoint("jobs", "rate_single_task", "POST", "jobs/rate-single-task.php", Money.ALWAYS, "3.10")
STOP_JOB = Endpoint("jobs", "stop_job", "POST", "jobs/job-stop.php", Money.NEVER, "3.11")
RESTART_JOB = Endpoint("jobs", "restart_job", "POST", "jobs/job-restart.php", Money.WITH_POSITIONS, "3.12")
GET_JOB = Endpoint("jobs", "get_job", "GET", "jobs/get-job.php", Money.NEVER, "3.13")
PAUSE_JOB = Endpoint("jobs", "pause_job", "POST", "jobs/job-pause.php", Money.NEVER, "3.14")
RESUME_JOB = Endpoint("jobs", "resume_job", "POST", "jobs/job-resume.php", Money.NEVER, "3.15")
GET_BALANCES = Endpoint("users", "get_balances", "GET", "users/get-balances.php", Money.NEVER, "4.1")
ADD_WORKERS = Endpoint("lists", "add_workers", "POST", "lists/add-workers.php", Money.NEVER, "5.1")
DEPOSIT = Endpoint("wallet", "deposit", "POST", "wallet/deposit.php", Money.ALWAYS, "6.1", ability=Ability.DEPOSIT)

GET_RATED_TASKS = Endpoint(
    "jobs", "get_rated_tasks", "GET", "jobs/get-rated-tasks.php", Money.NEVER, "2024: jobs", Ability.RATED_TASKS
)
RATE_MULTIPLE_TASKS = Endpoint(
    "jobs",
    "rate_multiple_tasks",
    "POST",
    "jobs/rate-multiple-tasks.php",
    Money.ALWAYS,
    "2024: jobs",
    Ability.RATE_MULTIPLE,
)
FEATURE_JOB = Endpoint(
    "jobs", "feature_job", "POST", "jobs/feature-job.php", Money.ALWAYS, "2024: jobs", Ability.FEATURE_JOB
)
GET_PREDICTED_POSITION = Endpoint(
    "jobs",
    "get_predicted_position",
    "POST",
    "jobs/get-predicted-position.php",
    Money.NEVER,
    "2024: jobs",
    Ability.FEATURE_JOB,
)
BLOCK_WORKERS = Endpoint(
    "lists", "block_workers", "POST", "lists/block-workers.php", Money.NEVER, "2024: lists", Ability.BLOCK_WORKERS
)
UNBLOCK_WORKERS = Endpoint(
    "lists",
    "unblock_workers",
    "POST",
    "lists/unblock-workers.php",
    Money.NEVER,
    "2024: lists",
    Ability.BLOCK_WORKERS,
)

ENDPOINTS: tuple[Endpoint, ...] = (
    GET_ZONES,
    GET_LISTS,
    GET_CATEGORIES,
    POST_JOB,
    ADD_POSITIONS,
    SET_SPEED,
    SET_TTR,
    GET_JOBS,
    GET_UNRATED_TASKS,
    RATE_SINGLE_TASK,
    STOP_JOB,
    RESTART_JOB,
    GET_JOB,
    PAUSE_JOB,
    RESUME_JOB,
    GET_BALANCES,
    ADD_WORKERS,
    DEPOSIT,
    GET_RATED_TASKS,
    RATE_MULTIPLE_TASKS,
    FEATURE_JOB,
    GET_PREDICTED_POSITION,
    BLOCK_WORKERS,
    UNBLOCK_WORKERS,
)

_ONLY_NAMES = {
    ("POST", "jobs/edit-targeting.php"): Ability.TARGETING,
    ("POST", "jobs/set-daily-tasks-limit.php"): Ability.TARGETING,
    ("POST", "jobs/set-distribution.php"): Ability.TARGETING,
    ("GET", "lists/get-public-lists.php"): Ability.PUBLIC_PAGES,
    ("GET", "profiles/get-profile.php"): Ability.PUBLIC_PAGES,
}


def endpoint_at(method: str, path: str) -> Endpoint:
    """The row of a path; for one that is not in the table, a row in which every POST costs money."""
    for row in ENDPOINTS:
        if (row.method, row.path) == (method, path):
            return row
    money = Money.NEVER if method == "GET" else Money.ALWAYS
    ability = _ONLY_NAMES.get((method, path))
    return Endpoint("request", f"{method} {path}", method, path, money, "2026: names only", ability)
