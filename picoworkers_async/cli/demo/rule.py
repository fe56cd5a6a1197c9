"""What an employer writes: a function that rates one task. And the proofs that it gets here."""

from __future__ import annotations

from ... import Rating, Task

PROOFS = ("done", "all of it, and a screenshot", "", "blue? or green", "done", "done as asked")


def decide(task: Task) -> Rating:
    """Pay for proofs, with a bonus for long ones; refuse if there is none, and send back a doubtful one."""
    text = task.proofs[0].text or "" if task.proofs else ""
    if not text:
        return Rating.not_ok(task, "No proof was handed in.", "incorrect")
    if "?" in text:
        return Rating.revise(task, "Please say which of the two it is.")
    return Rating.ok(task, "good", bonus="0.05" if len(text) > 20 else None)
