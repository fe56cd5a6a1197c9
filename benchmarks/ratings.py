"""The ratings that the benchmarks send, and the same by hand."""

from __future__ import annotations

from typing import Any

from picoworkers_async import Rating


def ratings(count: int) -> list[Rating]:
    """So many ratings of one job."""
    return [
        Rating("fc7b3bd10d08", f"{number:014x}", "ok", "good", "great job!", 0, False, "0.00", 0)
        for number in range(count)
    ]


def body_of(rating: Rating) -> dict[str, Any]:
    """The same body that ours sends, as one would write it."""
    return {
        "job_id": rating.job_id,
        "task_id": rating.task_id,
        "task_rating": "ok",
        "task_satisfaction": "good",
        "task_comment": rating.comment,
        "list_id": 0,
        "block_worker": False,
        "task_bonus": float(rating.bonus),
    }
