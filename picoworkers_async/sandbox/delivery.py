"""A request from arrival to answer: limit, latency, fault and log. Shared by both transports."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from functools import partial
from itertools import count

import anyio
import attrs

from .account import Account
from .dispatch import Dispatch
from .disturbance import ACTS_LATE, Sending, disturbed, processed_at_once, sending_of
from .faults import Fault, Faults
from .limiter import Limiter
from .messages import Logged, Reply, Request, logged

_NO_ANSWER = Reply(200, b"{}")


@attrs.define(eq=False)
class _Arrival:
    """A request that arrived, and what happens to it. `seconds` is how long it takes, there and back."""

    request: Request
    time: float
    seconds: float
    limited: Reply | None
    faults: Faults
    fault: Fault | None
    processed: bool


class Delivery:
    """Carries requests through. `requests` has the requests, in the order in which they were answered.

    A request that acts late, or whose client gave up waiting, stays in a queue. It acts, as of its time, as soon
    as anybody asks or reads after that: no task runs for it.
    """

    def __init__(self, dispatch: Dispatch, limiter: Limiter) -> None:
        self.dispatch = dispatch
        self.account: Account = dispatch.account
        self.requests_per_second: float | None = limiter.per_second
        self.requests: list[Logged] = []
        self.rate_limited: int = 0
        self.peak_concurrency: int = 0
        self._limiter = limiter
        self._under_way = 0
        self._to_come: list[tuple[float, int, Callable[[], object]]] = []
        self._turn = count()

    async def deliver(self, request: Request) -> tuple[Reply, Sending]:
        """Carry a request through; returns how its answer is sent."""
        arrival = self._arrive(request)
        half = arrival.seconds / 2
        try:
            await self._travel(arrival, half)
            with self.account.lock:
                self.act_due()
                reply = self._answer(arrival)
            slow = arrival.faults.slow_seconds if arrival.fault is Fault.SLOW else 0.0
            await anyio.sleep(half + slow)
        finally:
            with self.account.lock:
                self._under_way -= 1
        return reply, sending_of(arrival.fault)

    async def _travel(self, arrival: _Arrival, seconds: float) -> None:
        """Wait until the request arrives; if its client gives up meanwhile, it arrives all the same, by then."""
        try:
            await anyio.sleep(seconds)
        except anyio.get_cancelled_exc_class():
            with self.account.lock:
                self._put_off(arrival.time + seconds, partial(self._answer, arrival))
            raise

    def act_due(self, now: float | None = None) -> None:
        """Let every request that is late, and due by now, take effect."""
        if not self._to_come:
            return
        account = self.account
        with account.lock:
            if account.acting_at is not None:  # a callback of one that acts looks at the account
                return
            now = account.clock.now() if now is None else now
            while self._to_come and self._to_come[0][0] <= now:
                due, _, act = heapq.heappop(self._to_come)
                account.acting_at = min(due, account.clock.now())
                try:
                    act()
                finally:
                    account.acting_at = None

    def act_all(self) -> None:
        """Let every request that is late take effect now, due or not."""
        self.act_due(float("inf"))

    def pending(self) -> int:
        """How many requests have not taken effect yet."""
        return len(self._to_come)

    def _put_off(self, due: float, act: Callable[[], object]) -> None:
        heapq.heappush(self._to_come, (due, next(self._turn), act))

    def _arrive(self, request: Request) -> _Arrival:
        """Check a request against the limit, and draw its fault."""
        account, faults = self.account, self.account.behaviour.faults
        with account.lock:
            now = account.clock.now()
            self.act_due(now)
            self._under_way += 1
            self.peak_concurrency = max(self.peak_concurrency, self._under_way)
            limited, fault = self._admit(now), None
            seconds = self._draw_latency()
            if limited is None:
                endpoint = self.dispatch.endpoint_of(request)
                fault = faults.draw(endpoint.name, account.rng) if endpoint else None
            processed = limited is None and processed_at_once(fault, account.rng)
        return _Arrival(request, now, seconds, limited, faults, fault, processed)

    def _answer(self, arrival: _Arrival) -> Reply:
        """Do what a request asks for, if its fault lets it; answer and log it."""
        request, fault = arrival.request, arrival.fault
        if fault in ACTS_LATE:
            gone = self.account.now() + arrival.seconds / 2
            self._put_off(gone + arrival.faults.late_seconds, partial(self.dispatch.answer, request))
        if fault is Fault.CUT_MIDWAY:
            self.dispatch.answer_half(request)
        if arrival.limited is not None:
            reply = arrival.limited
        elif fault is Fault.TOO_MANY:
            reply = self._too_many("0")
        else:
            reply = self.dispatch.answer(request) if arrival.processed else _NO_ANSWER
        if fault is not None:
            reply = disturbed(fault, reply, self.account.rng)
        self.requests.append(logged(arrival.time, request, reply.status, fault.value if fault else None))
        return reply

    def _admit(self, now: float) -> Reply | None:
        """Check an arrival against the rate limit: None, or the 429."""
        silent = self._limiter.admit(now)
        if not silent:
            return None
        self.rate_limited += 1
        whole = str(max(1, round(silent + 0.5)))
        return self._too_many(whole if self.account.behaviour.retry_after_header else None)

    def _too_many(self, retry_after: str | None) -> Reply:
        asked_for = self.account.behaviour.retry_after
        value = retry_after if asked_for is None else asked_for
        headers = {} if value is None else {"retry-after": value}
        return Reply(429, b'{"ok":false,"message":"Too many requests."}', headers=headers)

    def _draw_latency(self) -> float:
        latency = self.account.behaviour.latency
        return self.account.rng.uniform(*latency) if isinstance(latency, tuple) else latency
