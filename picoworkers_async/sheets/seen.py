"""Which tasks a sheet has twice, and how its bonuses compare: in a temporary database, as they may be many."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple, Self

from ..models import Rating, Verdict
from ..models.account import CONTEXT

_AT_ONCE = 1_000
_CACHE_KIB = 4_096
_UNITS_A_DOLLAR = 10_000

_NO_BONUS = Decimal(0)

_TWICE = """
SELECT line, first_line, digest = first_digest, verdict, bonus FROM (
    SELECT line, digest, verdict, bonus,
        first_value(line) OVER together AS first_line, first_value(digest) OVER together AS first_digest
    FROM rows WINDOW together AS (PARTITION BY key ORDER BY line)
) WHERE line > first_line ORDER BY line
"""
_MEDIAN = """
SELECT bonus FROM rows WHERE bonus > 0 ORDER BY bonus
LIMIT 1 OFFSET (SELECT (count(*) - 1) / 2 FROM rows WHERE bonus > 0)
"""


class Twice(NamedTuple):
    """A task in a line that was in an earlier one, whether both say the same, and what this one says."""

    line: int
    first_line: int
    same: bool
    verdict: Verdict
    bonus: Decimal


def digest_of(rating: Rating) -> bytes:
    """A digest that differs for ratings that differ."""
    said = (
        rating.job_id,
        rating.task_id,
        rating.verdict.value,
        rating.satisfaction and rating.satisfaction.value,
        rating.comment,
        rating.list_id,
        rating.block_worker,
        CONTEXT.normalize(rating.bonus) if rating.given_bonus else _NO_BONUS,
        rating.revision_number,
    )
    return _digest(repr(said))


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class SeenRows:
    """The ratings of a sheet by their tasks, lines and bonuses. Close it; its file goes with it."""

    def __init__(self) -> None:
        # An empty name is a file of its own, that the system removes; little of it is held in memory.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA temp_store = FILE")
        self._database.execute(
            "CREATE TABLE rows (key BLOB, digest BLOB, line INTEGER, bonus INTEGER, verdict TEXT)"
        )
        self._database.execute("BEGIN")
        self._waiting: list[tuple[bytes, bytes, int, int, str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def add(self, line: int, rating: Rating, digest: bytes) -> None:
        """Note the rating of a line."""
        key = _digest(f"{len(rating.job_id)} {rating.job_id} {rating.task_id}")
        bonus = rating.given_bonus
        units = 0 if bonus is None else int(CONTEXT.multiply(bonus, _UNITS_A_DOLLAR))
        self._waiting.append((key, digest, line, units, rating.verdict.value))
        if len(self._waiting) >= _AT_ONCE:
            self._write()

    def _write(self) -> None:
        self._database.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?)", self._waiting)
        self._waiting.clear()

    def twice(self) -> Iterator[Twice]:
        """Each line whose task was in an earlier one, in order."""
        self._write()
        for line, first, same, verdict, bonus in self._database.execute(_TWICE):
            yield Twice(line, first, bool(same), Verdict(verdict), _dollars(bonus))

    def bonuses_above(self, times_median: int, dollars: int, most: int) -> tuple[int, list[tuple[int, Decimal]]]:
        """How many bonuses exceed the median by this factor, and this many dollars; and the largest ones.

        The median is the lower of the two in the middle, if there are two.
        """
        self._write()
        median = self._database.execute(_MEDIAN).fetchone()
        if median is None:
            return 0, []
        bound = max(times_median * median[0], dollars * _UNITS_A_DOLLAR)
        (count,) = self._database.execute("SELECT count(*) FROM rows WHERE bonus > ?", (bound,)).fetchone()
        ordered = "SELECT line, bonus FROM rows WHERE bonus > ? ORDER BY bonus DESC, line LIMIT ?"
        found = self._database.execute(ordered, (bound, most))
        return count, [(line, _dollars(bonus)) for line, bonus in found]


def _dollars(units: int) -> Decimal:
    return CONTEXT.divide(Decimal(units), Decimal(_UNITS_A_DOLLAR))
