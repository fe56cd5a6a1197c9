"""Undocumented answers: fields of tasks in odd shapes, pages that are not whole."""

from __future__ import annotations

import random
from typing import Any

_NESTED_DEEP = 50
_HUGE = "<a number that JSON may have and float may not>"


def _nested() -> list[Any]:
    value: list[Any] = []
    for _ in range(_NESTED_DEEP):
        value = [value]
    return value


ODD_FIELDS: tuple[dict[str, Any], ...] = (
    {"country_code": 404},
    {"finished_at": {"date": "2022-06-29", "timezone_type": 3}},
    {"finished_at": _HUGE},
    {"ip_address": _HUGE},
    {"worker_id": ["abcd1234", "efgh5678"]},
    {"proofs": None},
    {"proofs": [{"text": "half of a pair: \ud800"}]},
    {"variables": _nested()},
    {"mood": {"of": "the worker", "since": None}},
)
"""What an odd task has instead of, or besides, its own fields: never its id, job or revision."""


def oddity_of(task_id: str, seed: int, share: float) -> dict[str, Any] | None:
    """What is odd about this task, the same every time: None, some fields, or {} for a missing `job_id`."""
    rng = random.Random(f"{seed}:{task_id}")  # noqa: S311
    if rng.random() >= share:
        return None
    return rng.choice((*ODD_FIELDS, {}))


def made_odd(task: dict[str, Any], oddity: dict[str, Any] | None, *, of_one_job: bool) -> dict[str, Any]:
    """The task with its oddity. `job_id` is missing only where the listing is of one job."""
    if oddity is None:
        return task
    if oddity:
        return {**task, **oddity}
    return {name: value for name, value in task.items() if name != "job_id"} if of_one_job else task


def with_huge_numbers(body: bytes) -> bytes:
    """The answer with numbers that Python's encoder cannot write."""
    return body.replace(f'"{_HUGE}"'.encode(), b"1e1000000")


def lie(page: dict[str, Any], rows: str, rng: random.Random) -> dict[str, Any]:
    """A page that is not whole and may not say so; `rows` names what it lists."""
    # An empty only page could as well be the truth.
    kind = rng.randrange(5 if page["pages"] > 1 else 4)
    if kind == 0:
        return {name: value for name, value in page.items() if name != "pages"}
    changes: tuple[dict[str, Any], ...] = ({rows: None}, {"pages": None}, {"pages": 0}, {rows: []})
    return {**page, **changes[kind - 1]}
