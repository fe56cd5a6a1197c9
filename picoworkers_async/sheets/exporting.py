"""`export`: write the tasks that wait to be rated to a sheet."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from contextlib import aclosing
from pathlib import Path

import anyio.to_thread
import attrs

from ..client import AsyncPicoworkers
from ..errors import InvalidRequestError, RefusedError
from ..models import Job, Task
from ..problems import Problem, ProblemCode
from ..whole_file import whole_file
from .layout import BEFORE, TO_FILL, known_of, proof_cells, proof_columns, text_of
from .of_client import needs_async_client
from .reading import path_problems
from .spool import Spool, SpooledRow
from .tables import FORMATS
from .writing import open_writer
from .xlsx_rows import MOST_ROWS

_AT_ONCE = 500


@attrs.frozen
class ExportReport:
    """What an export wrote: `rows` tasks of `jobs` jobs, with at most `proofs` proofs each.

    `cut` counts tasks with a proof that did not fit: a sheet has room for 100 proofs of a task, and 20 cells of
    32,767 characters for each. JSON Lines have their whole proofs. `without_pay` counts tasks of jobs that the
    service no longer lists.
    """

    path: str
    rows: int
    jobs: int
    proofs: int
    cut: int
    without_pay: int


@needs_async_client
async def export(
    pico: AsyncPicoworkers,
    path: str | os.PathLike[str],
    *,
    job_id: str | None = None,
    tasks: AsyncIterable[Task] | Iterable[Task] | None = None,
    overwrite: bool = False,
) -> ExportReport:
    """Write the tasks that wait to be rated to a .csv, .jsonl or .xlsx, to fill in and to `read` again.

    Exports all of them, those of the job `job_id`, or the `tasks` that you give. A row has JOB_ID, TASK_ID,
    REVISION_NUMBER, WORKER_ID, PAY (the job's pay for a task in US dollars, without fees), SUBMITTED_AT and
    RATE_BY (when the task pays itself) in UTC, each proof in a column of its own, and empty columns to fill in.
    Texts of workers cannot run as formulas. In a CSV, an apostrophe is before those that could, and before ids
    that a spreadsheet program would take for numbers; `rows` removes it.

    Each job is read once. The file appears whole or not at all, is readable for its owner only, and replaces
    another one only with `overwrite`. Memory does not grow with the number of tasks; temporary files take disk
    space.

    With the blocking client: `pico.call(sheets.export, "tasks.csv")`.

    Raises `InvalidRequestError` for arguments, a file that exists, and more rows than an .xlsx can have; the
    errors of reading tasks and jobs; and `OSError`.
    """
    file = Path(path)
    problems = path_problems(file)
    if job_id is not None and tasks is not None:
        problems.append(Problem("tasks", None, "either job_id or tasks, not both", ProblemCode.CONFLICT))
    if not problems and not overwrite and await anyio.to_thread.run_sync(file.exists):
        problems.append(_exists(file))
    elif not problems and await anyio.to_thread.run_sync(_is_special, file):
        problems.append(Problem("path", str(file), "no folder, pipe or device", ProblemCode.CONFLICT))
    if problems:
        raise InvalidRequestError("sheets.export", problems, sends=False)
    jobs = _Jobs(pico)
    if tasks is None:
        if job_id is None:
            await jobs.read_waiting()
        tasks = pico.jobs.iter_unrated_tasks(job_id=job_id)
    with Spool() as spool:
        waiting: list[SpooledRow] = []
        async with aclosing(_each(tasks)) as each:
            async for task in each:
                job = await jobs.get(task.job_id)
                waiting.append((known_of(task, job), [text_of(proof) for proof in task.proofs]))
                if len(waiting) >= _AT_ONCE:
                    await anyio.to_thread.run_sync(spool.add, waiting)
                    waiting = []
        await anyio.to_thread.run_sync(spool.add, waiting)
        if file.suffix.lower() == ".xlsx" and spool.rows >= MOST_ROWS:
            problem = Problem("path", str(file), f"a .csv or .jsonl for {spool.rows} tasks", ProblemCode.LENGTH)
            raise InvalidRequestError("sheets.export", [problem], sends=False)
        # Whether it is cancelled meanwhile or not, the file is whole.
        cut = await anyio.to_thread.run_sync(_write, file, spool, overwrite)
    return ExportReport(str(file), spool.rows, jobs.count, spool.widths.most, cut, jobs.missing)


def _is_special(path: Path) -> bool:
    return path.exists() and not path.is_file()


def _exists(path: Path) -> Problem:
    return Problem("path", str(path), "a path where no file is, or overwrite=True", ProblemCode.CONFLICT)


async def _each(tasks: AsyncIterable[Task] | Iterable[Task]) -> AsyncGenerator[Task, None]:
    if isinstance(tasks, AsyncIterable):
        async for task in tasks:
            yield task
    else:
        for task in tasks:
            yield task


class _Jobs:
    """The jobs of the tasks, each read once."""

    def __init__(self, pico: AsyncPicoworkers) -> None:
        self._pico = pico
        self._jobs: dict[str, Job | None] = {}
        self._met: set[str] = set()
        self.missing = 0

    @property
    def count(self) -> int:
        return len(self._met)

    async def read_waiting(self) -> None:
        """Read all jobs with tasks that wait, which takes fewer calls than one by one."""
        async for job in self._pico.jobs.iter_jobs(unrated_tasks=True):
            self._jobs[job.id] = _needed(job)

    async def get(self, job_id: str) -> Job | None:
        """A job; None if the service does not show it, and for a task made by hand that names none."""
        if not job_id:
            return None
        if job_id not in self._jobs:
            try:
                self._jobs[job_id] = _needed(await self._pico.jobs.get_job(job_id))
            except RefusedError:
                self._jobs[job_id] = None
        self._met.add(job_id)
        job = self._jobs[job_id]
        self.missing += job is None
        return job


def _needed(job: Job) -> Job:
    """What is needed of a job; the rest would only take memory."""
    return Job(job.id, task_value=job.task_value, ttr=job.ttr)


def _write(path: Path, spool: Spool, overwrite: bool) -> int:
    """Write the sheet. Returns how many tasks were cut."""
    kind = FORMATS[path.suffix.lower()]
    cut = 0
    try:
        with whole_file(path, overwrite=overwrite) as file:
            parts = spool.widths.parts
            # JSON has room for any text.
            whole = kind == "jsonl"
            most = spool.widths.most
            columns = [*BEFORE, *proof_columns([1] * most if whole else parts), *TO_FILL]
            blanks = [""] * len(TO_FILL)
            with open_writer(kind, file, columns) as write:
                for known, texts in spool:
                    if whole:
                        cells = texts + [""] * (most - len(texts))
                    else:
                        cells, was_cut = proof_cells(texts, parts)
                        cut += was_cut
                    write([*known, *cells, *blanks])
    except FileExistsError:
        raise InvalidRequestError("sheets.export", [_exists(path)], sends=False) from None
    return cut
