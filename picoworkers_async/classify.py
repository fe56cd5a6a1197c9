"""What an answer, or the lack of one, means: pure functions over plain values.

Everything that decides whether a call may be sent again is here. Whatever an answer holds, it leads to one of
the documented errors. Every text from outside passes through `hide`, which removes the account's secret.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

from . import codec
from .errors import (
    AuthenticationError,
    CallError,
    Fate,
    InvalidResponseError,
    NoAnswerError,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
    ServiceError,
    ServiceMovedError,
)
from .settings import place_of

T = TypeVar("T")
Hide = Callable[[str], str]
Lacks = Callable[[str, int | None], bool]

_EXCERPT = 120
_SEARCHED = 8192
"""How many bytes are searched for the secret before the excerpt is cut: a secret cut in half is not found."""

_SHORT = 256
"""How many bytes an acknowledgement may have to be worth remembering."""

_UNKNOWABLE = frozenset({408, 409, 425, 499})
"""Besides 5xx: statuses that a proxy, or the service, may send while the call goes on or after it took effect."""


def read(
    call: str,
    method: str,
    url: str,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    reader: Callable[[Any], T],
    *,
    problem: str | None = None,
    costs_money: bool,
    hide: Hide,
    lacks: Lacks | None = None,
) -> T:
    """What `reader` makes from the JSON of a successful answer; every other answer raises what it means.

    `problem` is why the body could not be read off the connection, if so. Raises `AuthenticationError` and
    `RateLimitedError` for credentials and limits; `RefusedError` for `ok: false` with a 2xx or 4xx status, or
    `NotFoundError` if `lacks`, given for a call that names a job, says so. A failure of the service (5xx, 408,
    409, 425, 499, whatever its JSON says) is a `ServiceError`, a redirect a `ServiceMovedError`, an answer that
    cannot be read an `InvalidResponseError`: raised for a call that costs nothing, and the `.reason` of an
    `OutcomeUnknownError` for one that costs money.
    """
    if status == 200 and reader is codec.read_ack and len(body) <= _SHORT and problem is None:
        known: Any = codec.plain_ack(body)
        if known is not None:
            result: T = known
            return result
    try:
        return reader(_successful(call, method, url, status, headers, body, problem, hide, lacks))
    except (AuthenticationError, RateLimitedError, RefusedError) as certain:
        error: CallError = certain
    except CallError as uncertain:
        error = _weighed(uncertain, costs_money=costs_money)
    except Exception as unread:
        what = str(unread) if isinstance(unread, codec.ShapeError) else in_words(unread)
        error = _weighed(_unreadable(call, status, what, body, hide), costs_money=costs_money)
    # A traceback that shows variables must not show what a service may have echoed.
    del headers, body, url, problem
    # Raised here, it has no context: what reading failed on may hold anything.
    raise error


def error_for_failure(
    call: str, fate: Fate, failure: Exception, *, url: str, costs_money: bool, hide: Hide
) -> CallError:
    """The error for a call to `url` that got no answer; `fate` is what the failure proves about it."""
    what = codec.printable(hide(in_words(failure)))
    if fate is Fate.NOT_PROCESSED:
        return NotSentError(
            call, f"never reached the service at {place_of(url)} ({what}); it is safe to send again"
        )
    return _weighed(NoAnswerError(call, f"no answer came ({what})", fate=Fate.UNKNOWN), costs_money=costs_money)


def may_be_shown(failure: Exception, hide: Hide) -> bool:
    """Whether the failure's own text is free of the secret, so that a traceback may show it as the cause."""
    try:
        text = f"{failure} {failure!r}"
    except Exception:
        return False
    return hide(text) == text


def accepted_in_silence(error: OutcomeUnknownError) -> bool:
    """Whether all that is wrong with the answer to a call that moves money is that it has nothing in it.

    SproutGigs was seen to answer a post like that, with 2xx, when it had posted the job. A proxy may do so, too,
    for a request that it swallowed, and a connection may end where the body would begin. So it is no reason to
    report a failure, no proof that the call took effect, and never permission to send it again: only reading can
    tell.
    """
    reason = error.reason
    return (
        isinstance(reason, InvalidResponseError)
        and reason.empty
        and reason.status is not None
        and 200 <= reason.status < 300
    )


def may_retry(error: CallError, *, costs_money: bool) -> bool:
    """Whether the same call may be sent again without reading first."""
    match error:
        case RateLimitedError() | NotSentError():
            return True
        case ServiceError() | NoAnswerError():
            return not costs_money
        case InvalidResponseError():
            return not costs_money and error.status is not None and 200 <= error.status < 300
        case _:
            return False


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """The seconds that a `Retry-After` header asks for, as a number or as a date; None without a usable one."""
    value = _header(headers, "retry-after").strip()
    if not value:
        return None
    try:
        return _finite(float(value))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return _finite((moment - (now or datetime.now(UTC))).total_seconds())
    except (ValueError, TypeError, ArithmeticError, IndexError):
        return None


