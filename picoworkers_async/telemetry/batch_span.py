"""The span of a batch, in parts: one that runs for months must not be one trace of a million spans."""

from __future__ import annotations

import time
from collections.abc import Mapping

from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, Status, StatusCode, Tracer
from opentelemetry.util.types import Attributes, AttributeValue

PART_SECONDS = 600.0
"""After this many seconds a batch continues in a span, and a trace, of its own, linked to the one before."""


class BatchSpan(Span):
    """Stands for the part that is open: it is the parent of what begins now, however long it has been held."""

    def __init__(self, tracer: Tracer, name: str, attributes: Mapping[str, AttributeValue]) -> None:
        self._tracer, self._name, self._attributes = tracer, name, dict(attributes)
        self._number = 1
        self._part = tracer.start_span(name, attributes=self._attributes)
        self._until = time.monotonic() + PART_SECONDS

    def go_on(self) -> None:
        """Begin the next part, if this one has lasted long enough."""
        if time.monotonic() < self._until:
            return
        self._number += 1
        before, self._until = self._part, time.monotonic() + PART_SECONDS
        attributes = {**self._attributes, "picoworkers.batch.part": self._number}
        links = [Link(before.get_span_context())]
        self._part = self._tracer.start_span(self._name, Context(), attributes=attributes, links=links)
        before.end()

    def end(self, end_time: int | None = None) -> None:
        self._part.end(end_time)

    def get_span_context(self) -> SpanContext:
        return self._part.get_span_context()

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        self._part.set_attributes(attributes)

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        self._part.set_attribute(key, value)

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        self._part.add_event(name, attributes, timestamp)

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        self._part.add_link(context, attributes)

    def update_name(self, name: str) -> None:
        self._part.update_name(name)

    def is_recording(self) -> bool:
        return self._part.is_recording()

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        self._part.set_status(status, description)

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        self._part.record_exception(exception, attributes, timestamp, escaped)
