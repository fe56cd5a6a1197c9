"""What telemetry costs a rating, one a request: processor time of the whole process, the least of nine rounds.

Five ways take turns: nobody listens, a function that does nothing, a subscriber without providers, metrics alone,
metrics and spans. Spans go to an exporter that drops them, so that this is what making them costs, not sending.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from engine import CONCURRENCY, Memory
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from ratings import ratings

from picoworkers_async import PICOWORKERS, AsyncPicoworkers, Throttle
from picoworkers_async.events import Event
from picoworkers_async.telemetry import Telemetry

COUNT, ROUNDS = 5_000, 9


class Dropped(SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.SUCCESS


async def spent(on_event: Callable[[Event], object] | None) -> float:
    pico = AsyncPicoworkers(
        "user_id", "api_secret", edition=PICOWORKERS, throttle=Throttle(CONCURRENCY), on_event=on_event
    )
    adapter: Any = Memory()
    pico._session._adapter = adapter
    given = ratings(COUNT)
    async with pico:
        began = time.process_time()
        report = await pico.rate_all(given)
        seconds = time.process_time() - began
    assert report.rated == COUNT
    return seconds / COUNT


def main() -> None:
    tracers = TracerProvider()
    tracers.add_span_processor(BatchSpanProcessor(Dropped()))
    meters = [MeterProvider([InMemoryMetricReader()]) for _ in range(2)]
    ways: dict[str, Callable[[Event], object] | None] = {
        "nobody listens": None,
        "a function that does nothing": lambda event: None,
        "a subscriber, no providers": Telemetry(),
        "metrics": Telemetry(meter_provider=meters[0]),
        "metrics and spans": Telemetry(meter_provider=meters[1], tracer_provider=tracers),
    }
    rounds = [[asyncio.run(spent(way)) for way in ways.values()] for _ in range(ROUNDS)]
    least = [min(figures) * 1e6 for figures in zip(*rounds, strict=True)]
    for name, figure in zip(ways, least, strict=True):
        print(f"{name}: {figure:.1f} us a rating; {figure - least[0]:+.1f} us")
    tracers.shutdown()


if __name__ == "__main__":
    main()
