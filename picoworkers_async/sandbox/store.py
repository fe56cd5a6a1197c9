"""Jobs, tasks, and the listing of what is unrated."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Literal

import attrs

_STATUS = {"ok": "OK", "not_ok": "NOK"}

Order = Literal["oldest", "newest", "shuffled"]


@attrs.define(eq=False)
class JobRow:
    """A job of the account."""

    id: str
    fields: dict[str, Any]
    status: str
    num_tasks: int
    task_value: Decimal
    tasks_done: int = 0
    unrated: dict[str, TaskRow] = attrs.field(factory=dict)


@attrs.define(eq=False)
class TaskRow:
    """A task that a worker handed in. `verdict` is the last rating of this revision, None while unrated."""

    id: str
    job: JobRow
    fields: dict[str, Any]
    revision: int = 0
    verdict: str | None = None
    comment: str | None = None
    previous: list[dict[str, Any]] = attrs.field(factory=list)

    def send_back(self) -> None:
        """It comes again, with a higher revision; what was handed in before is kept."""
        written = datetime.fromisoformat(self.fields["finished_at"]).strftime("%Y-%m-%d %H:%M:%S")
        before = {"employer_comment": self.comment, "finished_at": written, "proofs": self.proofs()}
        self.previous.append(before)
        self.revision += 1
        self.verdict = self.comment = None

    def proofs(self) -> Any:
        """What the worker handed in."""
        return self.fields.get("proofs", [{"text": "submitted proof"}])


class Store:
    """Everything the account has. Unrated tasks stand in the order they were handed in, of each job and of all."""

    def __init__(self, rng: random.Random) -> None:
        self.jobs: dict[str, JobRow] = {}
        self.tasks: dict[str, TaskRow] = {}
        self.unrated: dict[str, TaskRow] = {}
        self.rated: dict[str, TaskRow] = {}
        self.submitted: list[tuple[str, str]] = []
        self._rng = rng

    def list_task(self, task: TaskRow) -> None:
        """Put a task on the listing of what is unrated, as the newest."""
        self.unrated[task.id] = task
        task.job.unrated[task.id] = task

    def unlist_task(self, task: TaskRow) -> None:
        """Take a task off it."""
        self.unrated.pop(task.id, None)
        task.job.unrated.pop(task.id, None)

    def page_of(
        self, rows: Mapping[str, TaskRow], page: int, size: int, order: Order
    ) -> tuple[int, list[TaskRow]]:
        """How many pages there are, and the rows of one, in this order."""
        pages = max(1, -(-len(rows) // size))
        start = (page - 1) * size
        values: Iterator[TaskRow]
        if order == "shuffled":
            shuffled = list(rows.values())
            self._rng.shuffle(shuffled)
            values = iter(shuffled)
        elif order == "newest":
            values = reversed(rows.values())  # type: ignore[call-overload]
        else:
            values = iter(rows.values())
        return pages, list(islice(values, start, start + size))


def job_json(job: JobRow, extra: Iterable[str] = ()) -> dict[str, Any]:
    """A job as get-job answers it; `extra` names fields that only some editions show."""
    fields = job.fields
    return {
        **{name: fields[name] for name in extra if name in fields},
        "id": job.id,
        "id_user": fields.get("id_user", "abcd1234"),
        "zone_id": fields.get("zone_id", "int"),
        "excluded_countries": fields.get("excluded_countries", []),
        "category_id": fields.get("category_id", "2004"),
        "created_at": fields["created_at"],
        "status": job.status.upper(),
        "task_value": float(job.task_value),
        "tasks_done": job.tasks_done,
        "num_tasks": job.num_tasks,
        "unrated_tasks": len(job.unrated),
        "workers_max_tasks": fields.get("workers_max_tasks", 1),
        "workers_level": fields.get("workers_level", "starter"),
        "speed": fields.get("speed", 1000),
        "ttr": fields.get("ttr", 7),
        "autorate": fields.get("autorate", "NO"),
        "pause_after_approval": fields.get("pause_after_approval", 0),
        "hold_time": fields.get("hold_time", 5),
        "title": fields.get("title", ""),
        "instructions": fields.get("instructions", []),
        "notes": fields.get("notes", ""),
        "proofs": fields.get("proofs", []),
        "challenge_action": fields.get("challenge_action", ""),
        "challenges": fields.get("challenges", []),
    }


def task_json(task: TaskRow) -> dict[str, Any]:
    """A task as get-unrated-tasks answers it, and once it is rated get-rated-tasks."""
    fields = task.fields
    task_fields = {
        "id": task.id,
        "job_id": task.job.id,
        "worker_id": fields.get("worker_id", "abcd1234"),
        "finished_at": fields["finished_at"],
        "ip_address": fields.get("ip_address", "127.0.0.1"),
        "country_code": fields.get("country_code", "XX"),
        "revision_number": task.revision,
        "variables": fields.get("variables", []),
        "proofs": task.proofs(),
    }
    if task.verdict is not None:
        task_fields |= {"status": _STATUS[task.verdict], "previous_proofs": task.previous}
    return task_fields
