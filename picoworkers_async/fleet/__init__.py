"""Deciding on other machines, through a Redis or Valkey broker. Needs the extra `picoworkers-async[fleet]`."""

try:
    import streaq as _engine  # noqa: F401
except ImportError as _missing:
    raise ImportError(
        f'picoworkers_async.fleet needs {_missing.name}: pip install "picoworkers-async[fleet]"'
    ) from None

from .coordinator import Fleet
from .deciders import decider
from .failures import BrokerError, DeciderError
from .waiting import FleetCounts
from .working import run_decider

__all__ = ["BrokerError", "DeciderError", "Fleet", "FleetCounts", "decider", "run_decider"]
