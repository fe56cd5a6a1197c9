"""Whoever waits, in another thread, for what runs here: where the event loop is not the program's own.

In a loop of the program's own there is nobody: what ends the program ends the loop, and all that runs in it.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Protocol

from .errors import MoneyCall


class Caller(Protocol):
    """The call that is waited for in another thread."""

    def interrupt(self, error: BaseException) -> None:
        """Cancel the call, and raise this in the thread that waits for it."""

    def sends(self, call: MoneyCall) -> None:
        """The call is about to send this."""


caller: ContextVar[Caller | None] = ContextVar("picoworkers_async.caller", default=None)
