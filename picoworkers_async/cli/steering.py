"""Commands that steer a job."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from cyclopts import Parameter

from ..client import AsyncPicoworkers
from ..models import Ack, Job
from ..models.account import CONTEXT
from ..models.dollars import in_dollars
from .acting import act, finish
from .asking import confirm
from .connection import connect
from .exits import Exit
from .options import DEFAULT, JobId, Options, Yes

Positions = Annotated[int, Parameter(help="How many positions to add, 1 to 9999.")]


async def pause(job_id: JobId, /, *, options: Options = DEFAULT) -> Exit:
    """Pause a job."""
    return await _steer("pause", job_id, options, lambda pico: pico.jobs.pause_job(job_id))


async def resume(job_id: JobId, /, *, options: Options = DEFAULT) -> Exit:
    """Resume a paused job."""
    return await _steer("resume", job_id, options, lambda pico: pico.jobs.resume_job(job_id))


async def stop(job_id: JobId, /, *, yes: Yes = False, options: Options = DEFAULT) -> Exit:
    """Stop a job; asks first, because it runs again only once the service has let it restart."""
    question = f"Stop job {job_id}? To run it again you have to restart it, and the service may review that first."
    return await _steer("stop", job_id, options, lambda pico: pico.jobs.stop_job(job_id), question, yes=yes)


async def restart(
    job_id: JobId, /, *, positions: Positions | None = None, yes: Yes = False, options: Options = DEFAULT
) -> Exit:
    """Restart a job, with more positions if given; asks first, because its tasks cost money."""
    async with connect(options) as pico:
        job = await pico.jobs.get_job(job_id)
        more = "" if positions is None else f" with {cost(job, positions)}"
        confirm(f"Restart job {_named(job)}{more}?", yes=yes)
        result = await act(pico, f"restart job {job_id}", pico.jobs.restart_job(job_id, positions))
    return finish(result, f"restart {job_id}", json=options.json)


async def add_positions(
    job_id: JobId, positions: Positions, /, *, yes: Yes = False, options: Options = DEFAULT
) -> Exit:
    """Add positions to a job, each at its task's value; asks first."""
    async with connect(options) as pico:
        # Read before, so that the price is known, and a lost answer can be told by the positions there are then.
        job = await pico.jobs.get_job(job_id)
        confirm(f"Add {cost(job, positions)} to job {_named(job)}?", yes=yes)
        what = f"add positions to job {job_id}"
        result = await act(pico, what, pico.jobs.add_positions(job_id, positions))
    return finish(result, f"add-positions {job_id}", json=options.json)


async def set_speed(
    job_id: JobId,
    speed: Annotated[int, Parameter(help="1 (slow) to 1000.")],
    /,
    *,
    options: Options = DEFAULT,
) -> Exit:
    """Set how readily a job is shown to workers."""
    return await _steer("set-speed", job_id, options, lambda pico: pico.jobs.set_speed(job_id, speed))


async def set_ttr(
    job_id: JobId,
    days: Annotated[int, Parameter(help="1 to 7, on SproutGigs 1 to 90.")],
    /,
    *,
    yes: Yes = False,
    options: Options = DEFAULT,
) -> Exit:
    """Set the days until a task of a job pays itself; asks first, because older tasks may be paid at once."""
    named = f"{days} day{'' if days == 1 else 's'}"
    question = f"Set job {job_id} to {named} to rate? Tasks that have waited longer may be paid at once."
    return await _steer(
        "set-ttr", job_id, options, lambda pico: pico.jobs.set_ttr(job_id, days), question, yes=yes
    )


async def _steer(
    name: str,
    job_id: str,
    options: Options,
    call: Callable[[AsyncPicoworkers], Awaitable[Ack]],
    question: str | None = None,
    *,
    yes: bool = False,
) -> Exit:
    async with connect(options) as pico:
        if question is not None:
            confirm(question, yes=yes)
        result = await act(pico, f"{name} job {job_id}", call(pico))
    return finish(result, f"{name} {job_id}", json=options.json)


def cost(job: Job, positions: int) -> str:
    """This many positions of a job and what they cost, in words."""
    count = f"{positions} position{'' if positions == 1 else 's'}"
    if job.task_value is None:
        return f"{count} (the job's pay is not known)"
    total = CONTEXT.multiply(positions, job.task_value)
    return f"{count} of {in_dollars(job.task_value)}, {in_dollars(total)} and the service's fees"


def _named(job: Job) -> str:
    return job.id if job.title is None else f"{job.id} ({job.title})"
