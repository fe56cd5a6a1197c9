"""The sandbox's account: everything that requests, workers and time change, and the effects of a rating."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from ..editions import Edition
from .behaviour import Behaviour
from .clock import Clock
from .ledger import Entry, Kind
from .replica import Replica
from .store import JobRow, Store, TaskRow

T = TypeVar("T")

_NOTHING: Mapping[str, object] = {}

_WORKERS = tuple(f"abcd{number}" for number in range(1234, 1244))
"""They take turns in handing in tasks."""


class Account:
    """The state of one account. `store` is the current state; `shown()` is what a read sees.

    Hold `lock` to use it outside the thread that made it.
    """

    def __init__(self, edition: Edition, behaviour: Behaviour, *, balance: Decimal, seed: int) -> None:
        self.edition = edition
        self.behaviour = behaviour
        self.seed = seed
        self.store: Store = Store(balance)
        self.ledger: list[Entry] = []
        self.submitted: list[tuple[str, str]] = []
        self.status_changes: list[tuple[str, dict[str, str]]] = []
        self._statuses: dict[str, str] = {}
        self.blocked_workers: set[str] = set()
        self.refused: dict[str, str] = {}
        self.double_ratings = 0
        self.after_rating: list[Callable[[], object]] = []
        self.rng: random.Random = random.Random(seed)  # noqa: S311
        self.lock: threading.RLock = threading.RLock()
        self.clock: Clock = Clock()
        self.acting_at: float | None = None
        self._replica: Replica | None = None
        self._made = 0
        self.lag_reads(behaviour.read_lag)

    def now(self) -> float:
        """The time from which a change counts: when it was due, if it acts late."""
        return self.clock.now() if self.acting_at is None else self.acting_at

    def lag_reads(self, seconds: float) -> None:
        """Have reads show the state of this many seconds ago, but nothing from before the lag began."""
        self.behaviour.read_lag = seconds
        if not seconds:
            self._replica = None
        elif self._replica is None:
            self._replica = Replica(self.store)

    def shown(self) -> Store:
        """The account as a read sees it: the current state, or that of `read_lag` seconds ago."""
        if self._replica is None:
            return self.store
        share = self.behaviour.lag_share
        if share < 1 and self.rng.random() >= share:
            return self.store
        return self._replica.as_of(self.now() - self.behaviour.read_lag)

    def add_job(self, fields: Mapping[str, Any], extra: Mapping[str, object] = _NOTHING) -> str:
        """Add a job with these fields of get-job; returns its id. `extra` is listed with them, as it is."""
        rest = {"created_at": timestamp(), **fields}
        job_id = str(rest.pop("id", None) or self._make_id(12))
        job = JobRow(
            id=job_id,
            status=str(rest.pop("status", "running")),
            num_tasks=rest.pop("num_tasks", 100),
            task_value=Decimal(str(rest.pop("task_value", "0.10"))),
            fields=rest,
            extra=extra,
        )
        self.put_job(job)
        return job_id

    def add_tasks(
        self, job_id: str, rows: Iterable[Mapping[str, Any]], extra: Mapping[str, object] = _NOTHING
    ) -> list[str]:
        """Have workers hand in tasks of the job with these fields; returns their ids."""
        job = self.store.jobs[job_id]
        ids = []
        for row in rows:
            worker_id = _WORKERS[len(self.submitted) % len(_WORKERS)]
            given = {"finished_at": timestamp(), "worker_id": worker_id, **row}
            task = TaskRow(self._make_id(14), job, given, extra=extra)
            self._apply(Store.put_task, task)
            self.submitted.append((job_id, task.id))
            ids.append(task.id)
        job.tasks_done += len(ids)
        self.put_job(job)
        return ids

    def resubmit(self, task_id: str, fields: Mapping[str, Any], extra: Mapping[str, object] = _NOTHING) -> None:
        """Hand in again a task that was sent back; what was handed in before is kept."""
        task = self.store.tasks[task_id]
        written = datetime.fromisoformat(task.fields["finished_at"]).strftime("%Y-%m-%d %H:%M:%S")
        before = {"employer_comment": task.comment, "finished_at": written, "proofs": task.proofs()}
        task.previous = [*task.previous, before]
        task.fields = {**task.fields, "finished_at": timestamp(), **fields}
        task.extra = {**task.extra, **extra}
        task.revision += 1
        task.verdict = task.comment = None
        self._apply(Store.put_task, task)
        self.submitted.append((task.job.id, task.id))

    def withdraw(self, task_id: str) -> None:
        """Remove a task, as if somebody else had settled it."""
        self._apply(Store.remove_task, self.store.tasks[task_id])

    def put_job(self, job: JobRow) -> None:
        """Publish changes of a job. A status that it came into can be posted back."""
        if self._statuses.get(job.id, job.status) != job.status:
            self.status_changes.append((job.id, {"status": job.status, "date": timestamp()}))
        self._statuses[job.id] = job.status
        self._apply(Store.put_job, job)

    def set_balance(self, balance: Decimal) -> None:
        """What can be spent, in US dollars."""
        self._apply(Store.set_balance, balance)

    def rate(self, task: TaskRow, rating: Mapping[str, Any]) -> None:
        """Let a rating take effect: the worker is paid, or not, and the ledger records it."""
        verdict, bonus = rating["task_rating"], Decimal(rating.get("task_bonus", 0))
        task.verdict, task.comment = verdict, rating.get("task_comment")
        self._apply(Store.put_task, task)
        if bonus:
            self.set_balance(self.store.balance - bonus)
        self.ledger.append(
            Entry(
                Kind.RATING,
                task.job.id,
                task.id,
                task.revision,
                verdict,
                task.job.task_value if verdict == "ok" else Decimal(0),
                bonus,
                rating.get("task_comment"),
            )
        )
        for callback in self.after_rating:
            callback()

    def pay(self, entry: Entry) -> None:
        """Take the cost of an entry from the balance, and record it."""
        self.set_balance(self.store.balance - entry.amount)
        self.ledger.append(entry)

    def paid(self) -> Decimal:
        """What workers were paid for their tasks, bonuses not included, in US dollars."""
        with self.lock:
            return sum((entry.amount for entry in self.ledger if entry.kind is Kind.RATING), Decimal(0))

    def bonus_paid(self) -> Decimal:
        """What workers got as bonuses, in US dollars."""
        with self.lock:
            return sum((entry.bonus for entry in self.ledger), Decimal(0))

    def decisions(self) -> dict[tuple[str, int], tuple[str, Decimal]]:
        """The verdict and bonus that took effect, by task id and revision; for repeats, the last."""
        with self.lock:
            return {
                (entry.task_id, entry.revision or 0): (entry.verdict or "", entry.bonus)
                for entry in self.ledger
                if entry.kind is Kind.RATING and entry.task_id is not None
            }

    def _apply(self, change: Callable[[Store, T], object], value: T) -> None:
        """Change the store, and after the lag what lagging reads see of it."""
        change(self.store, value)
        if self._replica is not None:
            self._replica.note(self.now(), change, value)

    def _make_id(self, length: int) -> str:
        """An id as the service makes them: hexadecimal, and never the same twice."""
        self._made += 1
        return f"{self._made:0{length - 4}x}{self.rng.randrange(16**4):04x}"


def timestamp() -> str:
    """The current time, in the service's format."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
