"""A served sandbox's board: the account, what happens to it, and actions of workers and staff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

import attrs

from ..console.board import MOST_PAGES, Column, Control, RefusedError, Row, Rows, Snapshot, Table
from ..console.html import element
from ..console.plot import Plot
from ..console.words import proofs, shown
from ..errors import InvalidRequestError
from ..models.dollars import in_dollars
from . import seeding
from .delivery import Delivery
from .faults import Fault
from .store import JobRow
from .tally import LAST, Tally
from .what_goes_wrong import WHAT_GOES_WRONG

_DO = "/_console/do/"
_MOST_JOBS = 50
_PAGE = 20
_MOST_AT_ONCE = 1000
_SHORT = 120
_USUAL = "0.05"

_APPROVE = Control(f"{_DO}approve", (element("button", "Approve"),), ("job_id",), "waits_for_approval")
_SUBMIT = Control(
    f"{_DO}submit",
    (
        element("input", type="number", name="count", value="10", min="1", max=str(_MOST_AT_ONCE),
                required=True, aria_label="How many tasks"),
        element("button", "Submit tasks"),
    ),
    ("job_id",),
)  # fmt: skip
_SWITCH_ON = Control(
    f"{_DO}fault",
    (
        element("input", type="number", name="chance", value=_USUAL, min="0", max="1", step="any",
                required=True, aria_label="How likely, from 0 to 1"),
        element("button", "Switch on"),
    ),
    ("fault",),
)  # fmt: skip
_SWITCH_OFF = Control(
    f"{_DO}fault",
    (element("input", type="hidden", name="chance", value="0"), element("button", "Switch off")),
    ("fault",),
    "is_on",
)
_JOBS = Table(
    "jobs",
    "Jobs",
    (
        Column("job", "Job", "id"),
        Column("title", "Title", "words"),
        Column("status", "Status", "state"),
        Column("positions", "Positions", "number"),
        Column("waiting", "Waiting", "number"),
        Column("rated", "Rated", "number"),
        Column("paid", "Paid", "number"),
    ),
    "There is no job yet.",
    (_APPROVE, _SUBMIT),
)
_TASKS = Table(
    "tasks",
    "Tasks waiting to be rated",
    (
        Column("task_id", "Task", "id"),
        Column("job_id", "Job", "id"),
        Column("worker", "Worker", "words"),
        Column("handed_in", "Handed in", "time"),
        Column("proofs", "Proofs", "words"),
    ),
    "No task waits on this page.",
)
_RATINGS = Table(
    "ratings",
    "Ratings as they land",
    (
        Column("number", "No.", "number"),
        Column("task_id", "Task", "id"),
        Column("job_id", "Job", "id"),
        Column("verdict", "Verdict", "state"),
        Column("paid", "Paid", "number"),
        Column("bonus", "Bonus", "number"),
        Column("comment", "Comment", "words"),
    ),
    "Nothing has been rated yet.",
    scrolls=True,
)
_FAULTS = Table(
    "faults",
    "Faults",
    (
        Column("label", "Fault"),
        Column("chance", "How likely", "number"),
        Column("met", "Met", "number"),
        Column("what", "What goes wrong"),
    ),
    "",
    (_SWITCH_ON, _SWITCH_OFF),
)


class SandboxBoard:
    """The board of a sandbox that is served, read through what serves it."""

    plot_title = "Requests a second"
    plot_note = "The dashed line is the limit; what is above the blue was answered 429."
    tables: Sequence[Table] = (_JOBS, _RATINGS, _TASKS, _FAULTS)
    pages_of = "tasks"
    numbers: Sequence[tuple[str, str]] = (
        ("waiting", "Tasks waiting"),
        ("ok", "Rated ok"),
        ("not_ok", "Rated not ok"),
        ("revise", "Sent back"),
        ("repeats", "Rated twice"),
        ("paid", "Paid for tasks"),
        ("bonus", "Bonuses"),
        ("spent", "Spent on jobs"),
        ("balance", "Balance"),
        ("requests", "Requests"),
        ("limit", "Limit a second"),
        ("limited", "Answered 429"),
        ("faults", "Faults met"),
    )

    def __init__(self, delivery: Delivery) -> None:
        self.title: str = f"Sandbox of {delivery.account.edition.name}"
        self._delivery = delivery
        self._tally = Tally()

    async def snapshot(self, page: int) -> Snapshot:
        """Everything now, with this page of the tasks."""
        delivery, tally = self._delivery, self._tally
        account = delivery.account
        with account.lock:
            delivery.act_due()
            tally.read_ledger(account.ledger)
            tally.read_log(delivery.requests)
            plot = Plot(tally.minute(account.clock.now()), delivery.requests_per_second)
            tables = {
                "jobs": self._jobs(),
                "tasks": self._tasks(page),
                "ratings": self._ratings(),
                "faults": self._faults(),
            }
            return Snapshot(self._numbers(), tables, plot)

    def act(self, action: str, fields: Mapping[str, str]) -> str:
        """Submit tasks, approve a job, or switch a fault."""
        actions = {"submit": self._submit, "approve": self._approve, "fault": self._switch}
        if action not in actions:
            raise RefusedError("There is no such action.")
        try:
            return actions[action](fields)
        except InvalidRequestError as error:
            raise RefusedError(shown(str(error))) from None

    def _submit(self, fields: Mapping[str, str]) -> str:
        job_id, count = fields.get("job_id", ""), fields.get("count", "")
        if not (count.isascii() and count.isdigit() and len(count) < 9 and 1 <= int(count) <= _MOST_AT_ONCE):
            raise RefusedError(f"How many tasks: a whole number from 1 to {_MOST_AT_ONCE}.")
        seeding.add_tasks(self._delivery.account, job_id, int(count), {}, None)
        return f"Tasks handed in to the job {shown(job_id, _SHORT)}: {int(count)}."

    def _approve(self, fields: Mapping[str, str]) -> str:
        job_id = fields.get("job_id", "")
        seeding.approve(self._delivery.account, job_id)
        return f"The job {shown(job_id, _SHORT)} runs now."

    def _switch(self, fields: Mapping[str, str]) -> str:
        name = fields.get("fault", "")
        if name not in {fault.value for fault in Fault}:
            raise RefusedError("There is no such fault.")
        account = self._delivery.account
        with account.lock:
            try:
                chance: dict[str, Any] = {name: float(fields.get("chance", ""))}
                faults = attrs.evolve(account.behaviour.faults, **chance)
            except ValueError as error:
                raise RefusedError(shown(str(error))) from None
            account.behaviour.faults = faults
        return f"The fault {name.replace('_', ' ')} is {'on' if getattr(faults, name) else 'off'}."

    def _numbers(self) -> dict[str, str]:
        delivery, tally = self._delivery, self._tally
        account, limit = delivery.account, delivery.requests_per_second
        return {
            "waiting": f"{len(account.store.unrated):,}",
            "ok": f"{tally.verdicts['ok']:,}",
            "not_ok": f"{tally.verdicts['not_ok']:,}",
            "revise": f"{tally.verdicts['revise']:,}",
            "repeats": f"{account.double_ratings:,}",
            "paid": in_dollars(sum(tally.pay.values(), Decimal(0))),
            "bonus": in_dollars(tally.bonus),
            "spent": in_dollars(tally.spent),
            "balance": in_dollars(account.store.balance),
            "requests": f"{tally.requests:,}",
            "limit": "none" if limit is None else f"{limit:g}",
            "limited": f"{delivery.rate_limited:,}",
            "faults": f"{tally.faults.total():,}",
        }

    def _jobs(self) -> Rows:
        jobs = self._delivery.account.store.jobs
        newest = [self._job(job) for job in islice(reversed(jobs.values()), _MOST_JOBS)]
        more = len(jobs) - len(newest)
        return Rows(newest, f"{more:,} older jobs are not shown." if more else "")

    def _job(self, job: JobRow) -> Row:
        tally, store = self._tally, self._delivery.account.store
        return {
            "key": job.id,
            "job_id": job.id,
            "job": shown(job.id, _SHORT),
            "title": shown(job.fields.get("title", ""), _SHORT),
            "status": shown(job.status.replace("_", " "), _SHORT),
            "positions": f"{job.tasks_done:,} of {job.num_tasks:,}",
            "waiting": f"{len(store.unrated_of(job.id)):,}",
            "rated": f"{tally.rated[job.id]:,}",
            "paid": in_dollars(tally.pay[job.id]),
            "waits_for_approval": "yes" if job.status in seeding.WAITING else "",
        }

    def _tasks(self, page: int) -> Rows:
        unrated = self._delivery.account.store.unrated
        first = (page - 1) * _PAGE
        rows = [
            {
                "key": task.id,
                "task_id": task.id,
                "job_id": shown(task.job.id),
                "worker": shown(task.fields.get("worker_id", ""), _SHORT),
                "handed_in": shown(task.fields.get("finished_at", ""), _SHORT),
                "proofs": proofs(task.proofs()),
            }
            for task in islice(unrated.values(), first, first + _PAGE)
        ]
        note = f"{first + 1:,} to {first + len(rows):,} of {len(unrated):,}." if rows else ""
        return Rows(rows, note, has_next=page < MOST_PAGES and len(unrated) > first + _PAGE)

    def _ratings(self) -> Rows:
        rows = [
            {
                "key": str(number),
                "number": f"{number + 1:,}",
                "task_id": entry.task_id or "",
                "job_id": shown(entry.job_id or ""),
                "verdict": (entry.verdict or "").replace("_", " "),
                "paid": in_dollars(entry.amount),
                "bonus": in_dollars(entry.bonus) if entry.bonus else "",
                "comment": shown(entry.comment or "", _SHORT),
            }
            for number, entry in reversed(self._tally.last)
        ]
        return Rows(rows, f"The last {LAST} at most." if rows else "")

    def _faults(self) -> Rows:
        faults = self._delivery.account.behaviour.faults
        rows = []
        for fault in Fault:
            chance = getattr(faults, fault.value)
            rows.append(
                {
                    "key": fault.value,
                    "fault": fault.value,
                    "label": fault.value.replace("_", " "),
                    "what": WHAT_GOES_WRONG[fault],
                    "chance": f"{chance:.4g}" if chance else "off",
                    "is_on": "yes" if chance else "",
                    "met": f"{self._tally.faults[fault.value]:,}",
                }
            )
        only = faults.only
        return Rows(rows, "" if only is None else f"They are for {', '.join(sorted(only))} only.")
