"""Post the jobs of a plan, each once, and steer them: `python plan.py plan.toml`, every few minutes, by cron."""

import sqlite3
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import anyio
import memory
from memory import Posted

from picoworkers_async import (
    AsyncPicoworkers,
    Effect,
    Fate,
    InvalidRequestError,
    Job,
    JobDraft,
    JobStatus,
    OutcomeUnknownError,
    PicoworkersError,
    RefusedError,
)

LOOK = "LOOK AT IT"
SETTINGS = {"timezone", "jobs"}
ENTRY = {"name", "draft", "pause_at", "resume_at", "pause_after"}


def unknown_in(table: Mapping[str, Any], known: set[str]) -> list[str]:
    names = sorted(table.keys() - known)
    return [f"not known: {', '.join(names)}"] if names else []


def wrong_with(entry: Mapping[str, Any]) -> list[str]:
    """What is wrong with an entry besides its draft: misspelt, it would be posted and never paused."""
    wrong = unknown_in(entry, ENTRY)
    if not {"name", "draft"} <= entry.keys():
        wrong.append("a name and a draft are needed")
    times = [entry[key] for key in ("pause_at", "resume_at") if key in entry]
    if len(times) == 1 or not all(isinstance(at, time) for at in times):
        wrong.append("pause_at and resume_at are needed both, as times such as 22:00:00")
    if type(entry.get("pause_after", 0)) is not int:
        wrong.append("pause_after is a whole number")
    return wrong


def wrong_in(plan: Mapping[str, Any]) -> list[str]:
    """What is wrong with the plan; nothing is posted of one with which something is."""
    found = unknown_in(plan, SETTINGS)
    try:
        ZoneInfo(plan.get("timezone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        found.append(f"timezone: {plan['timezone']} is none")
    entries = plan.get("jobs", [])
    for number, entry in enumerate(entries, 1):
        name = entry.get("name", f"entry {number}")
        found += [f"{name}: {wrong}" for wrong in wrong_with(entry)]
    names = Counter(entry.get("name") for entry in entries)
    return found + [f"{name}: the name of two entries" for name, count in names.items() if name and count > 1]


def should_pause(entry: Mapping[str, Any], job: Job, now: time) -> bool:
    """Whether the plan wants the job paused at this time of day."""
    if "pause_after" in entry and (job.tasks_done or 0) >= entry["pause_after"]:
        return True
    if "pause_at" not in entry:
        return False
    begin, end = entry["pause_at"], entry["resume_at"]
    return begin <= now < end if begin <= end else not end <= now < begin  # the latter is over midnight


async def post(pico: AsyncPicoworkers, database: sqlite3.Connection, name: str, draft: JobDraft) -> str:
    """Post it, unless the draft is wrong or another run does; gives what to tell about it."""
    check = await pico.jobs.check(draft)
    if not check.ok:
        return f"{LOOK}: not posted: {'; '.join(map(str, check.problems))}"
    if not memory.begin(database, name):
        return "another run is at it"
    try:
        posted = await pico.jobs.post_job(draft)
    except OutcomeUnknownError as error:
        memory.became(database, name, None, str(error))
        return await settle(pico, database, name, error)
    except PicoworkersError as error:
        if error.fate is Fate.NOT_PROCESSED:
            memory.was_not_posted(database, name)
        raise
    memory.became(database, name, posted.job_id, posted.note)
    return f"posted as {posted.job_id}" if posted.job_id else f"{LOOK}: {posted.note}"


async def settle(
    pico: AsyncPicoworkers, database: sqlite3.Connection, name: str, error: OutcomeUnknownError
) -> str:
    """Look for the job whose answer was lost: only if it certainly was not made, it may be posted again."""
    settlement = await pico.settle(error)
    reasons = "; ".join(settlement.reasons)
    if settlement.effect is Effect.DID_NOT:
        memory.was_not_posted(database, name)
        return f"not posted, which the next run does: {reasons}"
    memory.became(database, name, settlement.job_id, reasons)
    return f"posted as {settlement.job_id}" if settlement.job_id else f"{LOOK}: {reasons}"


async def steer(
    pico: AsyncPicoworkers, database: sqlite3.Connection, posted: Posted, job: Job, *, pause: bool
) -> str:
    """Pause or resume it; a job that somebody else paused stays as it is."""
    told = f"{job.id}: {job.status}, {job.tasks_done} of {job.num_tasks} done"
    if pause and job.status == JobStatus.RUNNING:
        memory.set_paused(database, posted.name, True)
        await pico.jobs.pause_job(job.id)
        return f"{told}; paused"
    if posted.paused and not pause:
        if job.status == JobStatus.PAUSED:
            await pico.jobs.resume_job(job.id)
            told += "; resumed"
        memory.set_paused(database, posted.name, False)
    return told


def unknown(posted: Posted, draft: JobDraft, jobs: Mapping[str, Job]) -> str:
    """What to tell about an entry that may have been posted: it takes a person to say, see the README."""
    like = [job.id for job in jobs.values() if job.title == draft.title]
    why = posted.note or "a run ended while it was posting, or is still at it"
    return f"{LOOK}: begun at {posted.begun_at}: {why}. Jobs of that title: {', '.join(like) or 'none'}"


async def main(path: str) -> int:
    plan = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    wrong = wrong_in(plan)
    if wrong:
        print(*(f"{LOOK}: {path}: {one}" for one in wrong), sep="\n")
        return 3
    now = datetime.now(ZoneInfo(plan.get("timezone", "UTC"))).time()
    database = memory.open_memory(f"{path}.db")
    code = 0
    async with AsyncPicoworkers.from_env() as pico:
        # Also what `settle` holds a post against whose answer was lost.
        jobs = {job.id: job async for job in pico.jobs.iter_jobs()}
        for entry in plan["jobs"]:
            name, posted = entry["name"], memory.posted_as(database, entry["name"])
            try:
                draft = JobDraft.from_dict(entry["draft"])
                if posted is None:
                    told = await post(pico, database, name, draft)
                elif posted.job_id is None:
                    told = unknown(posted, draft, jobs)
                elif posted.job_id not in jobs:
                    told = f"{posted.job_id}: not listed any more"
                else:
                    job = jobs[posted.job_id]
                    told = await steer(pico, database, posted, job, pause=should_pause(entry, job, now))
            except (InvalidRequestError, RefusedError) as error:  # of this entry alone
                told = f"{LOOK}: {error}"
            print(f"{name}: {told}")
            code = 3 if LOOK in told else code
    return code


if __name__ == "__main__":
    sys.exit(anyio.run(main, sys.argv[1]))
