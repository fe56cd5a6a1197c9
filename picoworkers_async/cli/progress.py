"""The progress of a batch, shown while it runs: a live bar at a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC
from decimal import Decimal

import anyio
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from ..models.account import CONTEXT
from ..models.dollars import in_dollars
from ..rating.progress import Progress
from .output import counted, say
from .safe_text import safe

LIVE_EVERY_SECONDS = 0.25
PLAIN_EVERY_SECONDS = 5.0
_MOST_BAR = 40
_BESIDE_BAR = 40
_EIGHTHS = " \u258f\u258e\u258d\u258c\u258b\u258a\u2589\u2588"

Look = Callable[[], Progress]
Pay = Callable[[Progress], Decimal | None]


def done_of(progress: Progress) -> int:
    """How many ratings have an outcome, or are known to have none yet."""
    ended = progress.rated + progress.refused + progress.failed + progress.would_rate
    return ended + progress.unknown


def total_of(progress: Progress, ratings: int | None) -> int | None:
    """How many there are: `ratings` if known, else the tasks that are listed or were met."""
    if ratings is not None:
        return ratings
    return None if progress.listed is None else max(progress.listed, progress.met)


def head(progress: Progress, total: int | None) -> str:
    """How much is done, and how long the rest takes."""
    done = done_of(progress)
    if total is None:
        return f"{done:,} done, {progress.met:,} met"
    share = f", {100 * done // total} %" if total else ""
    # Before the first request it is not known whether there is something to send.
    is_known = progress.eta is not None and progress.requests > 0 and done < total
    left = f", {duration(progress.eta or 0.0)} left" if is_known else ""
    return f"{done:,} of {total:,}{share}{left}"


def facts(progress: Progress, pay: Decimal | None = None) -> list[str]:
    """What was done and paid, what it took, and what it waits for, in words."""
    counts = [("rated", progress.rated), ("refused", progress.refused), ("failed", progress.failed)]
    counts.append(("unknown", progress.unknown))
    if progress.would_rate:
        counts = [("would rate", progress.would_rate), *counts[1:]]
    told = [f"{name} {count:,}" for name, count in counts]
    told += [f"{name} {count:,}" for name, count in (("put off", progress.put_off),) if count]
    told.append(money(progress, pay))
    used = "" if progress.rate_used is None else f", {100 * progress.rate_used:.0f} % of the permitted pace"
    told.append(f"{counted(progress.requests, 'request')}{used}")
    if progress.soonest_due is not None:
        told.append(f"the first pays itself {progress.soonest_due.astimezone(UTC):%m-%d %H:%M} UTC")
    if progress.waiting_for is not None:
        until = "" if progress.until is None else f", {duration(progress.until)} left"
        told.append(f"waiting: {progress.waiting_for}{until}")
    return told


def money(progress: Progress, pay: Decimal | None = None) -> str:
    """What was paid, or in a dry run would be; `pay` is what is known of the pay from elsewhere."""
    known = progress.pay if progress.pay is not None else pay
    verb = "would pay" if progress.would_rate else "paid"
    if known is None:
        return f"{verb} {in_dollars(progress.bonus)} as bonuses"
    total = CONTEXT.add(known, progress.bonus)
    return f"{verb} {in_dollars(total)}, {in_dollars(progress.bonus)} of it as bonuses"


def duration(seconds: float) -> str:
    """This many seconds as hours, minutes and seconds."""
    minutes, second = divmod(math.ceil(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def bar(share: float, width: int) -> str:
    """A bar of this many cells, filled to this share, to an eighth of a cell."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    whole, rest = divmod(eighths, 8)
    return (_EIGHTHS[8] * whole + (_EIGHTHS[rest] if rest else "")).ljust(width, "\u2500")


def drawn(progress: Progress, total: int | None, pay: Decimal | None, width: int) -> RenderableType:
    """The whole display for a terminal of this width; no line is longer."""
    lines = []
    first = head(progress, total)
    room = min(_MOST_BAR, width - _BESIDE_BAR)
    if total and room >= 8:
        filled = bar(done_of(progress) / total, room)
        lines.append(Text.assemble((filled, "green"), " ", first))
    else:
        lines.append(Text(first))
    lines += [Text(line) for line in folded(facts(progress, pay), width)]
    for line in lines:
        line.no_wrap = True
        line.overflow = "crop"
    return Group(*lines)


def folded(parts: list[str], width: int) -> list[str]:
    """The parts, joined, in lines no longer than this where possible."""
    lines: list[str] = []
    for part in map(safe, parts):
        if lines and len(lines[-1]) + len(part) + 2 < width:
            lines[-1] += f"  {part}"
        else:
            lines.append(part)
    return lines


class ProgressDisplay:
    """Shows the progress of a batch on stderr. `ratings` is how many there are, None if not known.

    `pay` is asked if the batch itself does not know what its verdicts pay. Everything printed meanwhile, on
    stdout too, is shown above a live display, and goes to stderr.
    """

    def __init__(self, look: Look, ratings: int | None = None, *, pay: Pay | None = None) -> None:
        self._look, self._ratings, self._pay = look, ratings, pay
        self._console = Console(file=sys.stderr, markup=False, highlight=False, emoji=False)
        self._live: Live | None = None

    @property
    def is_live(self) -> bool:
        """Whether there is a terminal that can be drawn on."""
        return self._console.is_terminal and not self._console.is_dumb_terminal

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the display in the block; its last state stays."""
        if not self.is_live:
            yield
            return
        with Live(console=self._console, auto_refresh=False, get_renderable=None) as live:
            self._live = live
            try:
                yield
            finally:
                self.draw()
                self._live = None

    async def run(self) -> None:
        """Keep it up to date until cancelled."""
        while True:
            if self._live is not None:
                self.draw()
                await anyio.sleep(LIVE_EVERY_SECONDS)
            else:
                await anyio.sleep(PLAIN_EVERY_SECONDS)
                say(self.line())

    def line(self) -> str:
        """The state in one line."""
        progress = self._look()
        return "; ".join([head(progress, self._total(progress)), *facts(progress, self._known(progress))])

    def draw(self) -> None:
        """Draw the state as it is now."""
        if self._live is not None:
            progress = self._look()
            width = self._console.width
            renderable = drawn(progress, self._total(progress), self._known(progress), width)
            self._live.update(renderable, refresh=True)

    def _total(self, progress: Progress) -> int | None:
        return total_of(progress, self._ratings)

    def _known(self, progress: Progress) -> Decimal | None:
        return None if self._pay is None else self._pay(progress)
