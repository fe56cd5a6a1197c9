"""Errors, and what each means for the money.

Every error has a `fate`: whether the service certainly did not act on the call, certainly did, or may have. Only
`Fate.NOT_PROCESSED` makes it safe to send a call that moves money again.

Every error can be pickled and copied, and keeps its class, text, fate and attributes. Its traceback, its cause
(`__cause__`) and its `report` stay behind.
"""

from __future__ import annotations

import enum
import math
import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from .problems import Problem

if TYPE_CHECKING:
    from .rating import BatchReport


MANUAL = "docs/reference/errors.md"
"""The page, in the repository and the source distribution, that says what to do about each error."""


class Fate(enum.Enum):
    """What became of a call, as far as the client can know."""

    NOT_PROCESSED = "certainly not processed"
    PROCESSED = "processed"
    UNKNOWN = "may have been processed"


def _encodable(message: str) -> str:
    """A message that any log can write: lone surrogates, which a name in it may have, are escaped."""
    return message if message.isascii() else message.encode("utf-8", "backslashreplace").decode()


class PicoworkersError(Exception):
    """Base of every error that this library raises on purpose.

    This class alone says nothing about the fate of a call; its subclasses do.
    """

    fate: Fate = Fate.UNKNOWN
    report: BatchReport | None = None
    """The partial `BatchReport` of the batch that this error ended, else None. It is not pickled or copied."""
    _paragraph: ClassVar[str] = "errors"

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        # A note, so that a traceback ends in it, and a text that is shown to others does not have it.
        self.add_note(f"See {MANUAL}#{self._paragraph}")

    def __reduce__(self) -> tuple[Any, ...]:
        # Python's own way calls the class with `args`: the text alone, and not what its constructor takes.
        attributes = {name: value for name, value in self.__dict__.items() if name != "report"}
        return _rebuilt, (type(self), self.args), attributes


def _rebuilt(kind: type[PicoworkersError], args: tuple[Any, ...]) -> PicoworkersError:
    """An error with this text, whatever its constructor takes; its attributes are set afterwards."""
    return kind.__new__(kind, *args)


class InvalidRequestError(PicoworkersError, ValueError):
    """The arguments break documented rules; nothing was sent. `.problems` lists every broken rule.

    Calls that send nothing, such as `Later` or a query of a `Journal`, raise it for their arguments, too.
    """

    fate = Fate.NOT_PROCESSED
    _paragraph = "invalidrequesterror"

    def __init__(self, call: str, problems: Iterable[Problem], *, sends: bool = True) -> None:
        self.call = call
        self.problems: tuple[Problem, ...] = tuple(problems)
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        count = len(self.problems)
        to_correct = f"correct {count} problem{'' if count == 1 else 's'}:{lines}"
        super().__init__(_encodable(f"{call}: {'nothing was sent, ' if sends else ''}{to_correct}"))


class LimitError(PicoworkersError):
    """A rating would exceed one of the `Limits` of its batch, or its cost is not known; it was not sent.

    `.limit` is the name of the limit, such as `max_bonus`.
    """

    fate = Fate.NOT_PROCESSED
    _paragraph = "limiterror"

    def __init__(self, limit: str, what: str) -> None:
        self.limit = limit
        super().__init__(_encodable(f"{limit}: {what}; it was not sent"))


class ClientStateError(PicoworkersError, RuntimeError):
    """The client was used outside its `async with` block, event loop or process; nothing was sent."""

    fate = Fate.NOT_PROCESSED
    _paragraph = "clientstateerror"


class CallError(PicoworkersError):
    """A call to the service failed: `.call` names it, `.status` is the HTTP status if an answer came."""

    def __init__(self, call: str, what: str, *, status: int | None = None, fate: Fate | None = None) -> None:
        self.call = call
        self.what = what
        self.status = status
        if fate is not None:
            self.fate = fate
        super().__init__(_encodable(f"{call}: {what}"))


class AuthenticationError(CallError):
    """The service does not accept the user id and API secret. Check both, or reset the secret in the account."""

    fate = Fate.NOT_PROCESSED
    _paragraph = "authenticationerror"


class RefusedError(CallError):
    """The service answered `ok: false`, and did nothing. `.message` is its own explanation."""

    fate = Fate.NOT_PROCESSED
    _paragraph = "refusederror"

    def __init__(self, call: str, message: str, *, status: int | None = None) -> None:
        self.message = message
        super().__init__(call, f"refused by the service: {message}", status=status)


class NotFoundError(RefusedError):
    """The service says that the job or the task of the call is not there.

    Recognised by `Edition.lacks`, whose words are a guess, because no document gives the message.
    """


class RateLimitedError(CallError):
    """HTTP 429, still after all permitted retries; nothing was done.

    `.retry_after` is what the service asked for, in seconds (None: it named no time).
    """

    fate = Fate.NOT_PROCESSED
    _paragraph = "ratelimitederror"

    def __init__(self, call: str, retry_after: float | None) -> None:
        self.retry_after = retry_after
        named = f"; it asks for {retry_after:g} s of silence" if retry_after else ""
        remedy = "Share one Throttle between all clients of the account"
        super().__init__(call, f"over the account's rate limit (HTTP 429){named}. {remedy}", status=429)


