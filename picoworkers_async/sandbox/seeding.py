"""Actions of workers and the service's staff on an account, once their arguments are checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..models.jobs import JobStatus, JobStatusWord
from . import seeds
from .account import Account

Extra = Mapping[str, object] | None
WAITING = ("pending_review", "pending_approval", "pending_restart")


def add_job(account: Account, fields: Mapping[str, Any], extra: Extra) -> str:
    """Add a job; returns its id."""
    with account.lock:
        seeds.refuse("add_job", seeds.job_problems(fields, account.store) + seeds.extra_problems(extra))
        return account.add_job(fields, extra or {})


def set_job_status(account: Account, job_id: str, status: JobStatus | JobStatusWord) -> None:
    """Put a job into a status."""
    with account.lock:
        problems = seeds.id_problems("job_id", job_id, account.store.jobs, "a job")
        seeds.refuse("set_job_status", problems + seeds.status_problems(status))
        _put_status(account, job_id, status)


def approve(account: Account, job_id: str) -> None:
    """Let a job run that waits for it."""
    with account.lock:
        seeds.refuse("approve", seeds.waiting_problems(job_id, account.store, WAITING))
        _put_status(account, job_id, JobStatus.RUNNING)


def _put_status(account: Account, job_id: str, status: str) -> None:
    job = account.store.jobs[job_id]
    job.status = str(status)
    account.put_job(job)


def add_tasks(account: Account, job_id: str, count: int, fields: Mapping[str, Any], extra: Extra) -> list[str]:
    """Have workers hand in tasks of a job; returns their ids."""
    with account.lock:
        rows, problems = seeds.rows_of_tasks(count, fields)
        unknown = seeds.id_problems("job_id", job_id, account.store.jobs, "a job")
        seeds.refuse("add_tasks", unknown + problems + seeds.extra_problems(extra))
        return account.add_tasks(job_id, rows, extra or {})


def resubmit(account: Account, task_id: str, fields: Mapping[str, Any], extra: Extra) -> None:
    """Hand in again a task that was sent back."""
    with account.lock:
        rows, problems = seeds.rows_of_tasks(1, fields)
        problems += seeds.extra_problems(extra)
        seeds.refuse("resubmit", seeds.sent_back_problems(task_id, account.store) + problems)
        account.resubmit(task_id, rows[0], extra or {})


def withdraw(account: Account, task_id: str) -> None:
    """Remove a task."""
    with account.lock:
        seeds.refuse("withdraw", seeds.id_problems("task_id", task_id, account.store.tasks, "a task"))
        account.withdraw(task_id)


def refuse(account: Account, task_id: str, message: str | None) -> None:
    """Have ratings of a task refused; None: no longer."""
    with account.lock:
        seeds.refuse("refuse", seeds.id_problems("task_id", task_id, account.store.tasks, "a task"))
        if message is None:
            account.refused.pop(task_id, None)
        else:
            account.refused[task_id] = message
