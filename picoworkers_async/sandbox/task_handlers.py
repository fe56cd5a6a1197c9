"""The endpoints for tasks: list them, rate one, rate many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any

from . import checks
from .account import Account
from .arguments import Refusal, find_job, page_count, page_number
from .oddities import lie, made_odd, oddity_of
from .rows_json import task_json
from .store import JobRow, TaskRow

RATED = "Task rated successfully."


def _get_unrated_tasks(account: Account, query: dict[str, Any]) -> Any:
    store = account.shown()
    rows = store.unrated_of(find_job(store, query).id) if query.get("job_id") else store.unrated
    return _page(account, query, rows)


def _get_rated_tasks(account: Account, query: dict[str, Any]) -> Any:
    store = account.shown()
    rows: Mapping[str, TaskRow] = store.rated
    if query.get("job_id"):
        job_id = find_job(store, query).id
        rows = {task_id: task for task_id, task in rows.items() if task.job.id == job_id}
    return _page(account, query, rows)


def _page(account: Account, query: dict[str, Any], rows: Mapping[str, TaskRow]) -> Any:
    behaviour = account.behaviour
    if query.get("task_ids"):
        asked = dict.fromkeys(query["task_ids"].split(","))
        rows = {task_id: rows[task_id] for task_id in asked if task_id in rows}
    number, size = page_number(query), behaviour.page_size
    shown = islice(_in_order(account, rows), (number - 1) * size, number * size)
    tasks = [task_json(task) for task in shown]
    if share := behaviour.odd_fields:
        of_one_job = bool(query.get("job_id"))
        tasks = [
            made_odd(task, oddity_of(task["id"], account.seed, share), of_one_job=of_one_job) for task in tasks
        ]
    page = {"current_page": number, "pages": page_count(len(rows), size), "tasks": tasks}
    if behaviour.page_lies and account.rng.random() < behaviour.page_lies:
        return lie(page, "tasks", account.rng)
    return page


def _in_order(account: Account, rows: Mapping[str, TaskRow]) -> Iterable[TaskRow]:
    match account.behaviour.order:
        case "oldest":
            return rows.values()
        case "newest":
            return reversed(rows.values())  # type: ignore[call-overload,no-any-return]
        case "shuffled":
            shuffled = list(rows.values())
            account.rng.shuffle(shuffled)
            return shuffled


def _rate_single_task(account: Account, rating: dict[str, Any]) -> Any:
    job = find_job(account.store, rating)
    _refuse_listed(account, [rating["task_id"]])
    _rate(account, job, rating)
    return {"ok": True, "message": RATED}


def _rate_multiple_tasks(account: Account, body: dict[str, Any]) -> Any:
    job = find_job(account.store, body)
    _refuse_listed(account, [item["id"] for item in body["tasks"]])
    return {"tasks": [_rate_among_others(account, job, item) for item in body["tasks"]]}


def _refuse_listed(account: Account, task_ids: Iterable[str]) -> None:
    """Refuse the whole request for one task in it, like a service that cannot read one of the ratings."""
    refused = account.behaviour.refuse_bulk_with
    if refused and not refused.isdisjoint(task_ids):
        raise Refusal("Invalid tasks.")


def _rate_among_others(account: Account, job: JobRow, item: dict[str, Any]) -> dict[str, Any]:
    rating = {"task_id" if name == "id" else checks.LONG_NAMES.get(name, name): item[name] for name in item}
    try:
        _rate(account, job, rating)
    except Refusal as refusal:
        return {"id": item["id"], "ok": False, "message": str(refusal)}
    return {"id": item["id"], "ok": True, "message": RATED}


def _rate(account: Account, job: JobRow, rating: dict[str, Any]) -> None:
    message = checks.refuse_rating(rating)
    if message is not None:
        raise Refusal(message)
    task = account.store.tasks.get(rating["task_id"])
    if task is None or task.job is not job:
        raise Refusal("Task not found.")
    if task.id in account.refused:
        raise Refusal(account.refused[task.id])
    if task.verdict is not None:
        account.double_ratings += 1
        if not account.behaviour.pays_repeats:
            raise Refusal("Task cannot be rated.")
    if Decimal(rating.get("task_bonus", 0)) > account.store.balance:
        raise Refusal("Insufficient balance.")
    account.rate(task, rating)


TASK_HANDLERS: dict[str, Callable[[Account, dict[str, Any]], Any]] = {
    "get_unrated_tasks": _get_unrated_tasks,
    "get_rated_tasks": _get_rated_tasks,
    "rate_single_task": _rate_single_task,
    "rate_multiple_tasks": _rate_multiple_tasks,
}
