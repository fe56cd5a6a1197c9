"""The summary of a sheet: enough to ask somebody before anything is rated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from decimal import Decimal

import attrs

from ..models import Rating, Verdict
from ..models.account import CONTEXT
from .seen import SeenRows

FAR_ABOVE_TIMES = 10
FAR_ABOVE_DOLLARS = 1
_MOST_LISTED = 100
_MOST_LINES = 5
_COMMON_SHARE = 0.9


@attrs.frozen
class HighBonus:
    """A bonus, in US dollars, and the line it is in."""

    line: int
    bonus: Decimal


@attrs.frozen
class SheetSummary:
    """The summary of a sheet that was found valid.

    - `rows`: rows that are not blank.
    - `ratings`: rows with a mark, each task once; `verdicts`: how many of each verdict.
    - `left_alone`: rows in which nothing was filled in.
    - `repeated`: rows that say the same of a task as an earlier row, and are taken once.
    - `bonuses`: their sum, in US dollars; `largest_bonus`: the largest of them, with its line.
    - `high_bonuses`: those far above the others, more than ten times the median of all bonuses of the sheet and
      more than $1: the first 100 of `high_bonus_count`.
    - `hidden`: ratings in rows that a spreadsheet program does not show.
    - `unknown_columns`: columns without a known meaning, which were not read.
    - `warnings`: for people.
    """

    path: str
    format: str
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    rows: int
    ratings: int
    verdicts: Mapping[Verdict, int]
    left_alone: int
    repeated: int
    hidden: int
    bonuses: Decimal
    largest_bonus: HighBonus | None
    high_bonuses: tuple[HighBonus, ...]
    high_bonus_count: int
    unknown_columns: tuple[str, ...]
    warnings: tuple[str, ...]


class Tally:
    """Adds up what a sheet says, row by row."""

    def __init__(self) -> None:
        self.rows: int = 0
        self.left_alone: int = 0
        self.hidden: int = 0
        self.verdicts: Counter[Verdict] = Counter()
        self.bonuses: Decimal = Decimal(0)
        self.largest: HighBonus | None = None
        self._swallowing: list[int] = []
        self._swallowing_count = 0
        self._lengths: Counter[int] = Counter()
        self._digits: dict[int, list[int]] = {}
        self._digit_counts: Counter[int] = Counter()

    def add(self, line: int, rating: Rating, *, hidden: bool) -> None:
        """Count one rating."""
        self.verdicts[rating.verdict] += 1
        self.hidden += hidden
        bonus = rating.given_bonus
        if bonus:
            self.bonuses = CONTEXT.add(self.bonuses, bonus)
            if self.largest is None or bonus > self.largest.bonus:
                self.largest = HighBonus(line, bonus)
        length = len(rating.task_id)
        self._lengths[length] += 1
        if rating.task_id.isdigit():
            self._digit_counts[length] += 1
            lines = self._digits.setdefault(length, [])
            if len(lines) < _MOST_LINES:
                lines.append(line)

    def add_swallowing(self, line: int) -> None:
        """Count a rating whose comment seems to hold other rows."""
        self._swallowing_count += 1
        if len(self._swallowing) < _MOST_LINES:
            self._swallowing.append(line)

    def take_back(self, verdict: Verdict, bonus: Decimal) -> None:
        """Take back a row that says what an earlier one did."""
        self.verdicts[verdict] -= 1
        self.bonuses = CONTEXT.subtract(self.bonuses, bonus)

    def of_some(self, whole: SheetSummary, left_out: Collection[int]) -> SheetSummary:
        """The summary of what was counted here, for a sheet without these lines."""
        high = tuple(one for one in whole.high_bonuses if one.line not in left_out)
        return attrs.evolve(
            whole,
            ratings=self.verdicts.total(),
            verdicts={verdict: self.verdicts[verdict] for verdict in Verdict},
            bonuses=self.bonuses,
            largest_bonus=self.largest,
            high_bonuses=high,
            high_bonus_count=whole.high_bonus_count - len(whole.high_bonuses) + len(high),
        )

    def warnings(self, repeated: int) -> list[str]:
        """What somebody should know before these are sent."""
        found = []
        if repeated:
            found.append(
                f"rows that repeat what an earlier row says of the same task: {repeated}; each task is rated once"
            )
        if self.hidden:
            found.append(f"{self.hidden} of the ratings are in hidden rows")
        if self._swallowing_count:
            named = ", ".join(map(str, self._swallowing))
            found.append(
                f"{self._swallowing_count} comments seem to hold other rows (line {named}), and workers would be "
                "sent these: perhaps a quote there is never closed"
            )
        total = self._lengths.total()
        common, count = self._lengths.most_common(1)[0] if total else (0, 0)
        if count >= _COMMON_SHARE * total:
            short = sum(number for length, number in self._digit_counts.items() if length < common)
            lines = sorted(line for length, lines in self._digits.items() if length < common for line in lines)
            if short:
                named = ", ".join(map(str, lines[:_MOST_LINES]))
                found.append(
                    f"task ids of digits only that are shorter than the others: {short} (line {named}); a "
                    "spreadsheet program may have removed their leading zeros"
                )
        return found

    def high_bonuses(self, seen: SeenRows) -> tuple[int, tuple[HighBonus, ...]]:
        """How many bonuses are far above the others, and the first of them."""
        count, found = seen.bonuses_above(FAR_ABOVE_TIMES, FAR_ABOVE_DOLLARS, _MOST_LISTED)
        return count, tuple(HighBonus(line, bonus) for line, bonus in found)
