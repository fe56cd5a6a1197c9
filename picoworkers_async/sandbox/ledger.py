"""The ledger: what was really paid, whatever the client was told."""

from __future__ import annotations

import enum
from decimal import Decimal

import attrs


class Kind(enum.Enum):
    """The kind of an entry."""

    RATING = "rating"
    JOB = "job"
    POSITIONS = "positions"
    DEPOSIT = "deposit"
    FEATURE = "feature"


@attrs.frozen
class Entry:
    """One thing that moved money, or a rating that refused it.

    `amount` is in US dollars: the pay for a task rated ok, the cost of a job or of positions, the funds added.
    `bonus` is what a worker got on top of the pay.
    """

    kind: Kind
    job_id: str | None = None
    task_id: str | None = None
    revision: int | None = None
    verdict: str | None = None
    amount: Decimal = Decimal(0)
    bonus: Decimal = Decimal(0)
    comment: str | None = None
