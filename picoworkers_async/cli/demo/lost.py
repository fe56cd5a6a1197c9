"""The third part: a rating that is carried out, and whose answer never comes."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path

from ... import Rating
from ...events import Event, OutcomeReached, RequestDone, UnknownParked, UnknownSettled
from ...sandbox import Faults
from . import words
from .screen import Screen
from .services import LIMITS, Money, Part, Served, add_tasks, booked, client
from .sizes import Sizes

_TITLE = "Translate a sentence"
_BONUS = "0.25"
_FAILING: frozenset[str] = frozenset({"rate_multiple_tasks"})
_RATE = "jobs.rate_multiple_tasks"


async def show(screen: Screen, served: Served, sizes: Sizes, pace_file: Path) -> Part:
    """Lose the answer to one rating, and report each step until its outcome is known."""
    screen.say(words.LOST)
    screen.gap()
    sandbox = served.sandbox
    jobs = add_tasks(sandbox, [_TITLE], 1)
    sandbox.faults = Faults(cut_after=1.0, only=_FAILING)
    started = time.perf_counter()
    sent = 0

    def hear(event: Event) -> None:
        nonlocal sent
        when = time.perf_counter() - started
        match event:
            case RequestDone(call=call) if call == _RATE:
                sent += 1
                screen.step(when, words.LOST_SENT.format(_BONUS))
            case UnknownParked():
                sandbox.faults = Faults()
                screen.step(when, words.LOST_UNKNOWN, "bold yellow")
            case RequestDone(call=call) if sent and call in words.LOST_CALLS:
                screen.step(when, words.LOST_LOOK.format(words.LOST_CALLS[call]))
            case UnknownSettled():
                screen.step(when, words.LOST_SETTLED.format(event.reason))
            case OutcomeReached():
                screen.step(when, words.LOST_OUTCOME.format(event.status.upper(), sent), "bold green")

    pico = client(
        sandbox.edition,
        served.url,
        pace_file=pace_file,
        pace=sizes.pace,
        settle_after=sizes.settle_after,
        on_event=hear,
    )
    async with pico:
        (task,) = [task async for task in pico.jobs.iter_unrated_tasks(job_id=jobs[0])]
        async with pico.rate([Rating.ok(task, "good", bonus=_BONUS)], limits=LIMITS) as batch:
            report = await batch.report()
            spent = batch.spend()
    told = Money(report.rated, spent.pay or Decimal(0), report.bonus)
    return Part("3. answer lost", told, booked(sandbox, jobs))
