"""What a postback says: ids of tasks to look up. Nothing else in it is believed."""

from __future__ import annotations

import re
from typing import Any

import attrs

from .. import codec

MOST_BYTES = 1024 * 1024
MOST_IDS = 50_000
MOST_JOBS = 5_000

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class BadPostbackError(ValueError):
    """The body is not a postback, or is larger than what is read; `status` is the HTTP status to answer with."""

    def __init__(self, status: int, what: str) -> None:
        self.status = status
        super().__init__(what)


@attrs.frozen
class Postback:
    """The submitted tasks as `(job id, task id)`, and how many entries were left out since they cannot be ids."""

    ids: tuple[tuple[str, str], ...]
    ignored: int


def read_postback(raw: bytes) -> Postback:
    """Read a body, which has one key for each job; its value is the list of task ids.

    An entry that cannot be an id is left out, and the others are kept. Raises `BadPostbackError` for a body of
    another shape, for more than 5,000 jobs or 50,000 ids, and for a body without any id that can be used.
    Source: the webhook of the document of 2024.
    """
    try:
        data = codec.loads(raw)
    except codec.ShapeError as error:
        raise BadPostbackError(400, str(error)) from None
    if data == []:
        return Postback((), 0)
    if not isinstance(data, dict):
        raise BadPostbackError(400, "it is not a JSON object of jobs")
    if len(data) > MOST_JOBS:
        raise BadPostbackError(413, f"it names {len(data)} jobs; at most {MOST_JOBS} are taken")
    entries = [(job_id, entry) for job_id, listed in data.items() for entry in _entries(listed)]
    if len(entries) > MOST_IDS:
        raise BadPostbackError(413, f"it names {len(entries)} tasks; at most {MOST_IDS} are taken")
    ids = dict.fromkeys((job_id, _text(entry)) for job_id, entry in entries if _is_id(job_id) and _is_id(entry))
    ignored = sum(not (_is_id(job_id) and _is_id(entry)) for job_id, entry in entries)
    if ignored and not ids:
        raise BadPostbackError(400, "none of its entries can be a task's id")
    return Postback(tuple(ids), ignored)


def _entries(listed: Any) -> list[Any]:
    """The entries of one job; PHP writes a list whose keys have gaps as an object."""
    if isinstance(listed, dict):
        return list(listed.values())
    return listed if isinstance(listed, list) else [listed]


def _is_id(value: Any) -> bool:
    if isinstance(value, bool | codec.HugeNumber) or not isinstance(value, str | int):
        return False
    return _ID.fullmatch(_text(value)) is not None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)
