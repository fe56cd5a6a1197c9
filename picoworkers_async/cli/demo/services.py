"""The two services of the demo, clients of them, and their ledgers."""

from __future__ import annotations

from collections.abc import Callable, Collection
from decimal import Decimal
from pathlib import Path

import attrs

from ... import AsyncPicoworkers, Edition, Limits, SqlitePacer, Throttle
from ...events import Event
from ...sandbox import Kind, Sandbox, TextProof
from .rule import PROOFS

# With a limit on the pay the library learns what each task pays, and counts that beside the bonuses.
LIMITS = Limits(pay_per_day=5000)
TASK_VALUE = "0.10"
_BALANCE = 10_000


@attrs.frozen
class Served:
    """A sandbox, and where it is served."""

    sandbox: Sandbox
    url: str

    @property
    def console(self) -> str:
        """The address of its page."""
        return self.url.removesuffix("api/")


@attrs.frozen
class Money:
    """Ratings, and what they paid in US dollars."""

    rated: int
    pay: Decimal
    bonus: Decimal


@attrs.frozen
class Part:
    """What a part of the demo reported, and what its service's ledger has."""

    name: str
    told: Money
    booked: Money


def service(edition: Edition, pace: float) -> Sandbox:
    """One without tasks that accepts this many requests a second, and silences for a second whoever sends more."""
    return Sandbox(
        edition=edition, page_size=100, latency=0.01, requests_per_second=pace, cooldown=1.0, balance=_BALANCE
    )


def client(
    edition: Edition | str,
    url: str,
    *,
    pace_file: Path,
    pace: float,
    settle_after: float,
    on_event: Callable[[Event], object],
) -> AsyncPicoworkers:
    """A client at this pace, which it shares with all others of the account through a file."""
    throttle = Throttle(requests_per_second=pace, cooldown=1.0, pacer=SqlitePacer(pace_file))
    return AsyncPicoworkers(
        "user_id",
        "api_secret",
        edition=edition,
        base_url=url,
        throttle=throttle,
        settle_after=settle_after,
        on_event=on_event,
    )


def add_tasks(sandbox: Sandbox, titles: Collection[str], tasks: int) -> list[str]:
    """Jobs of these titles with this many tasks in all, each of another worker; returns the jobs' ids."""
    jobs = [sandbox.add_job(title=title, task_value=TASK_VALUE, num_tasks=tasks) for title in titles]
    for number in range(tasks):
        proof = TextProof(PROOFS[number % len(PROOFS)])
        sandbox.add_tasks(jobs[number % len(jobs)], worker_id=f"worker{number:05d}", proofs=[proof])
    return jobs


def booked(sandbox: Sandbox, jobs: Collection[str]) -> Money:
    """What the ledger has of these jobs."""
    entries = [entry for entry in sandbox.ledger if entry.kind is Kind.RATING and entry.job_id in jobs]
    pay = sum((entry.amount for entry in entries), Decimal(0))
    return Money(len(entries), pay, sum((entry.bonus for entry in entries), Decimal(0)))
