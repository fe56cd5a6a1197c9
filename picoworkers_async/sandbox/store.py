"""The data that the service shows: jobs, tasks, which are unrated, the balance."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs

_NO_TASKS: Mapping[str, TaskRow] = {}


@attrs.define(eq=False)
class JobRow:
    """A job of the account."""

    id: str
    fields: dict[str, Any]
    status: str
    num_tasks: int
    task_value: Decimal
    tasks_done: int = 0
    extra: Mapping[str, object] = attrs.field(factory=dict)
    """What is listed beside its fields, or in place of them."""


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
    extra: Mapping[str, object] = attrs.field(factory=dict)
    """What is listed beside its fields, or in place of them."""

    def proofs(self) -> Any:
        """What the worker handed in."""
        return self.fields.get("proofs", [{"text": "submitted proof"}])


class Store:
    """Jobs, tasks and the balance. Unrated tasks are in the order in which they were handed in."""

    def __init__(self, balance: Decimal) -> None:
        self.jobs: dict[str, JobRow] = {}
        self.tasks: dict[str, TaskRow] = {}
        self.unrated: dict[str, TaskRow] = {}
        self.rated: dict[str, TaskRow] = {}
        self.balance: Decimal = balance
        self.earned: Decimal = Decimal(0)
        self._unrated_of: dict[str, dict[str, TaskRow]] = {}

    def unrated_of(self, job_id: str) -> Mapping[str, TaskRow]:
        """The unrated tasks of one job."""
        return self._unrated_of.get(job_id, _NO_TASKS)

    def put_job(self, job: JobRow) -> None:
        """Add a job, or replace the one of its id."""
        self.jobs[job.id] = job

    def put_task(self, task: TaskRow) -> None:
        """Add a task, or replace the one of its id, and list it where it belongs: an unrated one as the newest."""
        self.tasks[task.id] = task
        self._unlist(task)
        if task.verdict is None:
            self.unrated[task.id] = task
            self._unrated_of.setdefault(task.job.id, {})[task.id] = task
        elif task.verdict != "revise":
            self.rated[task.id] = task

    def remove_task(self, task: TaskRow) -> None:
        """Remove a task."""
        self.tasks.pop(task.id, None)
        self._unlist(task)

    def set_balance(self, balance: Decimal) -> None:
        """What can be spent, in US dollars."""
        self.balance = balance

    def _unlist(self, task: TaskRow) -> None:
        self.rated.pop(task.id, None)
        if self.unrated.pop(task.id, None) is not None:
            self._unrated_of[task.job.id].pop(task.id)
