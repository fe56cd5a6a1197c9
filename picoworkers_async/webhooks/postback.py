"""What a postback says: ids of tasks to read, or statuses of jobs. Nothing else in it is believed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import attrs

from .. import codec
from ..codec.values import as_list, as_object, kind_of, shown, to_datetime, to_str
from ..models import JobStatus
from .changes import Change
from .refusals import NotTakenError

MOST_BYTES = 1024 * 1024
MOST_ENTRIES = 50_000
MOST_JOBS = 5_000

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST_TEXT = 64
_ENVELOPE = frozenset({"event_type", "event_date", "event"})
_OF_TASKS = frozenset({"job_id", "task_ids"})
_OF_CHANGES = frozenset({"job_id", "changes"})
_STATUSES = {status.value: status.value for status in JobStatus}


@attrs.frozen
class Postback:
    """Submitted tasks as `(job id, task id)`, and changes of jobs. `problem` is the first thing not understood."""

    ids: tuple[tuple[str, str], ...] = ()
    changes: tuple[Change, ...] = ()
    problem: str | None = None


def read_postback(raw: bytes) -> Postback:
    """Read a body of either shape: one key for each job with the ids of its tasks, or an envelope with an event.

    A body is understood whole if every entry is: an id is 1 to 64 ASCII letters, digits, `_` and `-`; a status
    is a printable text of 1 to 64 characters. Of any other body, what is understood is returned with its
    `problem`. PHP's `[]`, lists written as objects and ids that are numbers are understood. Unknown fields are
    skipped, except lists in an envelope, which may hold ids or changes: those are a problem.

    Raises `NotTakenError`: 413 for more than 5,000 jobs, or 50,000 ids or changes; 422 for what is not JSON or
    has one name twice. Source: the webhook in the API document of 2024; the envelope as seen in use.
    """
    try:
        data = codec.loads(raw, unique_names=True)
    except codec.ShapeError as error:
        raise NotTakenError(422, str(error)) from None
    if isinstance(data, dict) and not _ENVELOPE.isdisjoint(data):
        return _envelope(data)
    return _jobs(data)


def _jobs(data: Any) -> Postback:
    """The shape of 2024: `{"job id": ["task id", ...], ...}`."""
    try:
        listed = as_object(data, "the body")
    except codec.ShapeError as error:
        return Postback(problem=str(error))
    _refuse_many(listed)
    reading = _Reading()
    for job_id, task_ids in listed.items():
        reading.add_tasks(job_id, task_ids, f"the value of {shown(job_id)}")
    return reading.postback()


def _envelope(data: dict[str, Any]) -> Postback:
    """Today's shape: `{"event_type": ..., "event_date": ..., "event": [{"job_id": ..., ...}, ...]}`."""
    kind = data.get("event_type")
    if kind not in ("tasks_submitted", "job_status_changed"):
        return Postback(problem=f"event_type {shown(kind)} is not known")
    try:
        event = as_list(data.get("event"), "event")
    except codec.ShapeError as error:
        return Postback(problem=str(error))
    _refuse_many(event)
    reading = _Reading()
    for place, entry in enumerate(event):
        where = f"event[{place}]"
        if not isinstance(entry, dict):
            reading.note(f"{where} is {kind_of(entry)}, not an object")
        elif kind == "tasks_submitted":
            reading.add_tasks(entry.get("job_id"), entry.get("task_ids"), f"{where}.task_ids")
            reading.pass_over(entry, _OF_TASKS, f"{where} has")
        else:
            reading.add_changes(entry.get("job_id"), entry.get("changes"), where)
            reading.pass_over(entry, _OF_CHANGES, f"{where} has")
    reading.pass_over(data, _ENVELOPE, "it has")
    return reading.postback()


class _Reading:
    """What was understood so far, each once and in order."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str], None] = {}
        self._changes: list[Change] = []
        self._entries = 0
        self._problem: str | None = None

    def postback(self) -> Postback:
        return Postback(tuple(self._ids), tuple(self._changes), self._problem)

    def note(self, problem: str) -> None:
        """Keep the first problem."""
        self._problem = self._problem or problem

    def add_tasks(self, job_id: Any, task_ids: Any, where: str) -> None:
        """Take the ids of one job's tasks."""
        job = self._id(job_id, "a job")
        for entry in self._list(task_ids, where):
            task = self._id(entry, "a task")
            if job is not None and task is not None:
                self._ids[job, task] = None

    def add_changes(self, job_id: Any, changes: Any, where: str) -> None:
        """Take one job's changes. The event's date is not theirs: it may be when it was sent."""
        job = self._id(job_id, "a job")
        for place, entry in enumerate(self._list(changes, f"{where}.changes")):
            try:
                change = as_object(entry, "it")
                status, date = _status(change.get("status")), _date(change.get("date"))
            except codec.ShapeError as error:
                self.note(f"{where}.changes[{place}]: {error}")
            else:
                if job is not None:
                    self._changes.append(Change(job, status, date))

    def pass_over(self, given: dict[str, Any], known: frozenset[str], it_has: str) -> None:
        """Note unknown fields that could hold ids or changes: a list of anything."""
        for name in given.keys() - known:
            if _is_list_of_something(given[name]):
                self.note(f"{it_has} a list {shown(name)}, which is not known")

    def _list(self, value: Any, where: str) -> Iterator[Any]:
        try:
            entries = as_list(value, where)
        except codec.ShapeError as error:
            self.note(str(error))
            return iter(())
        self._entries += len(entries)
        if self._entries > MOST_ENTRIES:
            raise NotTakenError(413, f"it has more than {MOST_ENTRIES} entries")
        return iter(entries)

    def _id(self, value: Any, of_what: str) -> str | None:
        if type(value) in (str, int):
            text = str(value)
            if _ID.fullmatch(text) is not None:
                return text
        self.note(f"{shown(value)} cannot be the id of {of_what}")
        return None


def _is_list_of_something(value: Any) -> bool:
    try:
        return bool(as_list(value, "it"))
    except codec.ShapeError:
        return False


def _refuse_many(jobs: dict[str, Any] | list[Any]) -> None:
    if len(jobs) > MOST_JOBS:
        raise NotTakenError(413, f"it names {len(jobs)} jobs; at most {MOST_JOBS} are taken")


def _status(value: Any) -> str:
    text = _short_text(value, "status")
    if not text:
        raise codec.ShapeError("it has no status")
    return _STATUSES.get(text.lower(), text)


def _date(value: Any) -> str:
    """The time in one notation, so that a repeat is recognised; a text that is no time as it is; none as empty."""
    if value is None:
        return ""
    text = _short_text(value, "date")
    try:
        moment = to_datetime(text)
    except codec.ShapeError:
        return text
    return "" if moment is None else moment.isoformat()


def _short_text(value: Any, what: str) -> str:
    text = "" if value is None else to_str(value).strip()
    if len(text) > _MOST_TEXT or not text.isprintable():
        raise codec.ShapeError(
            f"its {what} {shown(value)} is not a printable text of at most {_MOST_TEXT} characters"
        )
    return text
