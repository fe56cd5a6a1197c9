"""What the client has read of jobs and balances: a lost answer is settled against it."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

import anyio

from .effects import likeness
from .errors import MoneyCall
from .models import Balances, Job

_MOST_JOBS = 10_000


class _Amount:
    """A number of the account that calls change: its value when no call could have been changing it."""

    def __init__(self) -> None:
        self._value: Any = None
        self._calls = 0
        self._unsure_until = float("-inf")

    def saw(self, value: Any, began: float) -> None:
        """Note what a read that began at this time showed, unless it may come from before or during a call."""
        if not self._calls and began >= self._unsure_until:
            self._value = value

    def begin(self) -> Any:
        """A call that may change it is about to be sent: its value before that."""
        before, self._value = self._value, None
        self._calls += 1
        return before

    def end(self, unsure_for: float) -> None:
        """The call has ended; for this many seconds it may still take effect, or not show yet."""
        self._calls -= 1
        self._value = None
        self._unsure_until = max(self._unsure_until, anyio.current_time() + unsure_for)


class Baseline:
    """The last known value of each job's positions and of the balance, forgotten when a call may have changed it.

    Holds the latest 10,000 jobs. Other programs on the account change things unseen; `effects` says so.
    """

    def __init__(self) -> None:
        self._positions: OrderedDict[str, _Amount] = OrderedDict()
        self._spendable = _Amount()
        self._posted: OrderedDict[str, MoneyCall | None] = OrderedDict()
        self._open_posts: dict[str, Mapping[str, Any]] = {}

    def saw_jobs(self, jobs: Iterable[Job], began: float) -> None:
        """Note jobs as they were read, by a read that began at this time of the event loop's clock."""
        for job in jobs:
            self._of(job.id).saw(job.num_tasks, began)

    def saw_balances(self, balances: Balances, began: float) -> None:
        """Note a balance as it was read, by a read that began at this time."""
        self._spendable.saw(balances.spendable, began)

    def posted(self, job_id: str | None, by: MoneyCall | None = None) -> None:
        """A job is known to be that of an acknowledged post, or of the lost one `by`: it is no other's."""
        if job_id is not None:
            self._of(job_id)
            self._posted[job_id] = by
            if len(self._posted) > _MOST_JOBS:
                self._posted.popitem(last=False)

    def posted_by_others(self, call: MoneyCall) -> frozenset[str]:
        """The jobs that are known to come from other posts than this."""
        return frozenset(job_id for job_id, by in self._posted.items() if not _is_same(by, call))

    def begin(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A call with this body is about to be sent, that moves money: what is known before it."""
        is_post, grown = "title" in body, _grown_job(body)
        # A text, so that a copy of the call, or one from another process, is still told from others.
        token = os.urandom(16).hex()
        if is_post:
            self._open_posts[token] = body
        return {
            "job_ids": frozenset(self._positions) if is_post else frozenset(),
            "num_tasks": None if grown is None else self._of(grown).begin(),
            "spendable": self._spendable.begin(),
            "token": token,
            "began": time.monotonic(),
        }

    def end(self, body: Mapping[str, Any], before: Mapping[str, Any], *, unknown: bool, unsure_for: float) -> None:
        """The call has ended. For `unsure_for` seconds it may still take effect, or reads may not show it yet."""
        self._spendable.end(unsure_for)
        grown = _grown_job(body)
        if grown is not None:
            self._of(grown).end(unsure_for)
        if not unknown:
            self._open_posts.pop(before["token"], None)

    def unnamed(self, call: MoneyCall) -> None:
        """The service accepted a post without naming the job: until `settled`, a new job may be this one's."""
        self._open_posts[call.before["token"]] = call.body

    def settled(self, call: MoneyCall) -> None:
        """It is known what became of a call whose answer was lost."""
        self._open_posts.pop(call.before.get("token", ""), None)

    def has_rival(self, call: MoneyCall) -> bool:
        """Whether another post of a similar job is in flight, or of unknown fate: a new job may be that one's."""
        like = _likeness_of(call.body)
        return any(
            token != call.before.get("token") and _likeness_of(body) == like
            for token, body in self._open_posts.items()
        )

    def _of(self, job_id: str) -> _Amount:
        amount = self._positions.setdefault(job_id, _Amount())
        self._positions.move_to_end(job_id)
        if len(self._positions) > _MOST_JOBS:
            self._positions.popitem(last=False)
        return amount


def _likeness_of(body: Mapping[str, Any]) -> tuple[object, ...]:
    return likeness(body.get("title"), body.get("category_id"), body.get("task_value"))


def _grown_job(body: Mapping[str, Any]) -> str | None:
    """The job to which a call with this body adds positions. A post may have fields of any name; it adds none."""
    job_id = body.get("job_id")
    return job_id if "positions" in body and "title" not in body and isinstance(job_id, str) else None


def _is_same(one: MoneyCall | None, other: MoneyCall) -> bool:
    """Whether both are the same call, one of them perhaps a copy."""
    return one is not None and (one.sent_at, one.before.get("token")) == (other.sent_at, other.before.get("token"))
