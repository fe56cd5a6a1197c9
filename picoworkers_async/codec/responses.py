"""Answers of the service, read as models."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import attrs

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
from .json import HugeNumber, ShapeError, loads, printable
from .reading import read, read_many
from .values import as_list, as_object, to_bool, to_int, to_str

T = TypeVar("T")

_MOST_PAGES = 2**31
_JOB_ID = re.compile(r"(?!(\d{1,5}|\d{21,})$)[A-Za-z0-9][A-Za-z0-9_-]{3,63}")
"""What may be the id of a job. The documents have 12 hexadecimal digits; a short number is a count or status."""
_NO_IDS = frozenset({"null", "none", "true", "false", "undefined"})
_NOT_OK = ("nok", "not_ok")
_ACKNOWLEDGEMENT = frozenset({"ok", "message", "notice"})


def refusal(data: Any) -> str | None:
    """The service's reason if it refused (`ok` is false in one of PHP's ways), else None."""
    if isinstance(data, dict) and "ok" in data and data["ok"] in (False, None, "", "0", "false"):
        return _message(data) or "it gave no reason"
    return None


def is_unauthorized(data: Any) -> bool:
    """Whether the answer says, by its message, that the credentials are wrong."""
    message = data.get("message", data.get("notice")) if isinstance(data, dict) else None
    return isinstance(message, str) and message.strip(" .!").lower() == "unauthorized"


def says_ok(data: Any) -> bool:
    """Whether the answer says that the call took effect: `ok` is true in one of PHP's ways."""
    try:
        return isinstance(data, dict) and to_bool(data.get("ok"))
    except ShapeError:
        return False


def read_zones(data: Any) -> list[Zone]:
    """Read the zones (API document, section 3.1)."""
    return list(read_many(data, Zone, "zones"))


def read_lists(data: Any) -> list[WorkerList]:
    """Read the account's lists of workers (API document, section 3.2)."""
    return list(read_many(data, WorkerList, "lists"))


def read_categories(data: Any) -> list[Category]:
    """Read the categories (API document, section 3.3)."""
    return list(read_many(data, Category, "categories"))


def read_job(data: Any) -> Job:
    """Read one job (API document, section 3.13)."""
    return read(data, Job)


def read_jobs_page(data: Any) -> Page[Job]:
    """Read one page of jobs (API document, section 3.8)."""
    return _read_page(data, "jobs", Job)


def read_tasks_page(data: Any, job_id: str | None = None) -> Page[Task]:
    """Read one page of tasks, of the job `job_id` or, with None, of all jobs (API document, section 3.9).

    A task without a `job_id` belongs to the job that was asked for. Raises `ShapeError` if none was.
    """
    page = _read_page(data, "tasks", Task)
    if all(task.job_id for task in page.items):
        return page
    if job_id is None:
        raise ShapeError("a task in the listing of all jobs lacks its 'job_id'")
    tasks = [task if task.job_id else attrs.evolve(task, job_id=job_id) for task in page.items]
    return attrs.evolve(page, items=tuple(tasks))


def read_balances(data: Any) -> Balances:
    """Read the account's balances (API document, section 4.1)."""
    return read(data, Balances)


def read_ack(data: Any) -> Ack:
    """Read an acknowledgement. Raises `ShapeError` if it does not say ok. A restart has `notice` for `message`."""
    fields = _acknowledged(data)
    extra = {name: value for name, value in fields.items() if name not in _ACKNOWLEDGEMENT}
    return Ack(_message(fields), extra)


def plain_ack(body: bytes) -> Ack | None:
    """The acknowledgement in the body of an HTTP 200; None for anything more, which has to be parsed.

    A service says the same thousands of times, and the same bytes always mean the same, so the last few are
    remembered. The caller makes sure that they are short.
    """
    said = _plainly_said(body)
    return None if said is None else Ack(said[0])


@lru_cache(maxsize=64)
def _plainly_said(body: bytes) -> tuple[str | None] | None:
    try:
        data = loads(body)
        ack = None if refusal(data) is not None or is_unauthorized(data) else read_ack(data)
    except ShapeError:
        return None
    return None if ack is None or ack.extra else (ack.message,)


