"""The columns of an exported sheet, and their contents."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from ..errors import InvalidRequestError
from ..models import Job, Task, TaskProof
from ..models.to_plain import to_jsonable
from .cells import split

IDENTIFIERS = ("JOB_ID", "TASK_ID", "WORKER_ID")
BEFORE = ("JOB_ID", "TASK_ID", "REVISION_NUMBER", "WORKER_ID", "PAY", "SUBMITTED_AT", "RATE_BY")
"""What is known about a task: ids, its pay in US dollars without fees, and times in UTC."""

TO_FILL = (
    "SATISFIED",
    "NOT_SATISFIED",
    "REVISE_TASK",
    "SATISFACTION",
    "EMPLOYER_COMMENT",
    "BONUS_AMOUNT",
    "BLOCK_WORKER",
    "LIST_ID",
)
"""Empty columns to fill in."""

MOST_PROOFS = 100
MOST_PARTS = 20


def known_of(task: Task, job: Job | None) -> list[str]:
    """The cells of the columns before the proofs. What is not known is empty."""
    return [
        task.job_id or "",
        task.id,
        str(task.revision_number),
        task.worker_id or "",
        _money(None if job is None else job.task_value),
        _time(task.finished_at),
        _time(_rate_by(task, job)),
    ]


def _money(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:f}"


def _time(moment: datetime | None) -> str:
    if moment is None:
        return ""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _rate_by(task: Task, job: Job | None) -> datetime | None:
    if job is None:
        return None
    try:
        return job.rate_by(task)
    except InvalidRequestError:
        return None


def text_of(proof: TaskProof) -> str:
    """A proof as a text: its own or, if it has none, all that the service sent of it as JSON."""
    if proof.text is not None:
        return proof.text
    return json.dumps(to_jsonable(proof.extra)) if proof.extra else ""


def proof_columns(parts: Sequence[int]) -> list[str]:
    """The columns of proofs, of which each takes this many cells."""
    names = []
    for number, count in enumerate(parts, 1):
        names.append(f"PROOF_{number}")
        names += [f"PROOF_{number}_PART_{part}" for part in range(2, count + 1)]
    return names


def proof_cells(proofs: Sequence[str], parts: Sequence[int]) -> tuple[list[str], bool]:
    """The cells of a task's proofs, and whether anything did not fit."""
    cells: list[str] = []
    cut = len(proofs) > len(parts)
    for number, count in enumerate(parts):
        pieces = list(split(proofs[number])) if number < len(proofs) else []
        cut = cut or len(pieces) > count
        cells += pieces[:count] + [""] * (count - len(pieces))
    return cells, cut


class Widths:
    """How many cells each proof takes, for the tasks so far."""

    def __init__(self) -> None:
        self.parts: list[int] = []
        self.most: int = 0

    def add(self, proofs: Sequence[str]) -> None:
        """Make room for these, within bounds; `most` is how many proofs a task has, without bounds."""
        self.most = max(self.most, len(proofs))
        for number, text in enumerate(proofs[:MOST_PROOFS]):
            # Only a text that may be too long for a cell is taken apart to see.
            count = 1 if len(text) < 4_000 else min(MOST_PARTS, sum(1 for _ in split(text)))
            if number == len(self.parts):
                self.parts.append(count)
            elif count > self.parts[number]:
                self.parts[number] = count
