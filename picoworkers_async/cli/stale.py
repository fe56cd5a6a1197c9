"""The rows of a sheet that are not true any more: what they are about was handed in anew, or waits no more."""

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
    """The ratings that are still true, and in words what was left out."""
    say("reading which of them still wait")
    try:
        found = await sheets.compare(pico, ratings, journal=journal)
    except AuthenticationError:
        raise
    except CallError as error:
        what = f"which rows still wait could not be read: {reading_in_words(error)}"
        raise CommandError(what, "nothing was rated; --no-compare rates without it", code=Exit.FAILED) from None
    if found.unread:
        say(f"warning: of {found.unread:,} it could not be read whether they still wait")
    stale = stale_in_words(found)
    say(*([] if stale is None else [stale, "export anew to see them as they are now"]))
    return found.ratings, stale


def stale_in_words(found: Comparison) -> str | None:
    """The rows that are not true any more; None where there is none."""
    if not (found.changed or found.gone):
        return None
    counts = [(found.changed, "handed in anew since"), (found.gone, "waiting no more")]
    told = ", ".join(f"{count:,} {what}" for count, what in counts if count)
    first = found.rows[:_MOST_LINES]
    lines = ", ".join(str(row.line) for row in first)
    total = found.changed + found.gone
    more = f" and {total - len(first):,} more" if total > len(first) else ""
    rows = "row is" if total == 1 else "rows are"
    return f"{total:,} {rows} left out: {told} (line {lines}{more})"
