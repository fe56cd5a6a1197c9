"""What each endpoint does, once a request is well-formed: functions over the sandbox's state and JSON values."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..editions import Ability
from . import catalog, checks
from .arguments import Refusal, find_job, page_number
from .ledger import Entry, Kind
from .store import JobRow, job_json
from .task_handlers import TASK_HANDLERS

if TYPE_CHECKING:
    from .service import Sandbox

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


def _get_zones(sandbox: Sandbox, _: dict[str, Any]) -> Any:
    return catalog.zones(sandbox.edition)


def _get_lists(sandbox: Sandbox, _: dict[str, Any]) -> Any:
    return catalog.LISTS


def _get_categories(sandbox: Sandbox, _: dict[str, Any]) -> Any:
    return catalog.categories(sandbox.edition)


def _post_job(sandbox: Sandbox, draft: dict[str, Any]) -> Any:
    message = checks.refuse_draft(draft) or checks.refuse_variables(draft) or _refuse_target(sandbox, draft)
    if message is not None:
        raise Refusal(message)
    value = Decimal(draft["task_value"])
    count = draft.get("num_tasks", 10)
    cost = value * count + Decimal(draft.get("premium_amount", 0))
    if draft.get("notify_followers"):
        cost += max(Decimal(1), value * count * _FOLLOWERS)
    if cost > sandbox.balance:
        raise Refusal("Insufficient balance.")
    if draft.get("test"):
        return {"ok": True, "message": "Job is valid"}
    sandbox.balance -= cost
    kept = {
        name: item for name, item in draft.items() if name not in ("task_value", "num_tasks", "premium_amount")
    }
    job_id = sandbox.add_job(**kept, task_value=value, num_tasks=count, status="pending_review")
    sandbox.ledger.append(Entry(Kind.JOB, job_id, amount=cost))
    url = f"{sandbox.edition.job_url}{job_id}"
    return {"ok": True, "url": url, "message": "Job posted successfully"}


def _refuse_target(sandbox: Sandbox, draft: dict[str, Any]) -> str | None:
    zones = {zone["id"]: zone for zone in catalog.zones(sandbox.edition)}
    zone = zones.get(draft.get("zone_id", "int"))
    if zone is None:
        return "Invalid zone_id."
    allowed: Any = zone["excludable_countries"]
    if not set(draft.get("excluded_countries", ())) <= set(allowed):
        return "Invalid excluded_countries."
    chosen = next((row for row in catalog.LISTS if row["id"] == draft.get("list_id")), None)
    if "list_id" in draft and (chosen is None or int(str(chosen["workers"])) < 10):
        return "Invalid list_id."
    rows = {row["id"]: row for row in catalog.categories(sandbox.edition)}
    category = rows.get(draft["category_id"])
    if category is None:
        return "Invalid category_id."
    prices: Any = category["min_task_value"]
    if Decimal(draft["task_value"]) < Decimal(prices[draft.get("zone_id", "int")]):
        return "The task_value is below the minimum."
    return None


def _add_positions(sandbox: Sandbox, arguments: dict[str, Any]) -> Any:
    _grow(sandbox, find_job(sandbox.store, arguments), arguments["positions"])
    return {"ok": True, "message": "The position(s) has been added."}


def _grow(sandbox: Sandbox, job: JobRow, positions: int) -> None:
    cost = job.task_value * positions
    if cost > sandbox.balance:
        raise Refusal("Insufficient balance.")
    sandbox.balance -= cost
    job.num_tasks += positions
    sandbox.ledger.append(Entry(Kind.POSITIONS, job.id, amount=cost))


def _set_speed(sandbox: Sandbox, arguments: dict[str, Any]) -> Any:
    find_job(sandbox.store, arguments).fields["speed"] = arguments["speed"]
    return {"ok": True, "message": "Job speed updated successfully."}


def _set_ttr(sandbox: Sandbox, arguments: dict[str, Any]) -> Any:
    find_job(sandbox.store, arguments).fields["ttr"] = arguments["ttr"]
    return {"ok": True, "message": "Job time to rate (TTR) updated successfully."}


def _get_jobs(sandbox: Sandbox, query: dict[str, Any]) -> Any:
    status = query.get("status")
    if status is not None and status not in _STATUSES:
        raise Refusal("Invalid status.")
    jobs = [
        job
        for job in sandbox.store.jobs.values()
        if (status is None or job.status == status) and (query.get("unrated_tasks") != "1" or job.unrated)
    ]
    if query.get("order") == "desc":
        jobs.reverse()
    elif query.get("order", "asc") != "asc":
        raise Refusal("Invalid order.")
    page = page_number(query)
    size = sandbox.page_size
    rows = jobs[(page - 1) * size : page * size]
    return {
        "current_page": page,
        "pages": max(1, -(-len(jobs) // size)),
        "jobs": [_job_json(sandbox, job) for job in rows],
    }


def _stop_job(sandbox: Sandbox, arguments: dict[str, Any]) -> Any:
    _steer(sandbox, arguments, "finished", ("running", "paused", "pending_review"))
    return {"ok": True, "message": "Job stoped successfully."}


def _restart_job(sandbox: Sandbox, arguments: dict[str, Any]) -> Any:
    job = find_job(sandbox.store, arguments)
    if job.status != "finished":
        raise Refusal("Job cannot be restarted.")
    if "positions" in arguments:
        _grow(sandbox, job, arguments["positions"])
    job.status = "pending_restart"
    return {"ok": True, "notice": "job restarted successfully"}


def _get_job(sandbox: Sandbox, query: dict[str, Any]) -> Any:
    return _job_json(sandbox, find_job(sandbox.store, query))


def _pause_job(sandbox: Sandbox, arguments: dict[str, Any]) -> Any:
    _steer(sandbox, arguments, "paused", ("running",))
    return {"ok": True}


def _resume_job(sandbox: Sandbox, arguments: dict[str, Any]) -> Any:
    _steer(sandbox, arguments, "running", ("paused",))
    return {"ok": True}


def _get_balances(sandbox: Sandbox, _: dict[str, Any]) -> Any:
    return {"earned": f"{sandbox.earned:.4f}", "spendable": f"{sandbox.balance:.4f}"}


def _add_workers(sandbox: Sandbox, arguments: dict[str, Any]) -> Any:
    if all(row["id"] != arguments["list_id"] for row in catalog.LISTS):
        raise Refusal("List not found.")
    return {"ok": True, "message": "Workers added to the list successfully."}


def _deposit(sandbox: Sandbox, arguments: dict[str, Any]) -> Any:
    amount = Decimal(arguments["amount"]) / 100
    sandbox.balance += amount
    sandbox.ledger.append(Entry(Kind.DEPOSIT, amount=amount))
    message = "Thank you for your deposit! Your account balance will be updated shortly."
    return {"ok": True, "message": message}


def _job_json(sandbox: Sandbox, job: JobRow) -> dict[str, Any]:
    scheduled = sandbox.edition.can(Ability.SCHEDULE)
    return job_json(job, ("start_time", "end_time", "distribution") if scheduled else ())


def _steer(sandbox: Sandbox, arguments: dict[str, Any], to: str, out_of: tuple[str, ...]) -> None:
    job = find_job(sandbox.store, arguments)
    if job.status not in out_of:
        raise Refusal(f"Job is {job.status}.")
    job.status = to


def _feature_job(sandbox: Sandbox, arguments: dict[str, Any]) -> Any:
    job, amount = find_job(sandbox.store, arguments), Decimal(arguments["amount"])
    if amount > sandbox.balance:
        raise Refusal("Insufficient balance.")
    sandbox.balance -= amount
    sandbox.ledger.append(Entry(Kind.FEATURE, job.id, amount=amount))
    return {"ok": True}


def _get_predicted_position(sandbox: Sandbox, arguments: dict[str, Any]) -> Any:
    if all(row["id"] != arguments["category_id"] for row in catalog.categories(sandbox.edition)):
        raise Refusal("Invalid category_id.")
    return {"position_in_all": 1, "position_in_category": 1}


def _block_workers(sandbox: Sandbox, arguments: dict[str, Any]) -> Any:
    sandbox.blocked_workers |= set(arguments["workers"])
    return {"ok": True, "message": "Workers blocked successfully."}


def _unblock_workers(sandbox: Sandbox, arguments: dict[str, Any]) -> Any:
    sandbox.blocked_workers -= set(arguments["workers"])
    return {"ok": True, "message": "Workers unblocked successfully."}


HANDLERS: dict[str, Callable[[Sandbox, dict[str, Any]], Any]] = {
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
"""By the name of the row in the table of endpoints."""
