"""Staying within an account's limits."""

from .gate import Throttle
from .queue import Priority

__all__ = ["Priority", "Throttle"]
