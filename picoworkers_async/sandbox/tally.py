"""Sums of a sandbox's ledger and log: each read covers only what came since the last."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from decimal import Decimal

from ..console.plot import SECONDS
from .ledger import Entry
from .messages import Logged

LAST = 200
_TOO_MANY = 429
_DEPOSIT, _RATING = "deposit", "rating"


class Tally:
    """Sums over a ledger and a log that only grow; one that became shorter is read anew.

    `pay` and `rated` are by job. `spent` is what jobs, positions and features cost. `last` has the newest
    ratings with their number in the ledger.
    """

    requests: int
    bonus: Decimal
    spent: Decimal
    _entries: int

    def __init__(self) -> None:
        self._forget_ledger()
        self._forget_log()

    def read_ledger(self, ledger: list[Entry]) -> None:
        """Add up what is new."""
        if len(ledger) < self._entries:
            self._forget_ledger()
        for number, entry in enumerate(ledger[self._entries :], self._entries):
            if entry.kind.value == _RATING:
                job_id = entry.job_id or ""
                self.pay[job_id] += entry.amount
                self.rated[job_id] += 1
                self.bonus += entry.bonus
                self.verdicts[entry.verdict or ""] += 1
                self.last.append((number, entry))
            elif entry.kind.value != _DEPOSIT:
                self.spent += entry.amount
        self._entries = len(ledger)

    def read_log(self, log: list[Logged]) -> None:
        """Add up what is new."""
        if len(log) < self.requests:
            self._forget_log()
        for request in log[self.requests :]:
            if request.fault is not None:
                self.faults[request.fault] += 1
            second = self._seconds[int(request.time)]
            second[request.status == _TOO_MANY] += 1
        self.requests = len(log)
        if len(self._seconds) > 4 * SECONDS:
            newest = max(self._seconds)
            for second_number in [number for number in self._seconds if number < newest - 2 * SECONDS]:
                del self._seconds[second_number]

    def minute(self, now: float) -> list[tuple[int, int]]:
        """How many requests arrived in each of the last seconds, and how many of them were over the limit."""
        numbers = range(int(now) - SECONDS + 1, int(now) + 1)
        return [(passed, held) for passed, held in (self._seconds.get(number, (0, 0)) for number in numbers)]

    def _forget_ledger(self) -> None:
        self._entries = 0
        self.pay: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.rated: Counter[str] = Counter()
        self.verdicts: Counter[str] = Counter()
        self.bonus, self.spent = Decimal(0), Decimal(0)
        self.last: deque[tuple[int, Entry]] = deque(maxlen=LAST)

    def _forget_log(self) -> None:
        self.requests = 0
        self.faults: Counter[str] = Counter()
        self._seconds: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