def _finite(seconds: float) -> float | None:
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _successful(
    call: str,
    method: str,
    url: str,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    problem: str | None,
    hide: Hide,
    lacks: Lacks | None,
) -> Any:
    """The JSON of a successful answer, else a `CallError` that does not consider what a repeat would cost."""
    if status == 429:
        raise RateLimitedError(call, retry_after(headers))
    if 300 <= status < 400:
        raise _moved(call, url, status, _header(headers, "location"), hide)
    if status >= 500 or status in _UNKNOWABLE:
        raise ServiceError(call, f"the service failed with HTTP {status}", status=status, fate=Fate.UNKNOWN)
    empty = problem is None and not body.strip()
    try:
        data = None if problem else codec.loads(body)
    except codec.ShapeError as error:
        data, problem = None, "it is empty" if empty else str(error)
    if problem:
        if status in (401, 403):
            raise _not_accepted(call, status)
        if status == 404:
            raise _not_found(call, f"{method} {url.partition('?')[0]}", body, hide, empty=empty)
        raise _unreadable(call, status, problem, body, hide, empty=empty)
    message, unauthorized = codec.refusal(data), codec.is_unauthorized(data)
    if status == 401 or (unauthorized and not codec.says_ok(data)):
        raise _not_accepted(call, status)
    if message is not None and (200 <= status < 300 or 400 <= status < 500):
        raise refused(call, codec.printable(hide(message)), status, lacks)
    if status == 403 and not codec.says_ok(data):
        raise _not_accepted(call, status)
    if 200 <= status < 300 and not unauthorized:
        return data
    if (
        400 <= status < 500
        and isinstance(data, dict)
        and "ok" not in data
        and isinstance(data.get("message"), str)
    ):
        raise refused(call, codec.printable(hide(data["message"])), status, lacks, has_ok=False)
    raise _unreadable(call, status, "not a documented answer", body, hide)


def refused(
    call: str, message: str, status: int | None, lacks: Lacks | None, *, has_ok: bool = True
) -> RefusedError:
    """The error for a refusal: `NotFoundError` for a job or a task that is not there, or any other.

    `has_ok` is whether it has the API's own shape: without `ok`, it may be a gateway's, whose status is about
    the address and not the job.
    """
    kind = NotFoundError if lacks is not None and lacks(message, status if has_ok else None) else RefusedError
    return kind(call, message, status=status)


def _weighed(error: CallError, *, costs_money: bool) -> CallError:
    return OutcomeUnknownError(error.call, error, status=error.status) if costs_money else error


def _moved(call: str, url: str, status: int, location: str, hide: Hide) -> ServiceMovedError:
    try:
        host = urlsplit(urljoin(url, location)).netloc.rpartition("@")[2]
    except ValueError:
        host = ""
    shown = codec.printable(hide(location))
    return ServiceMovedError(call, shown, codec.printable(hide(host)), status=status, fate=Fate.UNKNOWN)


def _not_accepted(call: str, status: int) -> AuthenticationError:
    what = f"the service does not accept this user id and API secret (HTTP {status}); check both"
    return AuthenticationError(call, what, status=status)


def _unreadable(
    call: str, status: int, what: str, body: bytes, hide: Hide, *, empty: bool = False
) -> InvalidResponseError:
    excerpt = _excerpt(body, hide)
    shown = codec.printable(hide(what))
    said = f"HTTP {status} with an answer that cannot be read ({shown})"
    return InvalidResponseError(call, said, excerpt=excerpt, empty=empty, status=status)


def _excerpt(body: bytes, hide: Hide) -> str:
    return hide(body[:_SEARCHED].decode("utf-8", "replace")).strip()[:_EXCERPT]


def _not_found(call: str, asked: str, body: bytes, hide: Hide, *, empty: bool) -> CallError:
    """A 404 that no API sends: most likely the address is wrong. The page that came says nothing more."""
    where = codec.printable(hide(asked))
    said = f"no such address: {where} (HTTP 404, and not in JSON); check base_url, which ends in /api/"
    if call.startswith(("GET ", "POST ")):
        said += ", and the path"
    error = InvalidResponseError(call, said, empty=empty, status=404)
    error.excerpt = _excerpt(body, hide)
    return error


def _header(headers: Mapping[str, str], name: str) -> str:
    """The value of a header; empty if there is none, or none that can be decoded."""
    try:
        value = headers.get(name, "")
    except Exception:
        return ""
    return value if isinstance(value, str) else ""


def in_words(problem: BaseException) -> str:
    """The kind of an exception and its text, if that can be shown."""
    name = type(problem).__name__
    try:
        text = str(problem)
    except Exception:
        return name
    return f"{name}: {text}" if text else name
