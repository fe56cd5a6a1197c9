"""The caller in another thread that waits for what runs here, if the event loop is not the program's own.

In a program's own loop there is no such caller: what ends the program ends the loop, and everything that runs in
it.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Protocol

from .errors import MoneyCall


class Caller(Protocol):
    """The call for which another thread waits."""

    def interrupt(self, error: BaseException) -> None:
        """Cancel the call, and raise this in the thread that waits for it."""

    def sends(self, call: MoneyCall) -> None:
        """The call is about to send this."""


caller: ContextVar[Caller | None] = ContextVar("picoworkers_async.caller", default=None)
