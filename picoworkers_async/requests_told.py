"""The event that reports a request that ended."""

from __future__ import annotations

from typing import Any

import anyio

from .call import Call
from .errors import CallError, OutcomeUnknownError
from .events import RequestDone
from .throttle import Permit


def request_done(
    call: Call[Any],
    url: str,
    status: int | None,
    permit: Permit,
    *,
    attempt: int,
    began: float,
    ended: float,
    permitted: float | None,
    error: BaseException | None,
) -> RequestDone:
    """The event of a request that `began`, after its wait at the gate, and `ended` at these times."""
    # Where a pace is kept, the permit knows when the request was written, and it waited until then.
    left_at = max(began, permit.left_at())
    return RequestDone(
        call=call.name,
        method=call.endpoint.method,
        url=url,
        status=status,
        seconds=ended - left_at,
        waited=permit.waited + left_at - began,
        attempt=attempt,
        permitted=permitted,
        error=None if error is None else _text_of(call, error),
        error_type=None if error is None else _type_of(error),
        outcome_unknown=call.costs_money and _may_have_acted(error, permit),
    )


def _text_of(call: Call[Any], error: BaseException) -> str:
    """The text of an error; whether a call may be repeated is for the caller to decide."""
    if isinstance(error, OutcomeUnknownError):
        return str(error.reason)
    return str(error) if isinstance(error, CallError) else f"{call.name}: given up before an answer came"


def _type_of(error: BaseException) -> str:
    """The name of what went wrong, the same in every event loop."""
    if isinstance(error, OutcomeUnknownError):
        return type(error.reason).__name__
    return "cancelled" if isinstance(error, anyio.get_cancelled_exc_class()) else type(error).__name__


def _may_have_acted(error: BaseException | None, permit: Permit) -> bool:
    """Whether it is unknown if the service acted on a request that ended like this."""
    if error is None or isinstance(error, CallError):
        return isinstance(error, OutcomeUnknownError)
    return permit.may_have_left
