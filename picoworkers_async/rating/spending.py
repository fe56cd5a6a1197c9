"""Between ratings and the limits of their batch: reserves money, reads balances, and holds back."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from decimal import Decimal

from .. import codec, endpoints
from ..clock import event_loop_clock
from ..errors import AuthenticationError, CallError, LimitError
from ..events import LimitReached
from ..journal import schema
from ..journal.writer import JournalWriter
from ..models.account import CONTEXT
from ..session import Session
from .budget import Budget, Reached, Spent, cost_of
from .limits import Limits
from .options import BatchOptions
from .outcomes import BatchReport, OutcomeStatus
from .pending import PendingRating
from .prices import Prices
from .progress import Spend

BALANCE_SECONDS = 60.0
"""How often the balance is read if it matters, and while a batch waits for it to grow."""
_REQUESTS_BETWEEN = 5
_RETRY_SECONDS = 5.0
"""How soon it is read again when that failed."""
_LONGEST_WAIT_SECONDS = 600.0
PROBE_SECONDS = 3600.0
"""After this many seconds without money one more rating is tried: the balance may have grown unseen."""


class Spending:
    """Decides what may be sent now, and keeps the account.

    `limited` is whether anything has to be checked before a rating is sent. While `reached` is a limit, nothing
    is sent; `closed` says that nothing will be any more. Without `patience` a batch waits for money for ever.
    """

    def __init__(
        self,
        session: Session,
        options: BatchOptions,
        prices: Prices,
        *,
        patience: float | None,
    ) -> None:
        limits = options.limits or Limits()
        self._session = session
        # A dry run waits for no day and for no money: it says which limit it would have reached.
        waits = options.on_limit == "wait"
        self._limits, self._on_limit = limits, "stop" if waits and options.dry_run else options.on_limit
        self._patience = patience
        self.limited: bool = options.limits is not None or options.dry_run
        self.needs_pay: bool = options.dry_run or limits.pay_per_day is not None or limits.total is not None
        self._limits_pay = limits.pay_per_day is not None or limits.total is not None
        self.prices = prices
        self._clock = event_loop_clock()
        self._spent = Spent()
        self.budget: Budget = Budget(limits, time.time(), lag=session.settle_after)
        self.reached: Reached | None = None
        self.closed: bool = False
        self._until = math.inf
        self._balance_at = math.inf if limits.keep_balance is None else -math.inf
        self._balance_read = -math.inf
        # Where requests are few, some ratings must be sent between two readings.
        rate = session.throttle.requests_per_second
        self._balance_seconds = max(BALANCE_SECONDS, _REQUESTS_BETWEEN / rate if rate else 0.0)
        self._poorest: Decimal | None = None
        self._give_up_at = math.inf
        self._told: Reached | None = None
        self._under_way = 0
        self._tentative = False

    async def remember(self, journal: JournalWriter) -> None:
        """What earlier runs spent, today and in all, by their journal."""
        if self._limits_pay:
            await self.prices.find_earlier(
                journal, None if self._limits.total is not None else self.budget.day_began
            )
        if self.limited:
            self.budget.today = _spent(await journal.spent(self.budget.day_began))
            self.budget.in_all = _spent(await journal.spent(None))
            now = time.time()
            if self._limits.keep_balance is not None:
                lately = await journal.spent(now - self._session.settle_after)
                self.budget.spent_lately(lately.bonus, now)

    def take_over(self, pending: PendingRating, sent_at: float) -> None:
        """A rating that an earlier run sent, and that is not settled yet: its money stays reserved."""
        if self.limited:
            cost = cost_of(pending.rating, pending.pay)
            pending.reservation = self.budget.take_over(cost, sent_at, time.time())
            self._under_way += 1

    def spend(self, report: BatchReport) -> Spend:
        """What this run has spent; without limits, by its outcomes."""
        spent, limit = self._spent, None if self.reached is None else self.reached.text
        if not self.limited:
            return Spend(report.newly_rated, None, report.bonus, limit)
        pay = CONTEXT.subtract(spent.pay, spent.bonus) if self.needs_pay else None
        return Spend(spent.ratings, pay, spent.bonus, limit)

    def held_by(self) -> tuple[str | None, float | None]:
        """The limit that is waited for, and for how many more seconds; None if there is none, or not known."""
        reached = self.reached
        if reached is None or self.closed:
            return None, None
        return reached.limit, None if reached.until is None else max(0.0, reached.until - time.time())

    def holds(self, now: float) -> bool:
        """Whether nothing may be sent now."""
        if self.reached is not None and now >= self._give_up_at:
            self.closed = True
        if self.reached is not None and now >= self._until and not self.closed:
            # Tried again, with what is left of the patience.
            self.reached, self._tentative, self._until = None, False, math.inf
        return self.reached is not None or self._balance_wanted(now)

    def _balance_wanted(self, now: float) -> bool:
        """Whether too little is known of the balance that something has to be left of: others spend of it, too."""
        return self._limits.keep_balance is not None and now - self._balance_read >= self._balance_seconds

    def balance_due(self, now: float) -> bool:
        """Whether the balance should be read now."""
        return self._balance_at <= now and not self.closed

    def next_change(self, *, waiting: bool) -> float:
        """When time alone changes what may be done; infinity if never. Whether ratings are `waiting` matters."""
        if self.closed or not (self.reached is not None or (waiting and self._balance_wanted(self._clock()))):
            # The balance is read again when it stands in the way, not before.
            return math.inf
        return min(self._until, self._balance_at, self._give_up_at)

    async def weigh(self, pending: PendingRating) -> LimitError | None:
        """Find out what a rating costs; returns why it can never be sent, if so. Raises what reading raises."""
        if self.needs_pay and not await self.prices.find(pending) and self._limits_pay:
            # Left, or stopped, while the price was asked for: it is not sent without.
            return None
        if self._limits_pay and pending.pay is None:
            return LimitError("limits", f"what job {pending.rating.job_id} pays for a task is not known")
        never = self.budget.never(cost_of(pending.rating, pending.pay))
        return None if never is None else LimitError(*never)

    def admit(self, pendings: Sequence[PendingRating]) -> tuple[list[PendingRating], list[PendingRating]]:
        """Reserve for those that may be sent, in order; the others exceed a limit, which `reached` names.

        With `on_limit="leave"` a limit does not hold back what fits under it.
        """
        admitted: list[PendingRating] = []
        over: list[PendingRating] = []
        reached = None
        now = time.time()
        for pending in pendings:
            cost = cost_of(pending.rating, pending.pay)
            if self._limits_pay and pending.pay is None:
                over.append(pending)
                continue
            found = self.budget.reached(cost, now) if reached is None or self._on_limit == "leave" else reached
            if found is None:
                pending.reservation = self.budget.reserve(cost, now)
                self._spent = self._spent.plus(cost)
                self._under_way += 1
                admitted.append(pending)
            else:
                reached = reached or found
                over.append(pending)
        if reached is not None:
            self._hold(reached)
        return admitted, over

    def still_pays(self, pendings: Sequence[PendingRating]) -> bool:
        """Whether what was reserved for these counts for today, as it must if they leave now."""
        now = time.time()
        reserved = (pending.reservation for pending in pendings)
        return all(one is None or self.budget.is_of_today(one, now) for one in reserved)

    def leaves(self, pending: PendingRating) -> Reached | None:
        """The limit that a rating exceeds, and for which it is left alone; None if it is put back."""
        if self._on_limit != "leave" or self.reached is not None or self._balance_wanted(self._clock()):
            return None
        return self.budget.reached(cost_of(pending.rating, pending.pay), time.time())

    def ended(self, pending: PendingRating, status: OutcomeStatus) -> None:
        """A rating has ended: what had no effect is given back, what is unknown stays reserved."""
        if status in (OutcomeStatus.REFUSED, OutcomeStatus.FAILED):
            self.give_back(pending)
        elif pending.reservation is not None:
            if status is not OutcomeStatus.WOULD_RATE:
                # What is unknown stays spent, but the next balance shows whether it is gone.
                self.budget.spend(pending.reservation, time.time())
            pending.reservation = None
            self._settled()

    def give_back(self, pending: PendingRating) -> None:
        """A rating certainly had no effect, so far."""
        if pending.reservation is not None:
            self.budget.give_back(pending.reservation)
            if not pending.reservation.earlier:
                self._spent = self._spent.minus(pending.reservation.cost)
            pending.reservation = None
            self._settled()

    def _settled(self) -> None:
        """What is in flight may yet be given back: only when nothing is any more, a limit is reached for good."""
        self._under_way -= 1
        if self._tentative:
            self._go_on()

    def ran_out(self, message: str) -> None:
        """The service refused for want of money: nothing is sent until the balance has grown."""
        if self.reached is None:
            self._tell("balance", None)
        now = self._clock()
        self.reached = Reached("balance", f"the service refused because the balance is too low: {message}", None)
        self._poorest, self._tentative = None, False
        self._balance_at, self._until = now, now + PROBE_SECONDS
        if self._patience is not None and self._on_limit != "wait":
            self._give_up_at = min(self._give_up_at, now + self._patience)

    async def read_balance(self, session: Session) -> CallError | None:
        """Read the balance, and find out whether that lifts a limit; returns why it could not be read, if so.

        Raises only `AuthenticationError`.
        """
        began, wall = self._clock(), time.time()
        self._balance_at = began + self._balance_seconds
        try:
            balances = await session.call(endpoints.GET_BALANCES, codec.read_balances)
        except AuthenticationError:
            raise
        except CallError as error:
            failure: CallError | None = error
            self._balance_at = began + _RETRY_SECONDS
            if self.reached is None:
                self.reached = Reached("keep_balance", "the balance could not be read", None)
            if self._patience is not None and self._give_up_at == math.inf:
                self._give_up_at = began + self._patience
        else:
            failure = None
            # It waited for its turn, maybe for long: it is as fresh as its answer.
            self._balance_read = self._clock()
            self._balance_at = self._balance_read + self._balance_seconds
            self._saw(balances.spendable, wall)
        if self.reached is not None and self._clock() >= self._give_up_at:
            self.closed = True
        if self._limits.keep_balance is None and self.reached is None:
            self._balance_at = math.inf
        return failure

    def _saw(self, spendable: Decimal, wall: float) -> None:
        self.budget.saw_balance(spendable, wall)
        if self.reached is None:
            return
        if self.reached.limit == "keep_balance":
            self._go_on()
        elif self.reached.limit == "balance":
            if self._poorest is not None and spendable > self._poorest:
                self._go_on()
            elif self._poorest is None or spendable < self._poorest:
                self._poorest = spendable

    def _tell(self, limit: str, allowed: Decimal | int | None) -> None:
        event = LimitReached(limit=limit, on_limit=self._on_limit, allowed=allowed)
        self._session.observers.tell(event)

    def _go_on(self) -> None:
        self.reached, self._tentative = None, False
        self._until = self._give_up_at = math.inf

    def _hold(self, reached: Reached) -> None:
        """Send nothing while a limit is reached, unless what to do at it says otherwise."""
        now = self._clock()
        if reached.limit == "keep_balance" and (
            self.budget.unsure or now - self._balance_read >= self._balance_seconds
        ):
            # What is known of the balance is old, or may lack what took effect lately: look first.
            self.reached = reached
            self._balance_at = now + (self._session.settle_after if self.budget.unsure else 0.0)
            return
        if self._on_limit == "leave":
            return
        self.reached = reached
        if self._under_way:
            self._tentative = True
            return
        if reached != self._told:
            self._tell(reached.limit, getattr(self._limits, reached.limit))
            self._told = reached
        if self._on_limit == "stop" or (reached.until is None and reached.limit != "keep_balance"):
            self.closed = True
        elif reached.until is not None:
            # Looked at again now and then: the clock of the loop may stand still while a machine sleeps.
            self._until = now + min(max(0.0, reached.until - time.time()), _LONGEST_WAIT_SECONDS)
        else:
            self._balance_at = now + self._balance_seconds


def _spent(noted: schema.Spent) -> Spent:
    return Spent(noted.count, noted.bonus, CONTEXT.add(noted.bonus, noted.pay))
