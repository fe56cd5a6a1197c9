"""Telemetry that keeps in memory what it makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from picoworkers_async.telemetry import Telemetry


class Collected:
    """What was made, and the `telemetry` that makes it."""

    def __init__(self) -> None:
        self._exporter, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers, self.meters = TracerProvider(), MeterProvider([self._reader])
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.telemetry = Telemetry(tracer_provider=self.tracers, meter_provider=self.meters)

    def spans(self, name: str = "") -> list[ReadableSpan]:
        """Those whose names begin so, in the order in which they ended."""
        return [span for span in self._exporter.get_finished_spans() if span.name.startswith(name)]

    def ids(self, name: str) -> list[int]:
        """Their own ids."""
        return [span.context.span_id for span in self.spans(name)]

    def parents(self, name: str) -> list[int | None]:
        """The ids of their parents."""
        return [None if span.parent is None else span.parent.span_id for span in self.spans(name)]

    def metrics(self) -> dict[str, list[tuple[dict[str, Any], Any]]]:
        """Attributes and points by the name of the metric."""
        data = self._reader.get_metrics_data()
        return {
            metric.name: [(dict(point.attributes), point) for point in metric.data.data_points]
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def counts(self, name: str) -> dict[tuple[Any, ...], float]:
        """What a counter or gauge shows, by the values of its attributes; those that are 0 left out."""
        points = self.metrics().get(name, [])
        return {tuple(attributes.values()): point.value for attributes, point in points if point.value}

    def everything(self) -> str:
        """All of it as text."""
        data = self._reader.get_metrics_data()
        return "".join(span.to_json() for span in self.spans()) + (data.to_json() if data else "")


@pytest.fixture
def collected() -> Iterator[Collected]:
    one = Collected()
    yield one
    one.tracers.shutdown()
    one.meters.shutdown()
