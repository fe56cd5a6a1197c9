"""The log as one observer: a line for each event, with its fields as attributes.

WARNING is for what somebody should look into, INFO for what an operator wants to read, DEBUG for each request
and each rating that went well.
"""

from __future__ import annotations

import logging

import attrs

from . import events
from .effects import Effect
from .observing import logger

_TASK = "task %(task_id)s of job %(job_id)s"
_LINES = {
    events.REQUEST_DONE: "%(call)s: HTTP %(status)s in %(seconds).3f s, after %(waited).3f s of waiting",
    events.GATE_TIMED_OUT: "%(call)s: not sent, since its turn did not come within %(max_wait)g s",
    events.RATE_LIMITED: "%(call)s: HTTP 429; all calls wait %(seconds)g s",
    events.OUTAGE_BEGAN: "the service is away, and is waited for: %(error)s",
    events.OUTAGE_ENDED: "the service is back after %(seconds).0f s",
    events.LOOK_DONE: "read the listing: %(listed)d tasks, %(fresh)d of them to decide",
    events.LISTING_UNSTEADY: "the listing keeps changing: %(looks)d sweeps in a row found nothing undecided",
    events.OUTCOME: f"{_TASK}: %(status)s: %(reason)s",
    events.UNKNOWN_PARKED: f"{_TASK}: the answer to its rating was lost; reading will show whether it took effect",
    events.UNKNOWN_UNREAD: "%(ratings)d ratings of job %(job_id)s are still unknown: %(error)s",
    events.UNKNOWN_SETTLED: f"{_TASK}: the rating whose answer was lost %(effect)s: %(reason)s",
    events.SETTLING_BEGAN: "reading what became of %(what)s, whose answer was lost",
    events.SETTLING_ENDED: "read for %(seconds).1f s what became of %(what)s",
    events.RATED_LISTING_MISSING: "ratings are settled without the listing of rated tasks: %(error)s",
    events.TASK_DUE: f"{_TASK} is not rated yet, and pays itself at %(rate_by)s",
    events.LIMIT_REACHED: "the limit %(limit)s of %(allowed)s is reached: ",
    events.JOURNAL_WRITTEN: "the journal: %(steps)d steps durable after %(seconds).3f s",
    events.STANDBY_WAITING: "standing by: another batch has the journal %(journal)s",
    events.TOOK_OVER: "took over the journal %(journal)s after %(seconds).1f s of standing by",
    events.BATCH_BEGAN: " began, journal %(journal)s",
    events.BATCH_ENDED: (
        "a batch ended after %(seconds).1f s: %(rated)d rated, %(refused)d refused, %(failed)d failed, "
        "%(unknown)d unknown, bonus %(bonus)s, %(requests)d requests"
    ),
}
_WITHOUT_JOURNAL = " began, without a journal"
_OUT_OF_MONEY = "the service refuses because the balance is too low: nothing is sent until it has grown"
_AT_THE_LIMIT = {
    "stop": "nothing more is sent, and the batch ends",
    "wait": "nothing is sent until the next day, or the balance, allows it",
    "leave": "what is over it fails, and the rest goes on",
}
_DETAILS = {events.SETTLING_BEGAN, events.SETTLING_ENDED, events.JOURNAL_WRITTEN}
_WARNINGS = {
    events.RATE_LIMITED,
    events.OUTAGE_BEGAN,
    events.OUTAGE_ENDED,
    events.LISTING_UNSTEADY,
    events.UNKNOWN_UNREAD,
    events.RATED_LISTING_MISSING,
    events.LIMIT_REACHED,
    events.TASK_DUE,
    events.TOOK_OVER,
}

# Whether one of unknown outcome was paid, a person has to find out.
_LEVELS_OF_OUTCOMES = {"rated": logging.DEBUG, "unknown": logging.WARNING}


def log(event: events.Event) -> None:
    """Write the event's line, if its level is enabled; its name and its fields are attributes of the record."""
    level = level_of(event)
    if not logger.isEnabledFor(level):
        return
    fields = attrs.asdict(event, recurse=False)
    logger.log(level, _line_of(event), fields, extra={"event": event.event, **fields})


def _line_of(event: events.Event) -> str:
    line = _LINES[event.event]
    match event:
        case events.RequestDone() if event.error is not None:
            return "%(error)s"
        case events.OutcomeReached() if event.reason is None:
            # The status says it all: `rated`, or what a dry run would send.
            return f"{_TASK}: {event.status.replace('_', ' ')}"
        case events.RateLimited() if not event.seconds:
            return "%(call)s: HTTP 429; no call waits: neither the answer nor the throttle's cooldown asks for it"
        case events.BatchBegan():
            what = "a dry run" if event.dry_run else "a batch"
            return what + (_WITHOUT_JOURNAL if event.journal is None else line)
        case events.BatchEnded() if event.error is not None:
            return line + "; ended by: %(error)s"
        case events.LimitReached():
            # The service's own limit has no number, and the same follows whatever is to be done at ours.
            return _OUT_OF_MONEY if event.allowed is None else line + _AT_THE_LIMIT[event.on_limit]
        case events.UnknownSettled() if event.effect == Effect.CANNOT_TELL.value:
            return f"{_TASK}: reading cannot tell whether its rating took effect: %(reason)s"
    return line


def level_of(event: events.Event) -> int:
    """The log level of an event."""
    match event:
        case events.RequestDone():
            # What was answered is told by what comes of it.
            return logging.INFO if event.status is None else logging.DEBUG
        case events.OutcomeReached():
            return _LEVELS_OF_OUTCOMES.get(event.status, logging.INFO)
        case events.LookDone():
            return logging.INFO if event.fresh else logging.DEBUG
        case events.UnknownParked():
            return logging.INFO
        case events.BatchEnded() if event.error is not None:
            return logging.WARNING
    if event.event in _DETAILS:
        return logging.DEBUG
    return logging.WARNING if event.event in _WARNINGS else logging.INFO
