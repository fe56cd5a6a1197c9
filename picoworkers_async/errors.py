"""What can go wrong, and what each failure means for the money.

Every error carries a `fate`: whether the service certainly did not act on the call, certainly did, or may
have. Only `Fate.NOT_PROCESSED` makes it safe to send a call that moves money again.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import attrs


class Fate(enum.Enum):
    """What became of a call, as far as can be known from here."""

    NOT_PROCESSED = "certainly not processed"
    PROCESSED = "processed"
    UNKNOWN = "may have been processed"


@attrs.frozen
class Problem:
    """One broken rule: the field, the value it had, and the limit it broke."""

    field: str
    value: object
    limit: str

    def __str__(self) -> str:
        shown = repr(self.value)
        return f"{self.field}={shown if len(shown) <= 80 else shown[:77] + '...'}: {self.limit}"


class PicoworkersError(Exception):
    """Base of everything this library raises on purpose."""

    fate: Fate = Fate.NOT_PROCESSED


class InvalidRequestError(PicoworkersError, ValueError):
    """The request breaks documented rules; nothing was sent. `.problems` lists every broken rule."""

    def __init__(self, call: str, problems: Iterable[Problem]) -> None:
        self.call = call
        self.problems = tuple(problems)
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        super().__init__(f"{call}: nothing was sent, correct {len(self.problems)} problem(s):{lines}")


class ClientStateError(PicoworkersError, RuntimeError):
    """The client was used outside its `async with` block; nothing was sent."""


class CallError(PicoworkersError):
    """A call reached for the service and failed: `.call` names it, `.status` is the HTTP status if one came."""

    def __init__(
        self, call: str, what: str, *, status: int | None = None, fate: Fate = Fate.NOT_PROCESSED
    ) -> None:
        self.call = call
        self.what = what
        self.status = status
        self.fate = fate
        super().__init__(f"{call}: {what}")


class AuthenticationError(CallError):
    """The service does not accept the user id and API secret; check both, or reset the secret in the account."""


class RefusedError(CallError):
    """The service answered `ok: false`; it did nothing. `.message` is its own explanation."""

    def __init__(self, call: str, message: str, *, status: int | None = None) -> None:
        self.message = message
        super().__init__(call, f"refused by the service: {message}", status=status)


class RateLimitedError(CallError):
    """HTTP 429, still after the retries allowed; nothing was done.

    `.retry_after` is what the service asked for, in seconds (None: it named no time).
    """

    def __init__(self, call: str, retry_after: float | None) -> None:
        self.retry_after = retry_after
        named = "" if retry_after is None else f"; it asks for {retry_after:g} s of silence"
        super().__init__(
            call,
            f"over the account's rate limit (HTTP 429){named}. "
            "Share one Throttle between all clients of the account",
            status=429,
        )


class ServiceError(CallError):
    """The service failed with a 5xx status on a call that is safe to repeat."""


class InvalidResponseError(CallError):
    """The answer was not the documented JSON (HTML, half a body, another shape); `.excerpt` shows its start."""

    def __init__(
        self, call: str, what: str, *, excerpt: str = "", status: int | None = None, fate: Fate = Fate.UNKNOWN
    ) -> None:
        self.excerpt = excerpt
        shown = f"; it begins {excerpt!r}" if excerpt else ""
        super().__init__(call, f"{what}{shown}", status=status, fate=fate)


class ServiceMovedError(CallError):
    """The service answered with a redirect, which is never followed: the credentials stay here."""

    def __init__(self, call: str, location: str, host: str, *, status: int, fate: Fate) -> None:
        self.location = location
        self.host = host
        super().__init__(
            call,
            f"the service redirects (HTTP {status}) to {host or location!r}; nothing was sent there. If that is "
            "where your account lives now, use edition=SPROUTGIGS, or base_url= with its API address",
            status=status,
            fate=fate,
        )


class NotSentError(CallError):
    """The call certainly never reached the service (no connection, no free slot in time); safe to send again."""


class NoAnswerError(CallError):
    """The connection failed before an answer came, on a call that costs nothing to repeat."""


@attrs.frozen
class MoneyCall:
    """A call that moves money as it was sent: its name, its body, when, and what was known before it.

    `before` holds what the client had read by then: the ids of jobs, the positions of the job, the balance.
    `ended_at` is when the request ended or was given up, by the event loop's clock (`anyio.current_time`).
    """

    name: str
    body: Mapping[str, Any]
    sent_at: datetime
    before: Mapping[str, Any]
    ended_at: float


class OutcomeUnknownError(CallError):
    """A call that moves money may have taken effect: its answer was lost. Never blindly repeat it.

    `.reason` is the failure behind it (a lost connection, a 5xx, an unreadable answer). Where the call is one
    of its own, not of a batch, `await pico.settle(error)` looks whether it took effect.
    """

    sent: MoneyCall | None = None

    def __init__(self, call: str, reason: Exception, *, status: int | None = None) -> None:
        self.reason = reason
        super().__init__(
            call,
            f"may have taken effect ({reason}). Do not repeat it before you have looked whether it did",
            status=status,
            fate=Fate.UNKNOWN,
        )


class JournalError(PicoworkersError):
    """A batch's journal cannot be used; nothing more was sent. `.path` names the file."""

    def __init__(self, path: object, what: str) -> None:
        self.path = path
        self.what = what
        super().__init__(f"journal {path}: {what}")
