"""What an answer, or the lack of one, means: pure functions over plain values.

Everything that decides whether a call may be sent again is here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from . import codec
from .errors import (
    AuthenticationError,
    CallError,
    Fate,
    InvalidResponseError,
    NoAnswerError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
    ServiceError,
    ServiceMovedError,
)

_EXCERPT = 120


def error_for_failure(call: str, fate: Fate, failure: Exception, *, costs_money: bool) -> CallError:
    """The error for a call that got no answer at all."""
    what = f"{type(failure).__name__}: {failure}" if str(failure) else type(failure).__name__
    if fate is Fate.NOT_PROCESSED:
        return NotSentError(call, f"never reached the service ({what}); it is safe to send again")
    lost = NoAnswerError(call, f"no answer came ({what})", fate=Fate.UNKNOWN)
    return OutcomeUnknownError(call, lost) if costs_money else lost


def read_answer(
    call: str, url: str, status: int, headers: Mapping[str, str], body: bytes, *, costs_money: bool
) -> Any:
    """The JSON of a successful answer. Every other answer raises the error that says what it means.

    A refusal (`ok: false`) is one whatever the status; a redirect is never followed; what cannot be read is
    of unknown outcome where money is at stake.
    """
    if status == 429:
        raise RateLimitedError(call, retry_after(headers))
    if 300 <= status < 400:
        raise _moved(call, url, status, headers.get("location", ""))
    try:
        data = codec.loads(body)
    except codec.ShapeError as problem:
        if status in (401, 403):
            raise AuthenticationError(call, _unauthorized(status), status=status) from None
        raise _unreadable(call, status, str(problem), body, costs_money=costs_money) from None
    message = codec.refusal(data)
    if status == 401 or codec.is_unauthorized(data):
        raise AuthenticationError(call, _unauthorized(status), status=status)
    if message is not None:
        raise RefusedError(call, message, status=status)
    if status == 403:
        raise AuthenticationError(call, _unauthorized(status), status=status)
    if 200 <= status < 300:
        return data
    if 400 <= status < 500 and isinstance(data, dict) and isinstance(data.get("message"), str):
        raise RefusedError(call, data["message"], status=status)
    raise _unreadable(call, status, "not a documented answer", body, costs_money=costs_money)


def misshapen(call: str, status: int, what: str, body: bytes, *, costs_money: bool) -> CallError:
    """The error for JSON of the wrong shape on a successful status."""
    return _unreadable(call, status, what, body, costs_money=costs_money)


def may_retry(error: CallError, *, costs_money: bool) -> bool:
    """Whether the same call may be sent again, without anybody looking first."""
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
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _moved(call: str, url: str, status: int, location: str) -> ServiceMovedError:
    host = urlsplit(urljoin(url, location)).netloc.rpartition("@")[2]
    # A redirect elsewhere stands in for the service; one on the same host may follow something it did.
    elsewhere = host != urlsplit(url).netloc.rpartition("@")[2]
    fate = Fate.NOT_PROCESSED if elsewhere and status != 303 else Fate.UNKNOWN
    return ServiceMovedError(call, location, host, status=status, fate=fate)


def _unauthorized(status: int) -> str:
    return f"the service does not accept this user id and API secret (HTTP {status}); check both"


def _unreadable(call: str, status: int, what: str, body: bytes, *, costs_money: bool) -> CallError:
    error: CallError
    if status >= 500:
        error = ServiceError(call, f"the service failed with HTTP {status}", status=status, fate=Fate.UNKNOWN)
    else:
        excerpt = body[: _EXCERPT * 4].decode("utf-8", "replace").strip()[:_EXCERPT]
        error = InvalidResponseError(
            call, f"HTTP {status} with an answer that cannot be read ({what})", excerpt=excerpt, status=status
        )
    return OutcomeUnknownError(call, error, status=status) if costs_money else error
