"""The log as one observer: a line for each event, its fields beside it.

WARNING is for what somebody should look at, INFO for what an operator wants to read, DEBUG for each request and
each rating that went well.
"""

from __future__ import annotations

import logging

import attrs

from . import events
from .observing import logger

_LINES = {
    events.REQUEST_DONE: "%(call)s: HTTP %(status)s in %(seconds).3f s, after %(waited).3f s of waiting",
    events.RATE_LIMITED: "%(call)s: HTTP 429; everybody waits %(seconds)g s",
    events.OUTAGE_BEGAN: "the service is away, and is waited for: %(error)s",
    events.OUTAGE_ENDED: "the service is back after %(seconds).0f s",
    events.LOOK_DONE: "looked at the listing: %(listed)d tasks, %(fresh)d of them to be decided",
    events.LISTING_UNSTEADY: "the listing keeps changing: %(looks)d looks in a row found nothing undecided",
    events.OUTCOME: "task %(task_id)s of job %(job_id)s: %(status)s: %(reason)s",
    events.UNKNOWN_PARKED: "task %(task_id)s of job %(job_id)s: the answer to its rating was lost",
    events.UNKNOWN_UNREAD: "%(ratings)d ratings of job %(job_id)s are still unknown: %(error)s",
    events.UNKNOWN_SETTLED: "task %(task_id)s of job %(job_id)s: what its lost rating did is told: %(reason)s",
    events.RATED_LISTING_MISSING: "ratings are settled without the listing of rated tasks: %(error)s",
    events.LIMIT_REACHED: "the limit %(limit)s is reached (%(allowed)s): %(on_limit)s",
    events.BATCH_BEGAN: "a batch began, journal %(journal)s",
    events.BATCH_ENDED: (
        "a batch ended after %(seconds).1f s: %(rated)d rated, %(refused)d refused, %(failed)d failed, "
        "%(unknown)d unknown, bonus %(bonus)s, %(requests)d requests"
    ),
}
_WARNINGS = {
    events.RATE_LIMITED,
    events.OUTAGE_BEGAN,
    events.OUTAGE_ENDED,
    events.LISTING_UNSTEADY,
    events.UNKNOWN_UNREAD,
    events.RATED_LISTING_MISSING,
    events.LIMIT_REACHED,
}


def log(event: events.Event) -> None:
    """Write the event's line, if its level is wanted; its name and its fields are attributes of the record."""
    level = level_of(event)
    if not logger.isEnabledFor(level):
        return
    fields = attrs.asdict(event, recurse=False)
    line = _LINES[event.event]
    if isinstance(event, events.RequestDone) and event.error is not None:
        line = "%(error)s"
    elif isinstance(event, events.BatchEnded) and event.error is not None:
        line += "; ended by: %(error)s"
    logger.log(level, line, fields, extra={"event": event.event, **fields})


def level_of(event: events.Event) -> int:
    """How loud an event is."""
    match event:
        case events.RequestDone():
            # What was answered is told by what comes of it.
            return logging.INFO if event.status is None else logging.DEBUG
        case events.OutcomeReached():
            return logging.DEBUG if event.status == "rated" else logging.INFO
        case events.LookDone():
            return logging.INFO if event.fresh else logging.DEBUG
        case events.UnknownParked():
            return logging.INFO
        case events.BatchEnded() if event.error is not None:
            return logging.WARNING
    return logging.WARNING if event.event in _WARNINGS else logging.INFO
