"""The demo as a whole: its four parts, one after the other."""

from __future__ import annotations

import tempfile
import time
from itertools import pairwise
from pathlib import Path

import anyio

from ... import PICOWORKERS, SPROUTGIGS
from ..exits import Exit
from . import books, killed, lost, speed, words
from .screen import Screen
from .services import Served, service
from .sizes import WHOLE, Sizes


async def run_demo(sizes: Sizes = WHOLE, *, keep: bool = False) -> Exit:
    """Show everything; FAILED if a report and a ledger differ. `keep` keeps the pages open until an interrupt."""
    screen = Screen()
    sandboxes = [service(edition, sizes.pace) for edition in (SPROUTGIGS, PICOWORKERS)]
    sproutgigs, picoworkers = sandboxes
    async with sproutgigs.serve() as first, picoworkers.serve() as second:
        both = Served(sproutgigs, first), Served(picoworkers, second)
        _open(screen, sizes, both)
        with tempfile.TemporaryDirectory(prefix="picoworkers-demo-") as name:
            agree = await _parts(screen, sizes, both, Path(name))
        if keep and agree:
            await _keep(screen)
    return Exit.DONE if agree else Exit.FAILED


def _open(screen: Screen, sizes: Sizes, both: tuple[Served, Served]) -> None:
    screen.say(words.OPENING.format(len(words.PARTS)))
    for part, seconds in zip(words.PARTS, (*sizes.expected, 0), strict=True):
        screen.say(f"  {part:<40}{f'about {seconds} s' if seconds else ''}".rstrip())
    screen.gap()
    screen.say(words.CONSOLES)
    for served in both:
        screen.say(f"  {served.console}  {words.CONSOLE_OF[served.sandbox.edition.name]}")


async def _parts(screen: Screen, sizes: Sizes, both: tuple[Served, Served], folder: Path) -> bool:
    sproutgigs, picoworkers = both
    pace_file = folder / "pace.db"
    clock = [time.perf_counter()]
    screen.title(words.PARTS[0])
    parts = await speed.show(screen, sproutgigs, picoworkers, sizes, pace_file)
    clock.append(time.perf_counter())
    screen.title(words.PARTS[1])
    parts.append(await killed.show(screen, picoworkers, sizes, folder, pace_file))
    clock.append(time.perf_counter())
    screen.title(words.PARTS[2])
    parts.append(await lost.show(screen, sproutgigs, sizes, pace_file))
    clock.append(time.perf_counter())
    screen.title(words.PARTS[3])
    agree = books.show(screen, parts, [served.sandbox for served in both])
    took = (f"{after - before:.1f}" for before, after in pairwise(clock))
    screen.say(words.END.format(*took))
    return agree


async def _keep(screen: Screen) -> None:
    screen.gap()
    screen.say(words.KEPT)
    try:
        await anyio.sleep_forever()
    except anyio.get_cancelled_exc_class() as stopped:
        stopped.add_note(words.KEPT_ENDED)
        raise
