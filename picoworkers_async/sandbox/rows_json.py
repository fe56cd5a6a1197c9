"""Jobs and tasks in the service's format."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

from .behaviour import Titles
from .store import JobRow, TaskRow

_STATUS = {"ok": "OK", "not_ok": "NOK"}


def job_json(job: JobRow, unrated: int, titles: Titles = "as_sent", extra: Iterable[str] = ()) -> dict[str, Any]:
    """A job in the form of get-job; `extra` names fields that only some editions show."""
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
        "unrated_tasks": unrated,
        "workers_max_tasks": fields.get("workers_max_tasks", 1),
        "workers_level": fields.get("workers_level", "starter"),
        "speed": fields.get("speed", 1000),
        "ttr": fields.get("ttr", 7),
        "autorate": fields.get("autorate", "NO"),
        "pause_after_approval": fields.get("pause_after_approval", 0),
        "hold_time": fields.get("hold_time", 5),
        "title": title_as(titles, fields.get("title", "")),
        "instructions": fields.get("instructions", []),
        "notes": fields.get("notes", ""),
        "proofs": fields.get("proofs", []),
        "challenge_action": fields.get("challenge_action", ""),
        "challenges": fields.get("challenges", []),
        **job.extra,
    }


def title_as(titles: Titles, title: str) -> str:
    """A title as it comes back from a service that trims it, escapes it for HTML, or does both."""
    if titles in ("trimmed", "both"):
        title = title.strip()
    return html.escape(title) if titles in ("escaped", "both") else title


def task_json(task: TaskRow) -> dict[str, Any]:
    """A task in the form of get-unrated-tasks or, once it is rated, get-rated-tasks."""
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
    return {**task_fields, **task.extra}
