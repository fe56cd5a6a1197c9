"""Seeds of a sandbox: fields of jobs and tasks, and the checks of those that are given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypedDict

import attrs

from ..errors import InvalidRequestError
from ..models.from_plain import from_plain
from ..models.jobs import (
    Autorate,
    AutorateWord,
    ChallengeAction,
    ChallengeActionWord,
    JobStatus,
    JobStatusWord,
    ProofType,
    ProofTypeWord,
    WorkersLevel,
    WorkersLevelWord,
)
from ..problems import Problem, ProblemCode, number_code
from .store import Store

Money = Annotated[Decimal | int | float | str, Decimal]
Time = Annotated[datetime | str, datetime]
Action = Annotated[ChallengeAction | ChallengeActionWord | Literal[""], Literal[""] | ChallengeAction]


class JobProofSeed(TypedDict):
    """What a job asks its workers to hand in."""

    description: str
    type: Annotated[ProofType | ProofTypeWord, ProofType]


class ChallengeSeed(TypedDict):
    """A question of a job, and its answer."""

    question: str
    answer: str


class JobSeed(TypedDict, total=False):
    """The fields of a job, by their names in get-job. Each may be left out."""

    id: str
    id_user: str
    zone_id: str
    excluded_countries: Sequence[str]
    category_id: str
    created_at: Time
    status: Annotated[JobStatus | JobStatusWord, JobStatus]
    task_value: Money
    num_tasks: int
    workers_max_tasks: int
    workers_level: Annotated[WorkersLevel | WorkersLevelWord, WorkersLevel]
    speed: int
    ttr: int
    autorate: Annotated[Autorate | AutorateWord, Autorate]
    pause_after_approval: bool
    hold_time: int
    title: str
    instructions: Sequence[str]
    notes: str
    proofs: Sequence[JobProofSeed]
    challenge_action: Annotated[
        ChallengeAction | Literal["", "rate_nok", "rate_nok_block"], Literal[""] | ChallengeAction
    ]
    challenges: Sequence[ChallengeSeed]
    start_time: str
    end_time: str
    distribution: int


@attrs.frozen
class TextProof:
    """A text that a worker hands in."""

    text: str


@attrs.frozen
class ScreenshotProof:
    """The http(s) address of a screenshot that a worker hands in.

    No document shows how the service lists one; the sandbox lists the address as the proof's `text`.
    """

    url: str = attrs.field()

    @url.validator
    def _check(self, _: object, url: object) -> None:
        if not (isinstance(url, str) and url.startswith(("https://", "http://"))):
            code = ProblemCode.FORMAT if isinstance(url, str) else ProblemCode.TYPE
            problem = Problem("url", url, "an http:// or https:// address", code)
            raise InvalidRequestError("ScreenshotProof", [problem], sends=False)


class ProofSeed(TypedDict):
    """A proof as get-unrated-tasks lists it."""

    text: str


Proofs = Sequence[TextProof | ScreenshotProof | ProofSeed]
"""The proofs of one task."""


class TaskSeed(TypedDict, total=False):
    """The fields of a task, by their names in get-unrated-tasks. Each may be left out."""

    worker_id: str
    finished_at: Time
    ip_address: str
    country_code: str
    variables: Mapping[str, object] | Sequence[object]
    proofs: Annotated[Proofs | Callable[[int], Proofs], Sequence[ProofSeed]]


def job_problems(fields: Mapping[str, Any], store: Store) -> list[Problem]:
    """What is wrong with the fields of a job to be added."""
    found = _problems(JobSeed, fields)
    wrong = {problem.path[0] for problem in found}
    for name, value in fields.items():
        is_number = isinstance(value, int | float | Decimal) or name == "task_value"
        if name not in wrong and is_number and not _is_amount(Decimal(str(value))):
            found.append(Problem(name, value, "a finite number, 0 or more", ProblemCode.RANGE))
    if "id" not in wrong and fields.get("id") in store.jobs:
        found.append(Problem("id", fields["id"], "an id that no job has yet", ProblemCode.CONFLICT))
    return found


def rows_of_tasks(count: object, fields: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], list[Problem]]:
    """The fields of this many tasks, as JSON has them, and what is wrong with them."""
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        return [], [Problem("count", count, "a whole number, 0 or more", number_code(count))]
    make = fields.get("proofs")
    if not callable(make):
        row = _as_json(fields)
        return [row] * count, _problems(TaskSeed, row)
    rows: list[Mapping[str, Any]] = []
    found: list[Problem] = []
    for number in range(count):
        row = _as_json({**fields, "proofs": make(number)})
        rows.append(row)
        if found := _problems(TaskSeed, row):
            break
    return rows, found


def status_problems(status: object) -> list[Problem]:
    """What keeps this from being the status of a job."""
    return _problems(JobSeed, {"status": status})


def extra_problems(extra: object) -> list[Problem]:
    """What keeps these from being fields that are listed as they are."""
    if extra is None or isinstance(extra, Mapping):
        return []
    return [Problem("extra", extra, "a mapping of names to values", ProblemCode.TYPE)]


def id_problems(name: str, given: object, known: Mapping[str, object], what: str) -> list[Problem]:
    """What keeps this from being the id of a known "job" or other kind."""
    if isinstance(given, str) and given in known:
        return []
    code = ProblemCode.CHOICE if isinstance(given, str) else ProblemCode.TYPE
    return [Problem(name, given, f"the id of {what} of this sandbox", code)]


def sent_back_problems(task_id: object, store: Store) -> list[Problem]:
    """What keeps this from being the id of a task that waits for its worker to hand it in again."""
    problems = id_problems("task_id", task_id, store.tasks, "a task")
    if not problems and store.tasks[str(task_id)].verdict != "revise":
        return [Problem("task_id", task_id, "a task that was sent back; this one was not", ProblemCode.CONFLICT)]
    return problems


def waiting_problems(job_id: object, store: Store, waiting: Iterable[str]) -> list[Problem]:
    """What keeps this from being the id of a job in one of the statuses in which a job waits."""
    problems = id_problems("job_id", job_id, store.jobs, "a job")
    if not problems and (status := store.jobs[str(job_id)].status) not in waiting:
        limit = f"a job that is {', '.join(waiting)}; this one is {status}"
        return [Problem("job_id", job_id, limit, ProblemCode.CONFLICT)]
    return problems


def refuse(method: str, problems: Iterable[Problem]) -> None:
    """Raises `InvalidRequestError` if there are problems."""
    if problems := list(problems):
        raise InvalidRequestError(f"Sandbox.{method}", problems, sends=False)


def _is_amount(number: Decimal) -> bool:
    return number.is_finite() and number >= 0


def _problems(kind: type, fields: Mapping[str, Any]) -> list[Problem]:
    try:
        from_plain(kind, _as_json(fields), "seeding")
    except InvalidRequestError as error:
        return list(error.problems)
    return []


def _as_json(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with times and proofs as JSON has them."""
    return {name: _value_as_json(value) for name, value in fields.items()}


def _value_as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_value_as_json(item) for item in value]
    if isinstance(value, TextProof):
        return {"text": value.text}
    if isinstance(value, ScreenshotProof):
        return {"text": value.url}
    return value