class GateTimeoutError(CallError):
    """The call waited for its turn as long as it may (`max_wait`), and was not sent. Its place went to the others.

    `.max_wait` is in seconds. `.why` says what it waited for: the pace, a cooldown after a 429, or a free place.
    """

    fate = Fate.NOT_PROCESSED
    _paragraph = "gatetimeouterror"

    def __init__(self, call: str, max_wait: float, why: str) -> None:
        self.max_wait = max_wait
        self.why = why
        super().__init__(call, f"not sent: its turn did not come within {max_wait:g} s ({why})")


class ServiceError(CallError):
    """The service, or a proxy before it, failed with HTTP 5xx, 408, 409, 425 or 499: what it did is not known."""

    _paragraph = "serviceerror"


class InvalidResponseError(CallError):
    """The answer was not the documented JSON (HTML, half a body, another shape); `.excerpt` is its start.

    `.empty` says that it was whole, as far as can be seen, and had nothing in it.
    """

    _paragraph = "serviceerror"

    def __init__(
        self,
        call: str,
        what: str,
        *,
        excerpt: str = "",
        empty: bool = False,
        status: int | None = None,
        fate: Fate | None = None,
    ) -> None:
        self.excerpt = excerpt
        self.empty = empty
        shown = f"; it begins {excerpt!r}" if excerpt else ""
        super().__init__(call, f"{what}{shown}", status=status, fate=fate)


class ServiceMovedError(CallError):
    """The service answered with a redirect (HTTP 3xx), which is never followed: the credentials stay here.

    `.location` is where it points to, and `.host` the host of that, empty if it cannot be told. Whether the
    service acted before it answered is not known: for a call that moves money, this is the `.reason` of an
    `OutcomeUnknownError`.
    """

    _paragraph = "servicemovederror"

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
    """The call certainly never reached the service (no connection, or no free one in time); safe to send again."""

    fate = Fate.NOT_PROCESSED
    _paragraph = "notsenterror"


class NoAnswerError(CallError):
    """The connection failed before an answer came, on a call that costs nothing to repeat."""

    _paragraph = "serviceerror"


@attrs.frozen
class MoneyCall:
    """A call that moves money, as it was sent: its name, its body, when, and what was known before it.

    `ended_at` is when its request ended or was given up, by the event loop's clock. `before` holds what the
    client had read by then: the ids of jobs, the positions of the job, the balance, the revisions of the tasks.
    In a pickle or a copy `ended_at` is infinite, because clocks of other processes prove nothing; `settle` then
    counts from when you call it.
    """

    name: str
    body: Mapping[str, Any]
    sent_at: datetime
    ended_at: float
    before: Mapping[str, Any]

    def __reduce__(self) -> tuple[Any, ...]:
        return MoneyCall, (self.name, self.body, self.sent_at, math.inf, self.before)


class OutcomeUnknownError(CallError):
    """A call that moves money may have taken effect: its answer was lost. Never repeat it blindly.

    `.reason` is the failure behind it (a lost connection, a 5xx, a redirect, an unreadable answer). For a call
    of your own, not of a batch, `await pico.settle(error)` finds out whether it took effect.
    """

    _paragraph = "outcomeunknownerror"

    sent: MoneyCall | None = None

    def __init__(self, call: str, reason: Exception, *, status: int | None = None) -> None:
        self.reason = reason
        super().__init__(
            call,
            f"may have taken effect ({reason}). Do not repeat it before you have checked whether it did",
            status=status,
            fate=Fate.UNKNOWN,
        )


class JournalError(PicoworkersError):
    """A batch's journal cannot be used; nothing more was sent. `.path` names the file, or gives the address."""

    _paragraph = "journalerror"

    def __init__(self, path: object, what: str) -> None:
        # The address of a database may know a password, which its text does not have.
        self.path: os.PathLike[str] | str = path if isinstance(path, os.PathLike) else str(path)
        self.what = what
        super().__init__(f"journal {path}: {what}")


class JournalBusyError(JournalError):
    """Another batch, or something else, has the journal open; it serves one batch at a time."""


class JournalTakenError(JournalBusyError):
    """Another batch took the journal over while this one was silent: it writes and sends nothing more."""


class JournalUnreachableError(JournalError):
    """The journal's database cannot be reached, or went away for too long."""


class JournalFullError(JournalError):
    """The disk is full."""


class NotAJournalError(JournalError):
    """The file is not a journal."""


class JournalDamagedError(JournalError):
    """The journal's file is damaged, or files that belong beside it are missing."""


class ConflictError(PicoworkersError):
    """Two different ratings of one task and revision in one batch: `.first` stands, `.second` was not sent."""

    fate = Fate.NOT_PROCESSED
    _paragraph = "conflicterror"

    def __init__(self, first: object, second: object) -> None:
        self.first = first
        self.second = second
        message = f"one task has two different ratings in this batch: {first!r} stands, {second!r} was not sent"
        super().__init__(_encodable(message))


def leading_error(error: Exception) -> Exception:
    """The error to report out of a group: this library's before any other."""
    if not isinstance(error, ExceptionGroup):
        return error
    leaves = [leading_error(one) for one in error.exceptions]
    return next((one for one in leaves if isinstance(one, PicoworkersError)), leaves[0])
