"""The rows of a sheet that are out of date: their tasks were handed in again, or no longer wait."""

from __future__ import annotations

from pathlib import Path

from .. import sheets
from ..client import AsyncPicoworkers
from ..errors import AuthenticationError, CallError
from ..sheets import Comparison, SheetRatings
from .exits import CommandError, Exit
from .output import say
from .wording import reading_in_words

_MOST_LINES = 10


async def without_stale(
    pico: AsyncPicoworkers, ratings: SheetRatings, journal: Path
) -> tuple[SheetRatings, str | None]:
    """The ratings that are still up to date, and in words what was left out."""
    say("reading which rows are still up to date")
    try:
        found = await sheets.compare(pico, ratings, journal=journal)
    except AuthenticationError:
        raise
    except CallError as error:
        what = f"could not read which rows are up to date: {reading_in_words(error)}"
        raise CommandError(what, "nothing was rated; --no-compare skips this check", code=Exit.FAILED) from None
    if found.unread:
        say(f"warning: could not read whether {found.unread:,} rows are up to date")
    stale = stale_in_words(found)
    say(*([] if stale is None else [stale, "export again to see them as they are now"]))
    return found.ratings, stale


def stale_in_words(found: Comparison) -> str | None:
    """The rows that are out of date; None if there are none."""
    if not (found.changed or found.gone):
        return None
    counts = [(found.changed, "handed in again since"), (found.gone, "no longer waiting")]
    told = ", ".join(f"{count:,} {what}" for count, what in counts if count)
    first = found.rows[:_MOST_LINES]
    lines = ", ".join(str(row.line) for row in first)
    total = found.changed + found.gone
    more = f" and {total - len(first):,} more" if total > len(first) else ""
    rows = "row is" if total == 1 else "rows are"
    return f"{total:,} {rows} left out: {told} (line {lines}{more})"
