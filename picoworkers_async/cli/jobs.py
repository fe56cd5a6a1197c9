"""Commands that read jobs and the tasks waiting to be rated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

import attrs
from cyclopts import Parameter

from ..client import AsyncPicoworkers
from ..errors import InvalidRequestError
from ..models import Job, JobStatus, JobUpdate, Task
from ..models.to_plain import to_jsonable
from .connection import connect
from .options import DEFAULT, JobId, Options
from .output import Column, print_json, print_pairs, print_table, say, shown

_NEVER = datetime.max.replace(tzinfo=UTC)
_JOBS = (
    Column("job"),
    Column("title"),
    Column("status", is_state=True),
    Column("pay", is_number=True),
    Column("done", is_number=True),
    Column("of", is_number=True),
    Column("unrated", is_number=True),
    Column("days to rate", is_number=True),
)
_TASKS = (
    Column("task"),
    Column("revision", is_number=True),
    Column("job"),
    Column("worker"),
    Column("country"),
    Column("handed in"),
    Column("pays itself"),
    Column("proofs"),
)


async def jobs(
    *,
    status: Annotated[JobStatus | None, Parameter(help="Only jobs in this status.")] = None,
    unrated: Annotated[bool, Parameter(help="Only jobs with tasks waiting to be rated.")] = False,
    options: Options = DEFAULT,
) -> None:
    """List your active jobs."""
    async with connect(options) as pico:
        found = pico.jobs.iter_jobs(status=status, unrated_tasks=unrated)
        if options.json:
            async for job in found:
                print_json(job)
        else:
            print_table(_JOBS, [_job_row(job) async for job in found])


def _job_row(job: Job) -> tuple[object, ...]:
    return (
        *(job.id, job.title, job.status, job.task_value, job.tasks_done, job.num_tasks, job.unrated_tasks),
        job.ttr,
    )


async def job(
    job_id: JobId,
    /,
    *,
    watch: Annotated[bool, Parameter(help="Go on reading, and print each change, until the job ends.")] = False,
    every: Annotated[float, Parameter(help="Seconds between two reads, with --watch (60).")] = 60.0,
    options: Options = DEFAULT,
) -> None:
    """Show one job, or with --watch what changes in it."""
    async with connect(options) as pico:
        if watch:
            await _watch(pico, job_id, every, json=options.json)
            return
        found = await pico.jobs.get_job(job_id)
    _print_job(found, json=options.json)


async def _watch(pico: AsyncPicoworkers, job_id: str, every: float, *, json: bool) -> None:
    say(f"watching job {job_id}, read every {every:g} s; stop with Ctrl-C")
    async for update in pico.jobs.watch(job_id, every=every):
        if json:
            print_json(update)
        elif update.before is None:
            _print_job(update.after, json=False)
        else:
            print_table([Column("changed"), Column("was"), Column("is")], changes(update))


def changes(update: JobUpdate) -> list[tuple[str, object, object]]:
    """What changed in a job: the name, what it was, and what it is."""
    return [(name, getattr(update.before, name), getattr(update.after, name)) for name in update.changed]


def _print_job(job: Job, *, json: bool) -> None:
    if json:
        print_json(job)
        return
    names = [field.name for field in attrs.fields(Job) if field.name != "extra"]
    values = {name: getattr(job, name) for name in names}
    values["instructions"] = " / ".join(job.instructions)
    values["excluded_countries"] = " ".join(job.excluded_countries)
    values["proofs"] = " / ".join(f"{proof.type}: {proof.description}" for proof in job.proofs)
    values["challenges"] = " / ".join(f"{one.question} ({one.answer})" for one in job.challenges)
    print_pairs((name.replace("_", " "), value) for name, value in values.items() if value not in (None, "", ()))


async def tasks(
    *,
    job: Annotated[str | None, Parameter(help="Only tasks of the job with this id.")] = None,
    due: Annotated[
        timedelta | None,
        Parameter(help="Only tasks that pay themselves within this time, such as 24h, earliest first."),
    ] = None,
    options: Options = DEFAULT,
) -> None:
    """List the tasks waiting to be rated, and when each pays itself."""
    async with connect(options) as pico:
        known = await _jobs_with_tasks(pico, job)
        rows: list[tuple[Task, datetime | None]] = []
        async for task in pico.jobs.iter_unrated_tasks(job_id=job):
            row = task, rate_by(task, known)
            if options.json and due is None:
                _print_task(row)
            else:
                rows.append(row)
    if due is not None:
        rows = due_within(rows, datetime.now(UTC) + due)
    if options.json:
        for row in rows:
            _print_task(row)
    else:
        print_table(_TASKS, (_task_row(*row) for row in rows))


async def _jobs_with_tasks(pico: AsyncPicoworkers, job_id: str | None) -> dict[str, Job]:
    if job_id is not None:
        return {job_id: await pico.jobs.get_job(job_id)}
    return {job.id: job async for job in pico.jobs.iter_jobs(unrated_tasks=True)}


def rate_by(task: Task, known: Mapping[str, Job]) -> datetime | None:
    """When the task pays itself; None if its job or one of the times is not known."""
    try:
        return known[task.job_id or ""].rate_by(task)
    except (KeyError, InvalidRequestError):
        return None


def due_within(
    rows: Iterable[tuple[Task, datetime | None]], until: datetime
) -> list[tuple[Task, datetime | None]]:
    """Those that are due by then, and those whose time is not known; earliest first."""
    kept = [(task, at) for task, at in rows if at is None or at <= until]
    return sorted(kept, key=lambda row: row[1] or _NEVER)


def _print_task(row: tuple[Task, datetime | None]) -> None:
    task, at = row
    print_json({**to_jsonable(task), "rate_by": at})


def _task_row(task: Task, at: datetime | None) -> tuple[object, ...]:
    proofs = " / ".join(shown(proof.text) for proof in task.proofs)
    return (
        *(task.id, task.revision_number, task.job_id, task.worker_id, task.country_code, task.finished_at),
        *(at, proofs),
    )
