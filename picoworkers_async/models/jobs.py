"""Jobs as the service lists them, and the closed lists of values that they use."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, Literal, TypeVar

import attrs

from ..errors import InvalidRequestError
from ..problems import Problem, ProblemCode
from .tasks import Task

T = TypeVar("T")

StatusFilter = Literal[
    "running",
    "finished",
    "pending_review",
    "pending_restart",
    "paused",
    "paused_system",
    "paused_admin",
    "blocked",
    "declined",
]
"""The statuses that filter the listing of jobs."""

JobStatusWord = Literal[StatusFilter, "pending_approval"]

WorkersLevelWord = Literal["starter", "expert", "advanced"]
AutorateWord = Literal["NO", "V", "V+R"]
ProofTypeWord = Literal["text", "screenshot", "url"]
ChallengeActionWord = Literal["rate_nok", "rate_nok_block"]


class JobStatus(enum.StrEnum):
    """A job's status. All but `PENDING_APPROVAL`, which has only been seen in answers, filter `get_jobs`."""

    RUNNING = "running"
    FINISHED = "finished"
    PENDING_REVIEW = "pending_review"
    PENDING_RESTART = "pending_restart"
    PAUSED = "paused"
    PAUSED_SYSTEM = "paused_system"
    PAUSED_ADMIN = "paused_admin"
    BLOCKED = "blocked"
    DECLINED = "declined"
    PENDING_APPROVAL = "pending_approval"


class WorkersLevel(enum.StrEnum):
    """The lowest level of worker that a job accepts."""

    STARTER = "starter"
    EXPERT = "expert"
    ADVANCED = "advanced"


class Autorate(enum.StrEnum):
    """What the service does by itself with a submitted PCODE."""

    NO = "NO"
    VERIFY = "V"
    VERIFY_AND_RATE = "V+R"


class ProofType(enum.StrEnum):
    """The type of what a worker hands in."""

    TEXT = "text"
    SCREENSHOT = "screenshot"
    URL = "url"
    """SproutGigs: only seen in use, in no document."""


class ChallengeAction(enum.StrEnum):
    """What happens to a worker who answers a challenge wrongly."""

    RATE_NOK = "rate_nok"
    RATE_NOK_BLOCK = "rate_nok_block"


@attrs.frozen
class Page(Generic[T]):
    """One page of a listing: its number, how many pages there are, and its items in order.

    An empty listing has 0 or 1 pages. `is_whole` is False if the answer does not itself say all that it must:
    its items are null, or the number of pages is missing, null, below 1 or not a number. Such a page proves
    nothing about what is not on it. `is_whole` does not consider whether `current_page` is the page that was
    asked for. Source: sections 3.8 and 3.9 of the API document.
    """

    current_page: int
    pages: int
    items: tuple[T, ...]
    is_whole: bool = True


def _proof_type(word: ProofType | ProofTypeWord) -> ProofType | str:
    return word


@attrs.frozen
class Proof:
    """Something that a worker must hand in to show that the task is done.

    `type` is a plain text if the service sends one that this library does not know.
    """

    description: str
    type: ProofType | str = attrs.field(converter=_proof_type)
    extra: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen
class Challenge:
    """A question shown to workers, and its correct answer."""

    question: str
    answer: str
    extra: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen
class PredictedPosition:
    """SproutGigs only: the position of a job featured for some amount, among all jobs and in its category.

    Positions count from 1.
    """

    position_in_all: int
    position_in_category: int
    extra: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen
class Job:
    """A job of yours. What the service leaves out is None.

    A field that cannot be read in the form that the service sent is None (or empty), and is in `extra` under its
    name, as it was sent. Source: sections 3.8 and 3.13 of the API document.
    """

    id: str
    id_user: str | None = None
    zone_id: str | None = None
    excluded_countries: tuple[str, ...] = ()
    list_id: int | None = None
    category_id: str | None = None
    created_at: datetime | None = None
    status: JobStatus | str | None = None
    task_value: Decimal | None = None
    """Pay for one task in US dollars."""
    tasks_done: int | None = None
    num_tasks: int | None = None
    """How many positions the job has in total."""
    unrated_tasks: int | None = None
    """How many tasks wait to be rated."""
    workers_max_tasks: int | None = None
    workers_level: WorkersLevel | str | None = None
    speed: int | None = None
    ttr: int | None = None
    """Days until a task is rated as satisfied by itself."""
    autorate: Autorate | str | None = None
    pause_after_approval: bool | None = None
    hold_time: int | None = None
    """Minutes that a worker may hold a position."""
    title: str | None = None
    instructions: tuple[str, ...] = ()
    notes: str | None = None
    proofs: tuple[Proof, ...] = ()
    challenge_action: ChallengeAction | str | None = None
    challenges: tuple[Challenge, ...] = ()
    start_time: str | None = None
    """UTC, `HH:mm` (SproutGigs)."""
    end_time: str | None = None
    """UTC, `HH:mm` (SproutGigs)."""
    distribution: int | None = None
    """Greatest share of tasks from one country, in percent (SproutGigs)."""
    extra: Mapping[str, Any] = attrs.field(factory=dict)
    """Fields that are in no document, and those that could not be read."""

    def rate_by(self, task: Task) -> datetime:
        """When a task of this job is rated as satisfied, and paid, by itself: its `ttr` after it was handed in.

        Raises `InvalidRequestError` for a task of another job, one without `finished_at`, and a job without
        `ttr`. Source: `ttr` in section 3.4 of the API document.
        """
        problems = []
        if task.job_id and task.job_id != self.id:
            problems.append(Problem("task", task.job_id, f"a task of this job, {self.id}", ProblemCode.CONFLICT))
        if task.finished_at is None:
            limit = "a task that says when it was handed in"
            problems.append(Problem(("task", "finished_at"), None, limit, ProblemCode.REQUIRED))
        if self.ttr is None:
            limit = "a job that says its days to rate; read it again by get_job"
            problems.append(Problem("ttr", self.extra.get("ttr"), limit, ProblemCode.REQUIRED))
        if problems or task.finished_at is None or self.ttr is None:
            raise InvalidRequestError("Job.rate_by", problems, sends=False)
        try:
            return task.finished_at + timedelta(days=self.ttr)
        except OverflowError:
            limit = f"a number of days that ends before the year 10000, counted from {task.finished_at}"
            problem = Problem("ttr", self.ttr, limit, ProblemCode.RANGE)
            raise InvalidRequestError("Job.rate_by", [problem], sends=False) from None


@attrs.frozen
class JobChange:
    """SproutGigs only: a job's status changed, as the service posted it to a webhook.

    `status` is a plain text if the service sends one that this library does not know. `at` is when it changed,
    in UTC; None if the service gave no time, or none that can be read. Source: the webhook as seen in use; it is
    in no document.
    """

    job_id: str
    status: JobStatus | str
    at: datetime | None = None


@attrs.frozen
class JobUpdate:
    """A change of a job between two reads: `after`, and `before` (None at the first read).

    `changed` has the names of the attributes of `Job` that differ, in their order; it is empty at the first
    read.
    """

    before: Job | None
    after: Job
    changed: tuple[str, ...] = ()
