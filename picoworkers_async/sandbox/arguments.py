"""The sandbox's reading of a request's arguments, and its refusals."""

from __future__ import annotations

from typing import Any

from .store import JobRow, Store


class Refusal(Exception):
    """The service refuses, with this message."""


def find_job(store: Store, arguments: dict[str, Any]) -> JobRow:
    """The job that `job_id` names."""
    job = store.jobs.get(arguments.get("job_id", ""))
    if job is None:
        raise Refusal("Job not found.")
    return job


def page_number(query: dict[str, Any]) -> int:
    """The page asked for, 1 if none is."""
    text = query.get("page", "1")
    if not text.isdigit() or int(text) < 1:
        raise Refusal("Invalid page.")
    return int(text)


def page_count(rows: int, size: int) -> int:
    """How many pages this many rows make; at least one."""
    return max(1, -(-rows // size))
