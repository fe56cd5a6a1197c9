"""A sheet beside its journal: what earlier runs did, what is left, and where the sheet differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

import attrs

from ..journal.database import Database
from ..journal.schema import UNSENT, JournalState, Recorded, key_of
from ..journal.steps import known
from ..journal.stores import is_there, reading
from ..models import Rating, Verdict
from ..models.account import CONTEXT
from ..rating.conflicts import same_decision

_MOST_LINES = 10
_ENDED = (JournalState.RATED, JournalState.REFUSED, JournalState.WOULD_RATE)


@attrs.define
class Earlier:
    """A sheet compared with its journal.

    `rated` and `refused` count what earlier runs settled, `uncertain` what they sent and may have rated. `left`
    is how many are to be sent, `bonuses` theirs in US dollars, and `paying` how many of them pay for their task,
    by job. `differing` counts rows that differ from what was sent before, and `lines` are the first of these.
    """

    rated: int = 0
    refused: int = 0
    uncertain: int = 0
    left: int = 0
    bonuses: Decimal = Decimal(0)
    paying: Counter[str] = attrs.field(factory=Counter)
    differing: int = 0
    lines: list[int] = attrs.field(factory=list)

    def add(self, line: int, rating: Rating, recorded: Recorded | None) -> None:
        """Count one row of the sheet, and what the journal has of it."""
        if recorded is None or recorded.state in UNSENT:
            self.left += 1
            self.bonuses = CONTEXT.add(self.bonuses, rating.given_bonus or Decimal(0))
            if rating.verdict is Verdict.OK:
                self.paying[rating.job_id] += 1
            return
        if recorded.state is JournalState.REFUSED:
            self.refused += 1
            return
        self.rated += recorded.state in _ENDED
        self.uncertain += recorded.state not in _ENDED
        if not same_decision(recorded.rating, rating):
            self.differing += 1
            if len(self.lines) < _MOST_LINES:
                self.lines.append(line)

    def in_words(self) -> list[str]:
        """The same for people; empty if the journal has none of these tasks."""
        if not (self.rated or self.refused or self.uncertain):
            return []
        counts = [(self.rated, "rated"), (self.refused, "refused"), (self.uncertain, "sent, with unknown outcome")]
        told = ", ".join(f"{count:,} {what}" for count, what in counts if count)
        lines = [f"by earlier runs: {told}; {self.left:,} to send"]
        if self.differing:
            lines.append(self.differing_in_words())
        return lines

    def differing_in_words(self) -> str:
        """The rows that were changed too late."""
        one = self.differing == 1
        named = ", ".join(map(str, self.lines))
        more = f" and {self.differing - len(self.lines):,} more" if self.differing > len(self.lines) else ""
        rows, stay = ("row differs", "stays as it was") if one else ("rows differ", "stay as they were")
        return f"{self.differing:,} {rows} from what was already rated, and {stay}: line {named}{more}"


def compare(rows: Iterable[tuple[int, Rating]], journal: Path) -> Earlier:
    """Find each row of a sheet in a journal. Raises `JournalError` for one that cannot be read."""
    earlier = Earlier()
    with reading(journal) as database:
        for line, rating in rows:
            earlier.add(line, rating, _recorded(database, rating))
    return earlier


def add_up(rows: Iterable[tuple[int, Rating]]) -> Earlier:
    """The same for a sheet without a journal: all is left."""
    earlier = Earlier()
    for line, rating in rows:
        earlier.add(line, rating, None)
    return earlier


def is_of_a_real_batch(journal: Path) -> bool:
    """Whether this is a journal of a real batch, which a dry run must not write."""
    if not is_there(journal):
        return False
    with reading(journal) as database:
        found = database.execute("SELECT value FROM meta WHERE name = 'dry_run'").fetchone()
    return found is None or found[0] != "1"


def left(ratings: Iterable[Rating], journal: Path) -> Iterator[Rating]:
    """The ratings that a real run with this journal would send."""
    with reading(journal) as database:
        for rating in ratings:
            if _is_left(_recorded(database, rating)):
                yield rating


def _is_left(recorded: Recorded | None) -> bool:
    return recorded is None or recorded.state in UNSENT


def _recorded(database: Database, rating: Rating) -> Recorded | None:
    key = key_of(rating)
    return known(database, [key]).get(key)
