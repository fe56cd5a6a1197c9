"""Tasks that workers handed in, and ratings of them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Self

import attrs

from ..problems import Problem
from .account import to_money_or_none

_NOTHING = Decimal(0)

VerdictWord = Literal["ok", "not_ok", "revise"]
SatisfactionWord = Literal["excellent", "good", "ok", "incorrect", "spam", "dupe"]


class Verdict(enum.StrEnum):
    """How a task is rated."""

    OK = "ok"
    """The worker is paid."""
    NOT_OK = "not_ok"
    """The worker is refused."""
    REVISE = "revise"
    """The task is sent back; handed in again, it has a higher revision number."""


class Satisfaction(enum.StrEnum):
    """How satisfied you are: the first three go with `Verdict.OK`, the others with `Verdict.NOT_OK`."""

    EXCELLENT = "excellent"
    GOOD = "good"
    OK = "ok"
    INCORRECT = "incorrect"
    SPAM = "spam"
    DUPE = "dupe"


Satisfied = Literal["excellent", "good", "ok", Satisfaction.EXCELLENT, Satisfaction.GOOD, Satisfaction.OK]
"""The values that go with `Verdict.OK`."""

Unsatisfied = Literal["incorrect", "spam", "dupe", Satisfaction.INCORRECT, Satisfaction.SPAM, Satisfaction.DUPE]
"""The values that go with `Verdict.NOT_OK`."""


@attrs.frozen
class TaskProof:
    """One thing that a worker handed in, usually a `text`. Everything else that the service sent is in `extra`."""

    text: str | None = None
    extra: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen
class PreviousProof:
    """What was handed in before a task was sent back, and what you wrote then (SproutGigs only)."""

    employer_comment: str | None = None
    finished_at: datetime | None = None
    proofs: tuple[TaskProof, ...] = ()
    extra: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen
class RatingAck:
    """What the service said about one rating among several (SproutGigs only).

    `ok` is True if it took effect, False if it was refused with `message`, None if the answer did not say.
    """

    task_id: str
    ok: bool | None
    message: str | None = None


@attrs.frozen
class Task:
    """A task that a worker handed in. `(id, revision_number)` identifies the piece of work.

    `id`, `job_id` and `revision_number` are always as the service has them. Any other field that cannot be read
    in the form that the service sent is None (or empty), and is in `extra` under its name, as it was sent.
    `job_id` is empty only in a task that a program made without it: no rating of that is sent. Source: section
    3.9 of the API document.
    """

    id: str
    job_id: str = ""
    worker_id: str | None = None
    finished_at: datetime | None = None
    ip_address: str | None = None
    country_code: str | None = None
    revision_number: int = 0
    variables: Mapping[str, Any] | tuple[Any, ...] = attrs.field(factory=dict)
    """The values that this worker was given: empty, a mapping or a list, as the service sends them."""
    proofs: tuple[TaskProof, ...] = ()
    status: str | None = None
    """How it was rated, such as `OK`; only on rated tasks (SproutGigs)."""
    previous_proofs: tuple[PreviousProof, ...] = ()
    """What was handed in before; only on rated tasks (SproutGigs)."""
    extra: Mapping[str, Any] = attrs.field(factory=dict)
    """Fields that are in no document, and those that could not be read."""

    @property
    def verdict(self) -> Verdict | None:
        """How it was rated, from `status`; None for a task that is not rated, and for an unknown status."""
        return None if self.status is None else _VERDICTS.get(self.status.strip().lower())


_VERDICTS = {**{value.value: value for value in Verdict}, "nok": Verdict.NOT_OK}
"""By their words. The document of 2024 writes `nok` in an example whose table says `not_ok`."""

_SATISFACTIONS = {value.value: value for value in Satisfaction}


def _to_verdict(value: Verdict | VerdictWord) -> Any:
    """A verdict in any letter case; `nok` is `not_ok`. Anything else stays as it is for the rules to reject."""
    return _VERDICTS.get(value.lower(), value) if isinstance(value, str) else value


def _to_satisfaction(value: Satisfaction | SatisfactionWord | None) -> Any:
    """A satisfaction in any letter case. Anything else stays as it is for the rules to reject."""
    return _SATISFACTIONS.get(value.lower(), value) if isinstance(value, str) else value


@attrs.frozen(repr=False)
class Rating:
    """How to rate one task. Make it with `Rating.ok`, `Rating.not_ok` or `Rating.revise`.

    `bonus` is in US dollars, `list_id` is the list to add the worker to (0: none). What you leave out is not
    sent, and reads as the service's default. `revision_number` and `worker_id` are known if the rating was made
    from a `Task`, and are never sent. `worker_id` is for the journal, and ratings that differ in it alone are
    equal.

    Making a rating never raises, so that a bad value fails only its own task; `problems()` says what is wrong.
    `rate_single_task` raises for it, before sending. In a batch the outcome of its task is `FAILED`, with the
    field, the value and the limit, and the batch goes on with the others. A comment is required for `not_ok` and
    `revise`. Source: section 3.10 of the API document.
    """

    job_id: str = attrs.field()
    task_id: str = attrs.field()
    verdict: Verdict = attrs.field(converter=_to_verdict)
    satisfaction: Satisfaction | None = attrs.field(default=None, converter=_to_satisfaction)
    comment: str | None = None
    given_list_id: int | None = attrs.field(default=None, alias="list_id")
    given_block_worker: bool | None = attrs.field(default=None, alias="block_worker")
    given_bonus: Decimal | None = attrs.field(default=None, alias="bonus", converter=to_money_or_none)
    revision_number: int | None = None
    worker_id: str | None = attrs.field(default=None, eq=False)

    @property
    def list_id(self) -> int:
        """The list that the worker is added to; 0 for none."""
        return self.given_list_id or 0

    @property
    def block_worker(self) -> bool:
        """Whether the worker is blocked from your jobs."""
        return bool(self.given_block_worker)

    @property
    def bonus(self) -> Decimal:
        """What the worker gets on top of the pay, in US dollars."""
        return _NOTHING if self.given_bonus is None else self.given_bonus

    def problems(self) -> tuple[Problem, ...]:
        """What keeps this rating from being sent, each with its field, value and limit; empty for a good one.

        What only the service knows, such as whether the task still waits, is not checked. Source: section 3.10
        of the API document.
        """
        from ..rules import check_rating  # the rules are made of the models, so they cannot be loaded before

        return tuple(check_rating(self))

    @classmethod
    def ok(
        cls,
        task: Task,
        satisfaction: Satisfied | None = None,
        comment: str | None = None,
        list_id: int | None = None,
        block_worker: bool | None = None,
        bonus: Decimal | int | float | str | None = None,
    ) -> Self:
        """Pay the worker; `satisfaction` is excellent, good or ok."""
        return cls._of(task, Verdict.OK, satisfaction, comment, list_id, block_worker, bonus)

    @classmethod
    def not_ok(
        cls,
        task: Task,
        comment: str,
        satisfaction: Unsatisfied | None = None,
        list_id: int | None = None,
        block_worker: bool | None = None,
        bonus: Decimal | int | float | str | None = None,
    ) -> Self:
        """Refuse the work, saying why; `satisfaction` is incorrect, spam or dupe."""
        return cls._of(task, Verdict.NOT_OK, satisfaction, comment, list_id, block_worker, bonus)

    @classmethod
    def revise(
        cls,
        task: Task,
        comment: str,
        list_id: int | None = None,
        block_worker: bool | None = None,
        bonus: Decimal | int | float | str | None = None,
    ) -> Self:
        """Send the work back, saying what is missing."""
        return cls._of(task, Verdict.REVISE, None, comment, list_id, block_worker, bonus)

    @classmethod
    def _of(
        cls,
        task: Task,
        verdict: Verdict,
        satisfaction: Satisfied | Unsatisfied | None,
        comment: str | None,
        list_id: int | None,
        block_worker: bool | None,
        bonus: Decimal | int | float | str | None,
    ) -> Self:
        if not isinstance(task, Task):
            raise TypeError(f"a rating is made from a Task, not from {type(task).__name__}: {task!r:.80}")
        return cls(
            task.job_id,
            task.id,
            verdict,
            satisfaction,
            comment,
            list_id,
            block_worker,
            bonus,
            task.revision_number,
            task.worker_id,
        )

    def __repr__(self) -> str:
        names = ("job_id", "task_id", "verdict", "satisfaction", "comment")
        shown = {name: getattr(self, name) for name in names}
        shown |= {
            "list_id": self.given_list_id,
            "block_worker": self.given_block_worker,
            "bonus": self.given_bonus,
        }
        shown |= {"revision_number": self.revision_number, "worker_id": self.worker_id}
        text = ", ".join(
            f"{name}={value.value if isinstance(value, enum.StrEnum) else value!r}"
            for name, value in shown.items()
            if value is not None
        )
        return f"Rating({text})"
