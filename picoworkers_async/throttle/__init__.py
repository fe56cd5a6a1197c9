"""Keep within an account's limits."""

from .bound import WaitBound
from .departures import Permit
from .gate import Throttle, ThrottleState
from .pacers import Pacer, PacerError
from .queue import Priority
from .redis_pacer import RedisPacer
from .sqlite_pacer import SqlitePacer

__all__ = [
    "Pacer",
    "PacerError",
    "Permit",
    "Priority",
    "RedisPacer",
    "SqlitePacer",
    "Throttle",
    "ThrottleState",
    "WaitBound",
]
