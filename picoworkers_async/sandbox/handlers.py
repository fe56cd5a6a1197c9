"""What each endpoint does with a well-formed request: functions over the account and JSON values."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from ..editions import Ability
from . import catalog, checks
from .account import Account
from .arguments import Refusal, find_job, page_count, page_number
from .ledger import Entry, Kind
from .messages import Reply
from .oddities import lie
from .rows_json import job_json
from .store import JobRow, Store
from .task_handlers import TASK_HANDLERS

_STATUSES = frozenset(
    {
        "running",
        "finished",
        "pending_review",
        "pending_restart",
        "paused",
        "paused_system",
        "paused_admin",
        "blocked",
        "declined",
    }
)
_FOLLOWERS = Decimal("0.03")


def _get_zones(account: Account, _: dict[str, Any]) -> Any:
    return catalog.zones(account.edition)


def _get_lists(account: Account, _: dict[str, Any]) -> Any:
    return catalog.LISTS


def _get_categories(account: Account, _: dict[str, Any]) -> Any:
    return catalog.categories(account.edition)


def _post_job(account: Account, draft: dict[str, Any]) -> Any:
    message = checks.refuse_draft(draft) or checks.refuse_variables(draft, account.edition)
    message = message or _refuse_target(account, draft)
    if message is not None:
        raise Refusal(message)
    value = Decimal(draft["task_value"])
    count = draft.get("num_tasks", 10)
    cost = value * count + Decimal(draft.get("premium_amount", 0))
    if draft.get("notify_followers"):
        cost += max(Decimal(1), value * count * _FOLLOWERS)
    _refuse_poor(account, cost)
    if draft.get("test"):
        return {"ok": True, "message": "Job is valid"}
    if account.behaviour.post_answer == "swallowed":
        return Reply(200, b"")
    kept = {
        name: item for name, item in draft.items() if name not in ("task_value", "num_tasks", "premium_amount")
    }
    job_id = account.add_job(
        {**kept, "task_value": value, "num_tasks": count, "status": account.behaviour.posted_as}
    )
    account.pay(Entry(Kind.JOB, job_id, amount=cost))
    return _posted(account, job_id)


def _posted(account: Account, job_id: str) -> Any:
    said = {"ok": True, "message": "Job posted successfully"}
    match account.behaviour.post_answer:
        case "url":
            return {"ok": True, "url": f"{account.edition.job_url}{job_id}", "message": said["message"]}
        case "job_id":
            return {**said, "job_id": job_id}
        case "job":
            return {**said, "job": {"id": job_id}}
        case "data":
            return {**said, "data": {"job_id": job_id}}
        case "without_ok":
            return {"job": {"id": job_id}}
        case "unnamed":
            return said
        case _:
            return Reply(200, b"")


def _refuse_target(account: Account, draft: dict[str, Any]) -> str | None:
    zones = {zone["id"]: zone for zone in catalog.zones(account.edition)}
    zone = zones.get(draft.get("zone_id", "int"))
    if zone is None:
        return "Invalid zone_id."
    allowed: Any = zone["excludable_countries"]
    if not set(draft.get("excluded_countries", ())) <= set(allowed):
        return "Invalid excluded_countries."
    chosen = next((row for row in catalog.LISTS if row["id"] == draft.get("list_id")), None)
    if "list_id" in draft and (chosen is None or int(str(chosen["workers"])) < 10):
        return "Invalid list_id."
    rows = {row["id"]: row for row in catalog.categories(account.edition)}
    category = rows.get(draft["category_id"])
    if category is None:
        return "Invalid category_id."
    prices: Any = category["min_task_value"]
    if Decimal(draft["task_value"]) < Decimal(prices[draft.get("zone_id", "int")]):
        return "The task_value is below the minimum."
    return None


def _add_positions(account: Account, arguments: dict[str, Any]) -> Any:
    _grow(account, find_job(account.store, arguments), arguments["positions"])
    return {"ok": True, "message": "The position(s) has been added."}


def _grow(account: Account, job: JobRow, positions: int) -> None:
    cost = job.task_value * positions
    _refuse_poor(account, cost)
    job.num_tasks += positions
    account.put_job(job)
    account.pay(Entry(Kind.POSITIONS, job.id, amount=cost))


def _refuse_poor(account: Account, cost: Decimal) -> None:
    if cost > account.store.balance:
        raise Refusal("Insufficient balance.")


def _set_speed(account: Account, arguments: dict[str, Any]) -> Any:
    _set(account, arguments, "speed")
    return {"ok": True, "message": "Job speed updated successfully."}


def _set_ttr(account: Account, arguments: dict[str, Any]) -> Any:
    _set(account, arguments, "ttr")
    return {"ok": True, "message": "Job time to rate (TTR) updated successfully."}


def _set(account: Account, arguments: dict[str, Any], name: str) -> None:
    job = find_job(account.store, arguments)
    job.fields = {**job.fields, name: arguments[name]}
    account.put_job(job)


def _get_jobs(account: Account, query: dict[str, Any]) -> Any:
    status = query.get("status")
    if status is not None and status not in _STATUSES:
        raise Refusal("Invalid status.")
    store = account.shown()
    jobs = [
        job
        for job in store.jobs.values()
        if (status is None or job.status == status)
        and (query.get("unrated_tasks") != "1" or store.unrated_of(job.id))
    ]
    if query.get("order") == "desc":
        jobs.reverse()
    elif query.get("order", "asc") != "asc":
        raise Refusal("Invalid order.")
    number, behaviour = page_number(query), account.behaviour
    size = behaviour.page_size
    page = {
        "current_page": number,
        "pages": page_count(len(jobs), size),
        "jobs": [_job_json(account, store, job) for job in jobs[(number - 1) * size : number * size]],
    }
    if behaviour.page_lies and account.rng.random() < behaviour.page_lies:
        return lie(page, "jobs", account.rng)
    return page


def _stop_job(account: Account, arguments: dict[str, Any]) -> Any:
    _steer(account, arguments, "finished", ("running", "paused", "pending_review", "pending_approval"))
    return {"ok": True, "message": "Job stoped successfully."}


def _restart_job(account: Account, arguments: dict[str, Any]) -> Any:
    job = find_job(account.store, arguments)
    if job.status != "finished":
        raise Refusal("Job cannot be restarted.")
    if "positions" in arguments:
        _grow(account, job, arguments["positions"])
    job.status = "pending_restart"
    account.put_job(job)
    return {"ok": True, "notice": "job restarted successfully"}


def _get_job(account: Account, query: dict[str, Any]) -> Any:
    store = account.shown()
    return _job_json(account, store, find_job(store, query))


def _pause_job(account: Account, arguments: dict[str, Any]) -> Any:
    _steer(account, arguments, "paused", ("running",))
    return {"ok": True}


def _resume_job(account: Account, arguments: dict[str, Any]) -> Any:
    _steer(account, arguments, "running", ("paused",))
    return {"ok": True}


def _get_balances(account: Account, _: dict[str, Any]) -> Any:
    store = account.shown()
    return {"earned": f"{store.earned:.4f}", "spendable": f"{store.balance:.4f}"}


def _add_workers(account: Account, arguments: dict[str, Any]) -> Any:
    if all(row["id"] != arguments["list_id"] for row in catalog.LISTS):
        raise Refusal("List not found.")
    return {"ok": True, "message": "Workers added to the list successfully."}


def _deposit(account: Account, arguments: dict[str, Any]) -> Any:
    amount = Decimal(arguments["amount"]) / 100
    account.set_balance(account.store.balance + amount)
    account.ledger.append(Entry(Kind.DEPOSIT, amount=amount))
    message = "Thank you for your deposit! Your account balance will be updated shortly."
    return {"ok": True, "message": message}


def _job_json(account: Account, store: Store, job: JobRow) -> dict[str, Any]:
    scheduled = account.edition.can(Ability.SCHEDULE)
    extra = ("start_time", "end_time", "distribution") if scheduled else ()
    return job_json(job, len(store.unrated_of(job.id)), account.behaviour.titles, extra)


def _steer(account: Account, arguments: dict[str, Any], to: str, out_of: tuple[str, ...]) -> None:
    job = find_job(account.store, arguments)
    if job.status not in out_of:
        raise Refusal(f"Job is {job.status}.")
    job.status = to
    account.put_job(job)


def _feature_job(account: Account, arguments: dict[str, Any]) -> Any:
    job, amount = find_job(account.store, arguments), Decimal(arguments["amount"])
    _refuse_poor(account, amount)
    account.pay(Entry(Kind.FEATURE, job.id, amount=amount))
    return {"ok": True}


def _get_predicted_position(account: Account, arguments: dict[str, Any]) -> Any:
    if all(row["id"] != arguments["category_id"] for row in catalog.categories(account.edition)):
        raise Refusal("Invalid category_id.")
    return {"position_in_all": 1, "position_in_category": 1}


def _block_workers(account: Account, arguments: dict[str, Any]) -> Any:
    account.blocked_workers |= set(arguments["workers"])
    return {"ok": True, "message": "Workers blocked successfully."}


def _unblock_workers(account: Account, arguments: dict[str, Any]) -> Any:
    account.blocked_workers -= set(arguments["workers"])
    return {"ok": True, "message": "Workers unblocked successfully."}


HANDLERS: dict[str, Callable[[Account, dict[str, Any]], Any]] = {
    "get_zones": _get_zones,
    "get_lists": _get_lists,
    "get_categories": _get_categories,
    "post_job": _post_job,
    "add_positions": _add_positions,
    "set_speed": _set_speed,
    "set_ttr": _set_ttr,
    "get_jobs": _get_jobs,
    "stop_job": _stop_job,
    "restart_job": _restart_job,
    "get_job": _get_job,
    "pause_job": _pause_job,
    "resume_job": _resume_job,
    "get_balances": _get_balances,
    "add_workers": _add_workers,
    "deposit": _deposit,
    "feature_job": _feature_job,
    "get_predicted_position": _get_predicted_position,
    "block_workers": _block_workers,
    "unblock_workers": _unblock_workers,
    **TASK_HANDLERS,
}
"""By the row's name in the table of endpoints."""