def read_predicted_position(data: Any) -> PredictedPosition:
    """SproutGigs only: read the answer of get-predicted-position."""
    return read(data, PredictedPosition)


def read_rating_acks(data: Any) -> dict[str, RatingAck]:
    """SproutGigs only: read the answer of rate-multiple-tasks, by task id.

    A task about which the answer says two different things counts as one about which it says nothing.
    """
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
    try:
        task_id = to_str(item["id"])
    except (KeyError, TypeError, ShapeError):
        return None
    said = item.get("ok")
    try:
        ok = False if said in _NOT_OK else to_bool(said)
    except ShapeError:
        ok = None
    return RatingAck(task_id, ok, _message(item))


def read_posted_job(data: Any) -> PostedJob:
    """Read a job that was posted (API document, section 3.4). All but `ok`, `message` and `url` goes to `extra`.

    Its id is the `Id` in the query of the answer's url or, as seen in use, the `job_id` or `id` of the answer or
    of its `job` or `data`: 4 to 64 letters, digits, `_` and `-`, but no number of less than 6 digits. If two
    differ, neither is believed. An answer that names a job but lacks `ok` is read without the id, which may be
    that of another job; its `note` says so. Raises `ShapeError` for one that does neither.
    """
    fields = as_object(data, "the acknowledgement")
    url = fields.get("url")
    url = url if isinstance(url, str) and url else None
    job_id = _posted_id(fields, url)
    note: str | None = None
    if not says_ok(fields):
        if "ok" in fields or job_id is None:
            raise ShapeError("the acknowledgement does not say ok")
        note = f"the answer names job {printable(job_id)}, but does not say ok"
        job_id = None
    extra = {name: value for name, value in fields.items() if name not in ("ok", "message", "url")}
    if url is None and fields.get("url"):
        extra["url"] = fields["url"]
    return PostedJob(job_id, url, _message(fields), extra, note)


def _posted_id(fields: dict[str, Any], url: str | None) -> str | None:
    """The one id in the places where answers were seen to have it; None if they have two."""
    job, data = (fields[name] if isinstance(fields.get(name), dict) else {} for name in ("job", "data"))
    places = [_job_id_in(url or ""), fields.get("job_id"), fields.get("id")]
    places += [inner.get(name) for inner in (job, data) for name in ("job_id", "id")]
    named = {job_id for job_id in map(_job_id, places) if job_id is not None}
    return named.pop() if len(named) == 1 else None


def _job_id(value: Any) -> str | None:
    """The id of a job, if this can be one: no `0`, no `null` and no status is taken for it."""
    if isinstance(value, HugeNumber):
        return None
    try:
        text = to_str(value).strip()
    except ShapeError:
        return None
    return text if _JOB_ID.fullmatch(text) and text.lower() not in _NO_IDS else None


def _job_id_in(url: str) -> str | None:
    try:
        query = parse_qsl(urlsplit(url).query)
    except ValueError:
        return None
    return next((value for name, value in query if name.lower() == "id"), None)


def _acknowledged(data: Any) -> dict[str, Any]:
    fields = as_object(data, "the acknowledgement")
    if not says_ok(fields):
        raise ShapeError("the acknowledgement does not say ok")
    return fields


def _message(fields: dict[str, Any]) -> str | None:
    message = fields.get("message", fields.get("notice"))
    return printable(message) if isinstance(message, str) and message else None


def _read_page(data: Any, name: str, model: type[T]) -> Page[T]:
    fields = as_object(data, "the page")
    if name not in fields:
        raise ShapeError(f"the page lacks {name!r}")
    items = read_many(fields[name] if fields[name] is not None else [], model, name)
    pages = _count(fields.get("pages"))
    # Without a number of its own the first page is meant; a number that cannot be read is that of no page.
    current_page = _count(fields["current_page"]) if fields.get("current_page") is not None else 1
    is_whole = fields[name] is not None and pages > 0
    return Page(current_page, pages or int(bool(items)), items, is_whole)


def _count(value: Any) -> int:
    """A number of pages; 0 for what is not one."""
    try:
        count = 0 if isinstance(value, bool) else to_int(value)
    except ShapeError:
        return 0
    return count if 0 < count <= _MOST_PAGES else 0
