"""One call, from its row in the table to its typed result: gate, send, classify, retry, decode."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Hashable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import anyio
import attrs

from . import classify
from .baseline import Baseline
from .block import Block
from .call import Call
from .caller import caller
from .editions import Edition
from .endpoints import Endpoint
from .errors import (
    CallError,
    Fate,
    GateTimeoutError,
    InvalidRequestError,
    MoneyCall,
    OutcomeUnknownError,
    PicoworkersError,
    RateLimitedError,
)
from .kept import KeptAnswers
from .observing import Observers
from .problems import Problem, ProblemCode
from .retry import RetryPolicy
from .service_clock import ServiceClock
from .throttle import Permit, Priority, Throttle, WaitBound
from .transport.adapters import HttpAdapter, NoResponseError, Response

T = TypeVar("T")


class Session:
    """Sends calls for one account through one throttle. Views with other options share everything else.

    `settle_after` is how many seconds after a request ended, or was given up, a read may prove that it had no
    effect. `hide` removes the secret from a text from outside. `observers` get each request; `requests` counts
    those of this view.
    """

    def __init__(
        self,
        *,
        edition: Edition,
        base_url: str,
        adapter: HttpAdapter,
        throttle: Throttle,
        retry: RetryPolicy,
        account: str,
        settle_after: float,
        hide: Callable[[str], str],
        observers: Observers,
    ) -> None:
        self.edition = edition
        self.base_url = base_url
        self.throttle = throttle
        self.retry = retry
        self.account = account
        self.settle_after = settle_after
        self.baseline: Baseline = Baseline()
        self.service_clock: ServiceClock = ServiceClock()
        self.kept: KeptAnswers = KeptAnswers()
        self._adapter = adapter
        self.hide = hide
        self.observers = observers
        self._sent = _Count()
        self._block = Block()
        self._priority = Priority.INTERACTIVE
        self._group: Hashable = None
        self._max_wait: float | None = None

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._sent.requests

    def view(self, *, priority: Priority, group: Hashable = None) -> Session:
        """The same session, with another place at the gate, where it waits for as long as it takes."""
        other = copy.copy(self)
        other._max_wait = None
        other._priority, other._group = priority, group
        other._sent = _Count()
        return other

    def once(self) -> Session:
        """The same session, whose calls are sent once: the caller decides about repeats."""
        other = copy.copy(self)
        other.retry = attrs.evolve(self.retry, attempts=1)
        return other

    def with_options(
        self, *, priority: Priority | None = None, timeout: float | None = None, max_wait: float | None = None
    ) -> Session:
        """The same session, with the given options in place of its own."""
        other = copy.copy(self)
        if priority is not None:
            other._priority = priority
        if timeout is not None:
            other._adapter = self._adapter.with_timeout(timeout)
        if max_wait is not None:
            other._max_wait = max_wait
        return other

    @property
    def carrier(self) -> str:
        """The transport that requests go over, for people to read."""
        return self._adapter.name

    async def open(self) -> None:
        """Begin the block. Raises `ClientStateError` if it has begun before, or cannot begin here."""
        self._block.enter()
        try:
            await self._adapter.open()
        except BaseException:
            self._block.not_entered()
            raise

    async def aclose(self) -> None:
        """End the block, and close our own connections; see `Block.close`. May be repeated."""
        if self._block.close():
            with anyio.CancelScope(shield=True):
                await self._adapter.aclose()

    async def call(
        self,
        endpoint: Endpoint,
        read: Callable[[Any], T],
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        known: Mapping[str, Any] | None = None,
    ) -> T:
        """Send the call and read its answer, repeating it where that is safe.

        `known` is what an error of unknown outcome should say besides what was sent. Raises the errors of
        `exchange`, and those of `require`.
        """
        call = Call(endpoint, read, query=query, body=body)
        if call.costs_money:
            result, _ = await self.call_for_money(call, known)
            return result
        self.require(endpoint)
        return await self._call(call)

    async def call_for_money(self, call: Call[T], known: Mapping[str, Any] | None = None) -> tuple[T, MoneyCall]:
        """Send a call that must not be repeated blindly; returns its result, and how it was sent, for settling it.

        An error of unknown outcome says what was known before, and what else is `known`.
        """
        self.require(call.endpoint)
        body = call.body or {}
        before, sent_at = self.baseline.begin(body), datetime.now(UTC)
        known_by_then = {**before, **(known or {})}

        def sent(ended_at: float) -> MoneyCall:
            return MoneyCall(call.endpoint.name, body, sent_at, ended_at, known_by_then)

        unknown = False
        waiting = caller.get()
        if waiting is not None:
            waiting.sends(sent(math.inf))
        try:
            result = await self._call(call)
            return result, sent(anyio.current_time())
        except OutcomeUnknownError as error:
            unknown = True
            error.sent = sent(anyio.current_time())
            raise
        except BaseException as error:
            # One that was cancelled on the wire may have taken effect, too.
            unknown = not isinstance(error, PicoworkersError) or error.fate is Fate.UNKNOWN
            if getattr(error, "cut_off", False):
                error.sent = sent(anyio.current_time())  # type: ignore[attr-defined]
            raise
        finally:
            self.baseline.end(body, before, unknown=unknown, unsure_for=self.settle_after)

    async def _call(self, call: Call[T]) -> T:
        bound = None if self._max_wait is None else WaitBound(call.name, self._max_wait)
        try:
            return await self._attempt(call, 1, bound)
        except CallError as first:
            if self.retry.attempts == 1 or not classify.may_retry(first, costs_money=call.costs_money):
                raise
            failed = first
        return await self._again(failed, call, bound)

    @property
    def answers(self) -> int:
        """How many requests were answered as documented, refusals aside."""
        return self._sent.answers

    @property
    def has_answered(self) -> bool:
        """Whether the service has ever answered this client as documented, refusals aside."""
        return self._block.answered

    def require(self, endpoint: Endpoint) -> None:
        """Raises `ClientStateError` outside the client's block, and in another event loop or process.

        Raises `InvalidRequestError` for an ability that the edition lacks.
        """
        self._block.require_open(endpoint.call)
        if endpoint.ability is not None and not self.edition.can(endpoint.ability):
            limit = f"this edition of the service cannot {endpoint.ability.value}"
            problem = Problem("edition", self.edition.name, limit, ProblemCode.EDITION)
            raise InvalidRequestError(endpoint.call, [problem])

    def require_home(self, what: str) -> None:
        """Raises `ClientStateError` in an event loop other than the client's, and in a child process."""
        self._block.require_home(what)

    def slot_now(self) -> Permit | None:
        """Permission to send one request, if there is nothing to wait for. The caller releases it."""
        self._block.require_process()
        return self.throttle.admit_now(self._priority)

    async def slot(self, bound: WaitBound | None = None) -> Permit:
        """Permission to send one request, when its turn comes: `with await session.slot() as permit`.

        Raises `GateTimeoutError` if it waited longer than its `bound`.
        """
        self._block.require_process()
        clock = self._block.clock
        asked_at = clock()
        permit = await self.throttle.acquire(self._priority, self._group, bound)
        permit.waited = clock() - asked_at
        return permit

    async def exchange(self, call: Call[T], permit: Permit, attempt: int = 1) -> T:
        """Send one request, with the permit from `slot`, and read its answer. `attempt` counts from 1.

        Raises only `CallError`, with a fate; for a call that costs money and may have been acted on, that is an
        `OutcomeUnknownError`.
        """
        url = call.url(self.base_url)
        self._sent.requests += 1
        began = self._block.clock() if self.observers.listening_to_failures() else None
        asked = time.monotonic()
        try:
            response = await self._adapter.send(call.endpoint.method, url, call.content, permit)
        except NoResponseError as lost:
            error = classify.error_for_failure(
                call.name, lost.fate, lost.failure, url=url, costs_money=call.costs_money, hide=self.hide
            )
            cause = lost.failure if classify.may_be_shown(lost.failure, self.hide) else None
        except BaseException as cancelled:
            # It may have left by then; whoever ends the cancellation may want to tell of it.
            cancelled.cut_off = call.costs_money  # type: ignore[attr-defined]
            if began is not None and not isinstance(cancelled, GateTimeoutError):
                self._tell_done(call, url, None, permit, attempt, began, cancelled)
            raise
        else:
            self.service_clock.saw(response.headers, asked)
            if response.status != 429:
                permit.answered()
            if began is not None and self.observers.listening():
                return await self._read_and_tell(call, url, response, permit, attempt, began)
            try:
                return self._read(call, url, response)
            except RateLimitedError as limited:
                await self._too_many(call, limited)
                raise
        if began is not None:
            self._tell_done(call, url, None, permit, attempt, began, error)
        raise error from cause

    async def _read_and_tell(
        self, call: Call[T], url: str, response: Response, permit: Permit, attempt: int, began: float
    ) -> T:
        try:
            value = self._read(call, url, response)
        except CallError as error:
            self._tell_done(call, url, response.status, permit, attempt, began, error)
            if isinstance(error, RateLimitedError):
                await self._too_many(call, error)
            raise
        self._tell_done(call, url, response.status, permit, attempt, began, None)
        return value

    def _tell_done(
        self,
        call: Call[T],
        url: str,
        status: int | None,
        permit: Permit,
        attempt: int,
        began: float,
        error: BaseException | None,
    ) -> None:
        from .requests_told import request_done  # loaded when something is told

        self.observers.tell(
            request_done(
                call,
                url,
                status,
                permit,
                attempt=attempt,
                began=began,
                ended=self._block.clock(),
                permitted=self.throttle.permitted_rate,
                error=error,
            )
        )

    async def _too_many(self, call: Call[T], limited: RateLimitedError) -> None:
        """Have everybody wait after a 429."""
        from .events import RateLimited  # loaded when something is told

        # Others that were on the wire have met the same: a pause is told once.
        began = not self.throttle.state().cooldown_left
        seconds = await self.throttle.too_many(limited.retry_after)
        if began:
            self.observers.tell(RateLimited(call=call.name, seconds=seconds, asked=limited.retry_after))

    def _read(self, call: Call[T], url: str, response: Response) -> T:
        value = classify.read(
            call.name,
            call.endpoint.method,
            url,
            response.status,
            response.headers,
            response.body,
            call.read,
            problem=response.problem,
            costs_money=call.costs_money,
            hide=self.hide,
            lacks=self.edition.lacks if call.names_job else None,
        )
        self._block.answered = True
        self._sent.answers += 1
        return value

    async def _attempt(self, call: Call[T], attempt: int, bound: WaitBound | None) -> T:
        try:
            with await self.slot(bound) as permit:
                return await self.exchange(call, permit, attempt)
        except GateTimeoutError as late:
            if bound is not None and self.observers.listening_to_failures():
                from .events import GateTimedOut  # loaded when something is told

                self.observers.tell(GateTimedOut(call=late.call, max_wait=bound.seconds))
            raise

    async def _again(self, first: CallError, call: Call[T], bound: WaitBound | None) -> T:
        """The further attempts; the code for them is loaded only if something failed."""
        import tenacity

        def pause(state: tenacity.RetryCallState) -> float:
            held = state.outcome is not None and isinstance(state.outcome.exception(), RateLimitedError)
            return 0.0 if held else self.retry.pause(state.attempt_number)

        async for attempt in tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(self.retry.attempts),
            wait=pause,
            retry=tenacity.retry_if_exception(
                lambda error: (
                    isinstance(error, CallError) and classify.may_retry(error, costs_money=call.costs_money)
                )
            ),
            sleep=anyio.sleep,
            reraise=True,
        ):
            with attempt:
                number = attempt.retry_state.attempt_number
                if number == 1:
                    raise first
                return await self._attempt(call, number, bound)
        raise AssertionError("unreachable: the last attempt returns or raises")


class _Count:
    """How many requests were sent; shared by all views of a session, except those that count for themselves."""

    requests = 0
    answers = 0
