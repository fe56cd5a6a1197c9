"""Why a postback is refused, and how to log that without filling the log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import attrs

from .. import codec

logger: logging.Logger = logging.getLogger("picoworkers_async")

_MOST_IN_A_PERIOD = 5
_PERIOD_SECONDS = 60.0
_EXCERPT_BYTES = 200


class NotTakenError(Exception):
    """A postback is not accepted: the `status` to answer, `what` is wrong, an `excerpt` of its body."""

    def __init__(self, status: int, what: str, excerpt: str = "") -> None:
        self.status = status
        self.what = what
        self.excerpt = excerpt
        super().__init__(what)


def excerpt_of(body: bytes) -> str:
    """At most 200 bytes of a body, safe to log: everything that is not plain text is escaped."""
    shown = codec.printable(body[:_EXCERPT_BYTES].decode("utf-8", "backslashreplace"))
    return shown if len(body) <= _EXCERPT_BYTES else shown + "..."


@attrs.define
class _Period:
    began: float
    said: int = 0
    kept_back: int = 0


class RefusalLog:
    """Logs refusals, at most 5 a minute of each status; the next one logged says how many were not."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._periods: dict[int, _Period] = {}

    def tell(self, refusal: NotTakenError) -> None:
        """Log a warning, or an error if the fault is on this side (503)."""
        now = self._clock()
        period = self._periods.setdefault(refusal.status, _Period(now))
        if now - period.began >= _PERIOD_SECONDS:
            period.began, period.said = now, 0
        if period.said >= _MOST_IN_A_PERIOD:
            period.kept_back += 1
            return
        more = f"; so were {period.kept_back} others that were not logged" if period.kept_back else ""
        period.said, period.kept_back = period.said + 1, 0
        begins = f"; it begins {refusal.excerpt}" if refusal.excerpt else ""
        level = logging.ERROR if refusal.status == 503 else logging.WARNING
        logger.log(
            level,
            "a postback was answered %d, so that it comes again: %s%s%s",
            refusal.status,
            refusal.what,
            begins,
            more,
        )
