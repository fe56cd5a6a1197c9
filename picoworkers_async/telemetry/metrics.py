"""The metrics: their names, units and attributes, and what each event adds to them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import product
from typing import ClassVar
from weakref import WeakKeyDictionary

import attrs
from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation

from .. import events
from ..effects import Effect
from ..rating import Limits, OutcomeStatus
from . import http
from .rate import RateUsed
from .running import RunningBatches

_WAIT_BUCKETS = (0.001, 0.01, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_COMMIT_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_OUTCOMES = tuple(status.value for status in OutcomeStatus)
_LIMITS = (*(field.name for field in attrs.fields(Limits) if field.name != "timezone"), "balance")
_BATCHES, _ENDINGS = ("rate", "review"), ("done", "stopped", "failed")


class Metrics:
    """The instruments, of one meter. Attributes take few values: none is an id, or a text from outside."""

    _by_provider: ClassVar[WeakKeyDictionary[MeterProvider, Metrics]] = WeakKeyDictionary()

    @classmethod
    def of(cls, provider: MeterProvider, meter: Meter) -> Metrics:
        """Those of a provider, created once: it reads only the first gauge of a name, and ignores a second."""
        found = cls._by_provider.get(provider)
        if found is None:
            found = cls._by_provider[provider] = cls(meter)
        return found

    def __init__(self, meter: Meter) -> None:
        self._rate = RateUsed(time.monotonic)
        self._running = RunningBatches(time.monotonic)
        self._duration = meter.create_histogram(
            "http.client.request.duration",
            "s",
            "Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=http.DURATION_BUCKETS,
        )
        self._waits = meter.create_histogram(
            "picoworkers.gate.wait.duration",
            "s",
            "How long a request waited for its turn before it left.",
            explicit_bucket_boundaries_advisory=_WAIT_BUCKETS,
        )
        self._commits = meter.create_histogram(
            "picoworkers.journal.commit.duration",
            "s",
            "How far the journal is behind: from when a step was to be written until it was durable.",
            explicit_bucket_boundaries_advisory=_COMMIT_BUCKETS,
        )
        counter = meter.create_counter
        self._gate_timeouts = counter(
            "picoworkers.gate.timeouts", "{call}", "Calls that were not sent, since max_wait was over."
        )
        self._rate_limited = counter("picoworkers.rate_limit.responses", "{response}", "Answers of HTTP 429.")
        self._pauses = counter("picoworkers.rate_limit.pause", "s", "Seconds of silence that followed from 429s.")
        self._unknown_calls = counter(
            "picoworkers.call.unknown", "{call}", "Calls that may have moved money, and whose answer was lost."
        )
        self._outcomes = counter("picoworkers.rating.outcomes", "{rating}", "Tasks and ratings by their outcome.")
        self._paid = counter("picoworkers.paid", "USD", "What ratings that took effect paid.")
        self._unpriced = counter(
            "picoworkers.rating.unpriced", "{rating}", "Ratings that paid an amount which is not known here."
        )
        self._lost = counter("picoworkers.rating.lost", "{rating}", "Ratings whose answer was lost.")
        self._settled = counter(
            "picoworkers.rating.settled", "{rating}", "Lost ratings of which reading told what became of them."
        )
        self._due = counter("picoworkers.task.due", "{task}", "Tasks that were not rated when they were due soon.")
        self._limits = counter("picoworkers.limit.reached", "{limit}", "How often a limit of a batch was reached.")
        self._ended = counter("picoworkers.batch.ended", "{batch}", "Batches that ended.")
        self._begin_at_zero()
        gauge = meter.create_observable_gauge
        gauge(
            "picoworkers.rate.permitted",
            [self._permitted],
            "{request}/s",
            "The pace that the throttle was given, or has learned.",
        )
        gauge(
            "picoworkers.rate.used",
            [self._used],
            "1",
            "The share of that pace which was used in the last minute.",
        )
        gauge(
            "picoworkers.listing.age",
            [self._age],
            "s",
            "How long ago a review last saw the whole listing.",
        )
        gauge("picoworkers.listing.tasks", [self._listed], "{task}", "Tasks that the last look of reviews showed.")
        gauge("picoworkers.batch.running", [self._batches], "{batch}", "Batches that run now.")
        gauge("picoworkers.batch.away", [self._away], "{batch}", "Batches that wait for the service to be back.")

    def _begin_at_zero(self) -> None:
        """Nothing can be said about the growth of a series that begins with its first 1."""
        for counter in (self._gate_timeouts, self._rate_limited, self._pauses, self._unknown_calls):
            counter.add(0)
        for counter in (self._unpriced, self._lost, self._due):
            counter.add(0)
        for outcome in _OUTCOMES:
            self._outcomes.add(0, {"picoworkers.outcome": outcome})
        for effect in Effect:
            self._settled.add(0, {"picoworkers.effect": effect.value})
        for kind in ("pay", "bonus"):
            self._paid.add(0, {"picoworkers.money": kind})
        for limit in _LIMITS:
            self._limits.add(0, {"picoworkers.limit": limit})
        for batch, ending in product(_BATCHES, _ENDINGS):
            self._ended.add(0, {"picoworkers.batch": batch, "picoworkers.ending": ending})

    def tell(self, event: events.Event) -> None:
        """Count what happened."""
        match event:
            case events.RequestDone():
                self._request(event)
            case events.OutcomeReached():
                self._outcome(event)
            case events.JournalWritten():
                self._commits.record(event.seconds)
            case events.GateTimedOut():
                self._gate_timeouts.add(1)
                self._waits.record(event.max_wait, {"picoworkers.call": event.call})
            case events.RateLimited():
                self._pauses.add(event.seconds)
            case events.UnknownParked():
                self._lost.add(1)
            case events.UnknownSettled():
                self._settled.add(1, {"picoworkers.effect": event.effect})
            case events.TaskDue():
                self._due.add(1)
            case events.LimitReached():
                self._limits.add(1, {"picoworkers.limit": event.limit})
            case events.BatchBegan():
                self._running.began(event)
            case events.BatchEnded():
                self._batch_ended(event)
            case _:
                self._running.tell(event)

    def _request(self, event: events.RequestDone) -> None:
        self._duration.record(max(0.0, event.seconds), http.attributes_of(event))
        self._waits.record(max(0.0, event.waited), {"picoworkers.call": event.call})
        self._rate.count(event.permitted)
        if event.status == 429:
            self._rate_limited.add(1)
        if event.outcome_unknown:
            self._unknown_calls.add(1)

    def _outcome(self, event: events.OutcomeReached) -> None:
        if event.replayed:
            # It was counted by the run that came to it.
            return
        self._outcomes.add(1, {"picoworkers.outcome": event.status})
        if event.status != "rated":
            return
        if event.bonus:
            self._paid.add(float(event.bonus), {"picoworkers.money": "bonus"})
        if event.pay is not None:
            self._paid.add(float(event.pay), {"picoworkers.money": "pay"})
        elif event.verdict == "ok":
            self._unpriced.add(1)

    def _batch_ended(self, event: events.BatchEnded) -> None:
        batch = self._running.ended()
        if batch is not None:
            ending = "failed" if event.error is not None else "stopped" if event.stopped else "done"
            self._ended.add(1, {"picoworkers.batch": batch.kind, "picoworkers.ending": ending})

    def _permitted(self, _: CallbackOptions) -> Iterable[Observation]:
        permitted = self._rate.permitted
        return [] if permitted is None else [Observation(permitted)]

    def _used(self, _: CallbackOptions) -> Iterable[Observation]:
        share = self._rate.share()
        return [] if share is None else [Observation(share)]

    def _age(self, _: CallbackOptions) -> Iterable[Observation]:
        age = self._running.listing_age()
        return [] if age is None else [Observation(age)]

    def _listed(self, _: CallbackOptions) -> Iterable[Observation]:
        return [Observation(sum(batch.listed for batch in self._running.all()))]

    def _batches(self, _: CallbackOptions) -> Iterable[Observation]:
        kinds = [batch.kind for batch in self._running.all()]
        return [Observation(kinds.count(kind), {"picoworkers.batch": kind}) for kind in _BATCHES]

    def _away(self, _: CallbackOptions) -> Iterable[Observation]:
        return [Observation(sum(batch.away for batch in self._running.all()))]
