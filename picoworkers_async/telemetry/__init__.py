"""Spans and metrics for OpenTelemetry from a client's events. Needs the extra `picoworkers-async[otel]`."""

try:
    import opentelemetry.metrics as _metrics  # noqa: F401
    import opentelemetry.trace as _trace  # noqa: F401
except ImportError as _missing:
    raise ImportError(
        f'picoworkers_async.telemetry needs {_missing.name}: pip install "picoworkers-async[otel]"'
    ) from None

from .subscriber import Telemetry

__all__ = ["Telemetry"]
