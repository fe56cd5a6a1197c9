"""Whether the service answers: a pure state over plain values, without a clock."""

from __future__ import annotations

import random

import attrs

from .errors import (
    AuthenticationError,
    CallError,
    InvalidResponseError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
    ServiceMovedError,
)
from .retry import RetryPolicy

LONGEST_PAUSE_SECONDS = 60.0
"""The longest pause without a try while the service is away."""

_IN_A_ROW = 2
"""This many failures, with nothing that worked between them, are an outage; one alone may be anything."""


class Outage:
    """The service as a batch, or a watch, sees it: since when nothing works, and when to try again.

    It `lasts` from the second failure in a row until something works; `failures` counts them. While it lasts,
    one request at a time tries, not before `next_try_at`; the pauses grow to 60 seconds. Failures of requests
    that were in flight when it began change nothing. It is `hopeless` `patience` seconds after the first
    failure; infinity is never.
    """

    def __init__(self, retry: RetryPolicy, patience: float) -> None:
        self.patience = patience
        self._retry = attrs.evolve(retry, maximum=max(retry.maximum, LONGEST_PAUSE_SECONDS))
        self._pauses = 0
        self._since = 0.0
        self.failures: int = 0
        self.lasts: bool = False
        self.next_try_at: float = 0.0

    def failed(self, now: float, draw: float | None = None) -> bool:
        """A request failed; `draw`, 0 to 1, is the share of jitter. Returns whether that begins an outage."""
        self.failures += 1
        if self.failures == 1:
            self._since = now
        if self.failures < _IN_A_ROW:
            return False
        begins = not self.lasts
        self.lasts = True
        if begins or now >= self.next_try_at:
            self._pauses += 1
            jitter = random.random() if draw is None else draw  # noqa: S311
            pause = min(LONGEST_PAUSE_SECONDS, self._retry.pause(self._pauses, jitter))
            # The last try is made when the patience ends, not a minute later.
            self.next_try_at = min(now + pause, max(now, self._since + self.patience))
        return begins

    def worked(self, now: float) -> float | None:
        """A request was answered. Returns how many seconds the outage lasted, if that ends one."""
        ended = now - self._since if self.lasts else None
        self.failures = self._pauses = 0
        self.lasts = False
        return ended

    def hopeless(self, now: float) -> bool:
        """Whether it has failed for as long as the patience lasts."""
        return self.failures > 0 and now - self._since >= self.patience


def is_failure(error: CallError) -> bool:
    """Whether the service failed, or could not be reached; everything else is an answer.

    A redirect counts as a failure: services that are being repaired send their visitors to a page that says so.
    """
    if isinstance(error, OutcomeUnknownError):
        return not isinstance(error.reason, CallError) or is_failure(error.reason)
    return not isinstance(error, AuthenticationError | RefusedError | RateLimitedError)


def is_no_api(error: CallError) -> bool:
    """Whether a server without an API at the address answers like this: 404, and nothing that an API says.

    A service that is being repaired may answer so, too: the address is in doubt only if nothing has worked yet.
    """
    reason = error.reason if isinstance(error, OutcomeUnknownError) else error
    return isinstance(reason, InvalidResponseError) and reason.status == 404


def may_pass(error: CallError, *, follows: bool) -> bool:
    """Whether a failed read is worth repeating, later.

    Not for credentials that are not accepted. For a refusal and a redirect only if the batch `follows` the
    listing for ever, because either may be how the service says that it is being repaired; a batch with an end
    is ended by both at once.
    """
    if isinstance(error, AuthenticationError):
        return False
    return follows or not isinstance(error, RefusedError | ServiceMovedError)
