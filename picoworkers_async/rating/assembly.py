"""Put a batch's parts together."""

from __future__ import annotations

import math
from collections.abc import Callable

from ..journal.writer import JournalWriter
from ..listings.lookup import most_looked_up
from ..resources import Jobs, Users
from ..session import Session
from .grace_period import GracePeriod
from .in_flight import InFlight
from .known_jobs import KnownJobs
from .options import BatchOptions
from .outcomes import OutcomeStream
from .pipeline import Pipeline
from .prices import Prices
from .queue import RatingQueue
from .reconcile import UNREADABLE_FOR_SECONDS, Reconciler
from .signal import Signal
from .sources import Parts, Source
from .spending import Spending
from .walk import ListingWalk
from .watch import ServiceWatch

SourceMaker = Callable[[Parts], tuple[Source, ListingWalk | None]]
"""Makes the source of the ratings, and the walk over the listing for it, if there is one."""


def assemble(
    session: Session,
    make_source: SourceMaker,
    options: BatchOptions,
    outcomes: OutcomeStream,
    journal: JournalWriter | None,
    grace: GracePeriod,
) -> Pipeline:
    """The pipeline of a batch; call it where its event loop runs."""
    edition = session.edition
    changed, room = Signal(), Signal()
    watch = ServiceWatch(session, options.patience, changed)
    jobs = KnownJobs(Jobs(session).get_job, Users(session.once()).get_balances, session.retry, watch)
    spending = Spending(
        session, options, Prices(jobs, grace), patience=None if watch.follows else options.patience
    )
    parts = Parts(
        session,
        RatingQueue(edition.ratings_at_once, session.throttle.batch_concurrency),
        InFlight(outcomes, journal, changed, spending),
        changed,
        room,
        watch,
        jobs,
    )
    source, walk = make_source(parts)
    return Pipeline(
        session,
        source=source,
        walk=walk,
        queue=parts.queue,
        in_flight=parts.in_flight,
        reconciler=Reconciler(
            settle_after=session.settle_after,
            at_once=most_looked_up(edition),
            unreadable_for=math.inf if watch.follows else UNREADABLE_FOR_SECONDS,
        ),
        journal=journal,
        changed=changed,
        room=room,
        watch=watch,
        grace=grace,
        spending=spending,
        dry_run=options.dry_run,
    )
