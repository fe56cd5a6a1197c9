"""A request from arrival to answer: the limit, the latency, the fault, the log. Shared by both ways in."""

from __future__ import annotations

from collections import deque

import anyio

from .dispatch import Dispatch
from .disturbance import ACTS_LATE, Sending, disturbed, processed_at_once, sending_of
from .faults import Fault
from .limiter import Limiter
from .messages import Logged, Reply, Request, logged

_NO_ANSWER = Reply(200, b"{}")


class Delivery:
    """Carries requests through. `requests` has what was asked, in the order in which it was answered.

    A request that is to act late waits in a queue, and acts as of its time as soon as anybody asks or looks
    after that: no task of its own runs for it.
    """

    def __init__(self, dispatch: Dispatch, limiter: Limiter) -> None:
        self.dispatch = dispatch
        self.account = dispatch.account
        self.requests: list[Logged] = []
        self.rate_limited = 0
        self.peak_concurrency = 0
        self._limiter = limiter
        self._under_way = 0
        self._late: deque[tuple[float, Request]] = deque()

    async def deliver(self, request: Request) -> tuple[Reply, Sending]:
        """Carry a request through, and say how its answer goes out."""
        account, faults = self.account, self.account.behaviour.faults
        with account.lock:
            arrived = account.clock.now()
            self.act_due(arrived)
            self._under_way += 1
            self.peak_concurrency = max(self.peak_concurrency, self._under_way)
            limited = self._admit(arrived)
            fault, seconds = None, self._draw_latency()
            if limited is None:
                endpoint = self.dispatch.endpoint_of(request)
                fault = faults.draw(endpoint.name, account.rng) if endpoint else None
            processed = limited is None and processed_at_once(fault, account.rng)
        try:
            await anyio.sleep(seconds / 2)
            with account.lock:
                if self._late or fault in ACTS_LATE:
                    now = account.clock.now()
                    self.act_due(now)
                    if fault in ACTS_LATE:
                        # Counted from when the connection is gone.
                        self._put_off(now + seconds / 2 + faults.late_seconds, request)
                reply = limited or self._answer(request, fault, processed)
                name = fault.value if fault else None
                self.requests.append(logged(arrived, request, reply.status, name))
            await anyio.sleep(seconds / 2 + (faults.slow_seconds if fault is Fault.SLOW else 0.0))
        finally:
            with account.lock:
                self._under_way -= 1
        return reply, sending_of(fault)

    def act_due(self, now: float | None = None) -> None:
        """Let every request that is late, and due by now, take effect."""
        if not self._late:
            return
        with self.account.lock:
            if self.account.acting_at is not None:  # asked by a callback of one that acts
                return
            now = self.account.clock.now() if now is None else now
            while self._late and self._late[0][0] <= now:
                self._act(*self._late.popleft())

    def act_all(self) -> None:
        """Let every request that is late take effect, due or not."""
        with self.account.lock:
            now = self.account.clock.now()
            while self._late:
                due, request = self._late.popleft()
                self._act(min(due, now), request)

    def pending(self) -> int:
        """How many requests are still to take effect."""
        return len(self._late)

    def _act(self, due: float, request: Request) -> None:
        self.account.acting_at = due
        try:
            self.dispatch.answer(request)
        finally:
            self.account.acting_at = None

    def _put_off(self, due: float, request: Request) -> None:
        self._late.append((due, request))
        if len(self._late) > 1 and self._late[-2][0] > due:
            self._late = deque(sorted(self._late, key=lambda late: late[0]))

    def _answer(self, request: Request, fault: Fault | None, processed: bool) -> Reply:
        if fault is Fault.CUT_MIDWAY:
            self.dispatch.answer_half(request)
        if fault is Fault.TOO_MANY:
            return self._too_many("0")
        reply = self.dispatch.answer(request) if processed else _NO_ANSWER
        return reply if fault is None else disturbed(fault, reply, self.account.rng)

    def _admit(self, now: float) -> Reply | None:
        """Hold an arrival against the rate limit: None, or the 429."""
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
