"""A rule for reviews that a test, in whatever process, can hold against the ledger."""

from __future__ import annotations

from decimal import Decimal

from picoworkers_async import Rating, Task


def judge(task: Task, skip: float = 0.0) -> Rating | None:
    """Decide by the last digits of the id, which the sandbox draws at random."""
    draw = int(task.id[-4:], 16)
    if draw % 100 < skip * 100:
        return None
    if draw % 3 == 0:
        return Rating.not_ok(task, "not what was asked", "incorrect")
    if draw % 7 == 0:
        return Rating.revise(task, "which of the two?")
    return Rating.ok(task, "good", bonus=Decimal(draw % 50) / 100)
