"""What the endpoints around tasks do: list them, rate one, rate many."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import checks
from .arguments import Refusal, find_job, page_number
from .store import JobRow, TaskRow, task_json

if TYPE_CHECKING:
    from .service import Sandbox


def _get_unrated_tasks(sandbox: Sandbox, query: dict[str, Any]) -> Any:
    rows = find_job(sandbox.store, query).unrated if query.get("job_id") else sandbox.store.unrated
    return _listed(sandbox, query, rows)


def _get_rated_tasks(sandbox: Sandbox, query: dict[str, Any]) -> Any:
    rows = sandbox.store.rated
    if query.get("job_id"):
        job = find_job(sandbox.store, query)
        rows = {task_id: task for task_id, task in rows.items() if task.job is job}
    return _listed(sandbox, query, rows)


def _listed(sandbox: Sandbox, query: dict[str, Any], rows: Mapping[str, TaskRow]) -> Any:
    if query.get("task_ids"):
        asked = dict.fromkeys(query["task_ids"].split(","))
        rows = {task_id: rows[task_id] for task_id in asked if task_id in rows}
    page = page_number(query)
    pages, tasks = sandbox.store.page_of(rows, page, sandbox.page_size, sandbox.order)
    return {"current_page": page, "pages": pages, "tasks": [task_json(task) for task in tasks]}


def _rate_single_task(sandbox: Sandbox, rating: dict[str, Any]) -> Any:
    _rate(sandbox, find_job(sandbox.store, rating), rating)
    return {"ok": True, "message": "Task rated successfully."}


def _rate_multiple_tasks(sandbox: Sandbox, body: dict[str, Any]) -> Any:
    job = find_job(sandbox.store, body)
    return {"tasks": [_rate_among_others(sandbox, job, item) for item in body["tasks"]]}


def _rate_among_others(sandbox: Sandbox, job: JobRow, item: dict[str, Any]) -> dict[str, Any]:
    rating = {"task_id" if name == "id" else checks.LONG_NAMES.get(name, name): item[name] for name in item}
    try:
        _rate(sandbox, job, rating)
    except Refusal as refusal:
        return {"id": item["id"], "ok": False, "message": str(refusal)}
    return {"id": item["id"], "ok": True, "message": "Task rated successfully."}


def _rate(sandbox: Sandbox, job: JobRow, rating: dict[str, Any]) -> None:
    message = checks.refuse_rating(rating)
    if message is not None:
        raise Refusal(message)
    task = sandbox.store.tasks.get(rating["task_id"])
    if task is None or task.job is not job:
        raise Refusal("Task not found.")
    if task.verdict is not None:
        sandbox.double_ratings += 1
        raise Refusal("Task cannot be rated.")
    if Decimal(rating.get("task_bonus", 0)) > sandbox.balance:
        raise Refusal("Insufficient balance.")
    sandbox.rated(task, rating)


TASK_HANDLERS: dict[str, Callable[[Sandbox, dict[str, Any]], Any]] = {
    "get_unrated_tasks": _get_unrated_tasks,
    "get_rated_tasks": _get_rated_tasks,
    "rate_single_task": _rate_single_task,
    "rate_multiple_tasks": _rate_multiple_tasks,
}
