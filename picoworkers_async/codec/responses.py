"""What each kind of answer holds."""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from ..models import (
    Ack,
    Balances,
    Category,
    Job,
    Page,
    PostedJob,
    PredictedPosition,
    RatingAck,
    Task,
    WorkerList,
    Zone,
)
from .json import ShapeError
from .reading import as_list, as_object, read, read_many, to_bool, to_int

T = TypeVar("T")


def refusal(data: Any) -> str | None:
    """The service's reason if it refused (`ok` is false in one of PHP's ways), else None."""
    if isinstance(data, dict) and "ok" in data and data["ok"] in (False, None, "", "0", "false"):
        return _message(data) or "it gave no reason"
    return None


def is_unauthorized(data: Any) -> bool:
    """Whether the answer says, in its own words, that the credentials are wrong."""
    return isinstance(data, dict) and (_message(data) or "").strip(" .!").lower() == "unauthorized"


def read_zones(data: Any) -> list[Zone]:
    """Section 3.1."""
    return list(read_many(data, Zone, "zones"))


def read_lists(data: Any) -> list[WorkerList]:
    """Section 3.2."""
    return list(read_many(data, WorkerList, "lists"))


def read_categories(data: Any) -> list[Category]:
    """Section 3.3."""
    return list(read_many(data, Category, "categories"))


def read_job(data: Any) -> Job:
    """Section 3.13."""
    return read(data, Job)


def read_jobs_page(data: Any) -> Page[Job]:
    """Section 3.8."""
    return _read_page(data, "jobs", Job)


def read_tasks_page(data: Any, job_id: str | None = None) -> Page[Task]:
    """Section 3.9."""
    return _read_page(data, "tasks", Task)


def read_balances(data: Any) -> Balances:
    """Section 4.1."""
    return read(data, Balances)


def read_ack(data: Any) -> Ack:
    """An acknowledgement; restarting a job calls its message `notice`. One that does not say `ok` is none."""
    fields = _acknowledged(data)
    extra = {name: value for name, value in fields.items() if name not in ("ok", "message", "notice")}
    return Ack(_message(fields), extra)


def read_predicted_position(data: Any) -> PredictedPosition:
    """Of 2024, get-predicted-position."""
    return read(data, PredictedPosition)


def read_rating_acks(data: Any) -> dict[str, RatingAck]:
    """Of 2024, rate-multiple-tasks: by task id. What is said twice, and differently, is not said."""
    fields = as_object(data, "the answer")
    if "tasks" not in fields:
        raise ShapeError("the answer lacks 'tasks'")
    acks: dict[str, RatingAck] = {}
    for item in as_list(fields["tasks"], "tasks"):
        ack = _rating_ack(item)
        if ack is not None:
            before = acks.get(ack.task_id, ack)
            acks[ack.task_id] = ack if before.ok is ack.ok else RatingAck(ack.task_id, None, ack.message)
    return acks


def _rating_ack(item: Any) -> RatingAck | None:
    if not isinstance(item, dict) or not isinstance(item.get("id"), str | int):
        return None
    try:
        ok = to_bool(item["ok"])
    except (KeyError, ShapeError):
        ok = None
    return RatingAck(str(item["id"]), ok, _message(item))


def read_posted_job(data: Any) -> PostedJob:
    """Section 3.4. The job's id is the `Id` of the answer's url."""
    fields = _acknowledged(data)
    url = fields.get("url") or None
    query = parse_qsl(urlsplit(url).query) if isinstance(url, str) else []
    job_id = next((value for name, value in query if name.lower() == "id"), None)
    extra = {name: value for name, value in fields.items() if name not in ("ok", "message", "url")}
    return PostedJob(job_id, url, _message(fields), extra)


def _acknowledged(data: Any) -> dict[str, Any]:
    fields = as_object(data, "the acknowledgement")
    if "ok" not in fields or not to_bool(fields["ok"]):
        raise ShapeError("the acknowledgement does not say ok")
    return fields


def _message(fields: dict[str, Any]) -> str | None:
    message = fields.get("message", fields.get("notice"))
    return message if isinstance(message, str) and message else None


def _read_page(data: Any, name: str, model: type[T]) -> Page[T]:
    fields = as_object(data, "the page")
    if name not in fields:
        raise ShapeError(f"the page lacks {name!r}")
    items = read_many(fields[name] if fields[name] is not None else [], model, name)
    return Page(to_int(fields.get("current_page") or 1), to_int(fields.get("pages") or bool(items)), items)
