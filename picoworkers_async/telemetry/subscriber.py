"""The subscriber for `on_event=`: it hands each event to the metrics and to the spans."""

from __future__ import annotations

from opentelemetry import metrics, trace

from ..events import Event
from ..version import __version__
from .metrics import Metrics
from .spans import Spans

_SCOPE = "picoworkers_async"
_SCHEMA = "https://opentelemetry.io/schemas/1.29.0"


class Telemetry:
    """Makes spans and metrics from a client's events: `AsyncPicoworkers(..., on_event=Telemetry())`.

    Create it after you have set up the providers: `tracer_provider` and `meter_provider`, or else
    OpenTelemetry's global ones. All clients of an account may share one. For another account, give it providers
    of its own, so that the two can be told apart. To use a function of your own as well, have it call this with
    each event.

    Nothing that it makes holds the API secret, or texts of workers, of yours or of the service.
    """

    def __init__(
        self,
        *,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
    ) -> None:
        tracer = trace.get_tracer(_SCOPE, __version__, tracer_provider, _SCHEMA)
        provider = metrics.get_meter_provider() if meter_provider is None else meter_provider
        self._metrics = Metrics.of(provider, provider.get_meter(_SCOPE, __version__, _SCHEMA))
        self._spans = Spans(tracer)

    def __call__(self, event: Event) -> None:
        """Handle an event of the client, in the task in which it was reported."""
        try:
            self._metrics.tell(event)
        finally:
            # One that fails does not silence the other.
            self._spans.tell(event)
