"""One call, from its row in the table to its typed result: gate, send, classify, retry, decode."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Hashable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

import anyio

from . import classify, codec
from .baseline import Baseline
from .editions import Edition
from .endpoints import Endpoint, repeat_costs_money
from .errors import (
    CallError,
    ClientStateError,
    InvalidRequestError,
    MoneyCall,
    OutcomeUnknownError,
    Problem,
    RateLimitedError,
)
from .grace_period import GracePeriod
from .retry import RetryPolicy
from .throttle import Permit, Priority, Throttle
from .transport.adapters import Answer, Wire
from .transport.failures import FailureKind, failure_kind

T = TypeVar("T")

logger = logging.getLogger("picoworkers_async")

_permit: ContextVar[Permit] = ContextVar("picoworkers_async_permit")


class Session:
    """Sends calls for one account through one throttle. Views with other options share all the rest."""

    def __init__(
        self, *, edition: Edition, base_url: str, wire: Wire, throttle: Throttle, retry: RetryPolicy, account: str
    ) -> None:
        self.edition = edition
        self.base_url = base_url
        self.throttle = throttle
        self.retry = retry
        self.account = account
        self.baseline = Baseline()
        self._wire = wire
        self._open = _Flag()
        self._priority = Priority.INTERACTIVE
        self._group: Hashable = None
        self._grace: GracePeriod | None = None

    def view(self, *, priority: Priority, group: Hashable = None, grace: GracePeriod | None = None) -> Session:
        """The same session, with another place at the gate."""
        other = copy.copy(self)
        other._priority, other._group, other._grace = priority, group, grace
        return other

    def with_options(self, *, priority: Priority | None, timeout: float | None) -> Session:
        """The same session, with what is given in place of what it had."""
        other = copy.copy(self)
        if priority is not None:
            other._priority = priority
        if timeout is not None:
            other._wire = self._wire.with_timeout(timeout)
        return other

    def open(self) -> None:
        if self._open.state != "new":
            raise ClientStateError("a client is entered once; make a new AsyncPicoworkers for another block")
        self._open.state = "open"
        self._wire.open()

    async def aclose(self) -> None:
        self._open.state = "closed"
        with anyio.CancelScope(shield=True):
            await self._wire.aclose()

    async def call(
        self,
        endpoint: Endpoint,
        read: Callable[[Any], T],
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> T:
        """Send the call and read its answer, repeating it where that is safe.

        Raises the errors of `classify.read_answer`, and `InvalidRequestError` if the edition lacks the endpoint.
        """
        self.require(endpoint)
        costs_money = repeat_costs_money(endpoint, body)
        if costs_money:
            return await self._call_for_money(endpoint, read, body or {})
        return await self._call(endpoint, read, query, body, costs_money=False)

    async def _call_for_money(self, endpoint: Endpoint, read: Callable[[Any], T], body: Mapping[str, Any]) -> T:
        """A call that must not be repeated blindly: an error of unknown outcome says what was known before."""
        before, sent_at = self.baseline.before(body), datetime.now(UTC)
        try:
            return await self._call(endpoint, read, None, body, costs_money=True)
        except OutcomeUnknownError as error:
            error.sent = MoneyCall(endpoint.name, body, sent_at, before)
            raise
        finally:
            self.baseline.money_moved(body)

    async def _call(
        self,
        endpoint: Endpoint,
        read: Callable[[Any], T],
        query: Mapping[str, Any] | None,
        body: Mapping[str, Any] | None,
        *,
        costs_money: bool,
    ) -> T:
        url = self.url(endpoint, query)
        content = None if endpoint.method == "GET" else codec.encode(body or {})
        try:
            return await self._attempt(endpoint, url, content, read, costs_money=costs_money)
        except CallError as first:
            if self.retry.attempts == 1 or not classify.may_retry(first, costs_money=costs_money):
                raise
            failed = first
        return await self._again(failed, endpoint, url, content, read, costs_money=costs_money)

    def url(self, endpoint: Endpoint, query: Mapping[str, Any] | None = None) -> str:
        """The address of a call; fields of the query that are None are left out."""
        if not query:
            return self.base_url + endpoint.path
        fields = {name: value for name, value in query.items() if value is not None}
        return f"{self.base_url}{endpoint.path}?{urlencode(fields)}" if fields else self.base_url + endpoint.path

    def require(self, endpoint: Endpoint) -> None:
        """Raises `ClientStateError` outside the client's block, `InvalidRequestError` for a lacking ability."""
        if self._open.state != "open":
            raise ClientStateError(
                f"{endpoint.call}: nothing was sent, the client is {_NOT_OPEN[self._open.state]}; "
                "use it inside `async with AsyncPicoworkers(...) as pico:`"
            )
        if endpoint.ability is not None and not self.edition.can(endpoint.ability):
            limit = f"this edition of the service cannot {endpoint.ability.value}"
            raise InvalidRequestError(endpoint.call, [Problem("edition", self.edition.name, limit)])

    async def enter(self) -> None:
        """Wait at the gate for permission to send one request."""
        _permit.set(await self.throttle.acquire(self._priority, self._group))

    def leave(self) -> None:
        """Give the permission of `enter` back."""
        _permit.get().release()

    async def exchange(
        self, endpoint: Endpoint, url: str, content: bytes | None, read: Callable[[Any], T], *, costs_money: bool
    ) -> T:
        """Send one request, for which `enter` gave permission, and read its answer."""
        permit = _permit.get()
        await permit.before_writing()
        permit.written()
        try:
            if self._grace is None:
                answer = await self._wire.send(endpoint.method, url, content)
            else:
                answer = await self._grace.keep(endpoint.call, self._wire.send(endpoint.method, url, content))
        except CallError:
            raise
        except Exception as failure:
            kind = failure_kind(failure)
            if kind is FailureKind.NOT_HTTP:
                raise
            error = classify.error_for_failure(endpoint.call, kind, failure, costs_money=costs_money)
            logger.info("%s", error)
            raise error from _without_frames(failure)
        return await self._read(endpoint, url, answer, read, permit, costs_money=costs_money)

    async def _read(
        self,
        endpoint: Endpoint,
        url: str,
        answer: Answer,
        read: Callable[[Any], T],
        permit: Permit,
        *,
        costs_money: bool,
    ) -> T:
        call, (status, headers, body) = endpoint.call, answer
        logger.debug("%s: HTTP %s, %d bytes", call, status, len(body))
        if status != 429:
            permit.answered()
        try:
            return read(classify.read_answer(call, url, status, headers, body, costs_money=costs_money))
        except RateLimitedError as error:
            seconds = await self.throttle.too_many(error.retry_after)
            logger.warning("%s: HTTP 429; everybody waits %g s", call, seconds)
            raise
        except codec.ShapeError as problem:
            raise classify.misshapen(call, status, str(problem), body, costs_money=costs_money) from None

    async def _attempt(
        self, endpoint: Endpoint, url: str, content: bytes | None, read: Callable[[Any], T], *, costs_money: bool
    ) -> T:
        await self.enter()
        try:
            return await self.exchange(endpoint, url, content, read, costs_money=costs_money)
        finally:
            self.leave()

    async def _again(
        self,
        first: CallError,
        endpoint: Endpoint,
        url: str,
        content: bytes | None,
        read: Callable[[Any], T],
        *,
        costs_money: bool,
    ) -> T:
        """The further attempts; the machinery for them is loaded only when something failed."""
        import tenacity

        def pause(state: tenacity.RetryCallState) -> float:
            held = state.outcome is not None and isinstance(state.outcome.exception(), RateLimitedError)
            return 0.0 if held else self.retry.pause(state.attempt_number)

        async for attempt in tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(self.retry.attempts),
            wait=pause,
            retry=tenacity.retry_if_exception(
                lambda error: isinstance(error, CallError) and classify.may_retry(error, costs_money=costs_money)
            ),
            sleep=anyio.sleep,
            reraise=True,
        ):
            with attempt:
                if attempt.retry_state.attempt_number == 1:
                    raise first
                return await self._attempt(endpoint, url, content, read, costs_money=costs_money)
        raise AssertionError("unreachable: the last attempt returns or raises")


class _Flag:
    """Whether the client's block is open, shared by all views of a session."""

    state = "new"


_NOT_OPEN = {"new": "not open yet", "closed": "closed"}


def _without_frames(failure: Exception) -> Exception:
    """The failure as it reads, without the frames below us, whose variables hold the request's headers."""
    failure.__traceback__ = failure.__cause__ = failure.__context__ = None
    return failure
