"""The spans: of batches, requests, waits at the gate, sweeps of the listing, and of settling."""

from __future__ import annotations

import time
from contextvars import ContextVar, Token

import attrs
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from opentelemetry.util.types import AttributeValue

from .. import events
from . import http
from .batch_span import BatchSpan

LEAST_WAIT_SECONDS = 0.001
"""A shorter wait at the gate has no span of its own."""


@attrs.frozen(eq=False)
class _Open:
    """A span that is this task's current one, and the one that was current before it."""

    span: Span
    token: Token[Context]
    outer: _Open | None


class Spans:
    """Makes spans from events, as children of the span that is current where the event is reported.

    A request, a wait and a sweep are reported when they are over, so their spans begin in the past. A batch and
    its settling are current spans in their own tasks from beginning to end.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._open: ContextVar[_Open | None] = ContextVar("picoworkers_async.telemetry.open", default=None)
        self._batch: ContextVar[BatchSpan | None] = ContextVar("picoworkers_async.telemetry.batch", default=None)

    def tell(self, event: events.Event) -> None:
        """Begin, end or make the span of what happened."""
        match event:
            case events.RequestDone():
                self._go_on()
                self._request(event)
            case events.GateTimedOut():
                wait: dict[str, AttributeValue] = {
                    "picoworkers.call": event.call,
                    "error.type": "GateTimeoutError",
                }
                self._make("picoworkers.gate.wait", time.time_ns(), event.max_wait, wait)
            case events.LookDone():
                self._go_on()
                self._look(event)
            case events.SettlingBegan():
                attributes: dict[str, AttributeValue] = {
                    "picoworkers.call": event.what,
                    "picoworkers.ratings": event.ratings,
                }
                self._enter(self._tracer.start_span("picoworkers.settle", attributes=attributes))
            case events.SettlingEnded():
                self._leave(event.error_type, of_batch=False)
            case events.BatchBegan():
                batch = BatchSpan(
                    self._tracer,
                    f"picoworkers.{event.kind}",
                    {"picoworkers.dry_run": event.dry_run, "picoworkers.journal": event.journal is not None},
                )
                self._batch.set(batch)
                self._enter(batch)
            case events.BatchEnded():
                self._batch_ended(event)

    def _go_on(self) -> None:
        batch = self._batch.get()
        if batch is not None:
            batch.go_on()

    def _request(self, event: events.RequestDone) -> None:
        ended = time.time_ns()
        if event.waited >= LEAST_WAIT_SECONDS:
            left = ended - _nanoseconds(event.seconds)
            self._make("picoworkers.gate.wait", left, event.waited, {"picoworkers.call": event.call})
        attributes: dict[str, AttributeValue] = {
            **http.attributes_of(event),
            "url.full": event.url,
            "picoworkers.call": event.call,
        }
        if event.attempt > 1:
            attributes["http.request.resend_count"] = event.attempt - 1
        if event.outcome_unknown:
            attributes["picoworkers.outcome_unknown"] = True
        name = f"{event.method} {http.target_of(event).path}"
        self._make(name, ended, event.seconds, attributes, SpanKind.CLIENT)

    def _look(self, event: events.LookDone) -> None:
        attributes: dict[str, AttributeValue] = {
            "picoworkers.listed": event.listed,
            "picoworkers.fresh": event.fresh,
            "picoworkers.complete": event.complete,
        }
        if event.job_id is not None:
            attributes["picoworkers.job_id"] = event.job_id
        self._make("picoworkers.look", time.time_ns(), event.seconds, attributes)

    def _make(
        self,
        name: str,
        ended: int,
        seconds: float,
        attributes: dict[str, AttributeValue],
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> None:
        """A span that ended at this time, and began this many seconds before."""
        began = ended - _nanoseconds(seconds)
        span = self._tracer.start_span(name, kind=kind, attributes=attributes, start_time=began)
        if "error.type" in attributes:
            span.set_status(StatusCode.ERROR)
        span.end(ended)

    def _enter(self, span: Span) -> None:
        token = context.attach(trace.set_span_in_context(span))
        self._open.set(_Open(span, token, self._open.get()))

    def _batch_ended(self, event: events.BatchEnded) -> None:
        batch = self._batch.get()
        if batch is None:
            return
        self._batch.set(None)
        batch.set_attributes(
            {
                "picoworkers.rated": event.rated,
                "picoworkers.refused": event.refused,
                "picoworkers.failed": event.failed,
                "picoworkers.unknown": event.unknown,
                "picoworkers.bonus": float(event.bonus),
                "picoworkers.requests": event.requests,
                "picoworkers.stopped": event.stopped,
            }
        )
        self._leave(None if event.error is None else event.error.partition(":")[0], of_batch=True)

    def _leave(self, error_type: str | None, *, of_batch: bool) -> None:
        """End the current span, if it is of this kind: it is another's if the beginning could not be reported."""
        now = self._open.get()
        if now is None or isinstance(now.span, BatchSpan) is not of_batch:
            return
        self._open.set(now.outer)
        context.detach(now.token)
        if error_type is not None:
            now.span.set_attribute("error.type", error_type)
            now.span.set_status(StatusCode.ERROR)
        now.span.end()


def _nanoseconds(seconds: float) -> int:
    return int(max(0.0, seconds) * 1e9)
