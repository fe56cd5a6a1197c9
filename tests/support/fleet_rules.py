"""What the decider processes of the tests decide by."""

from __future__ import annotations

import os
import time

import anyio

from picoworkers_async import Job, Rating, Task
from picoworkers_async.fleet import decider
from tests.support.judge import judge


@decider(concurrency=4, lease=2.0)
async def judged(task: Task) -> Rating | None:
    """Told on stdout, and so slow that processes can be ended amid."""
    print(task.id, flush=True)
    await anyio.sleep(float(os.environ.get("DECIDE_SECONDS", "0.05")))
    return judge(task)


@decider(concurrency=2, lease=1.0)
def plain(task: Task, job: Job) -> Rating:
    """In a thread, with the job."""
    time.sleep(0.01)
    return Rating.ok(task, comment=job.title)


@decider(concurrency=1, lease=1.0)
async def deadly(task: Task) -> Rating:
    """Ends its process over one task."""
    print(task.id, flush=True)
    if task.proofs[0].text == "poison":
        os._exit(9)
    return Rating.ok(task)


@decider(concurrency=2, lease=1.0)
async def raising(task: Task) -> Rating:
    """Raises over one task."""
    print(task.id, flush=True)
    if task.proofs[0].text == "poison":
        raise ValueError("cannot read the proof")
    return Rating.ok(task)


@decider(lease=1.0)
async def wordy(task: Task) -> str:
    """No rating."""
    return "fine"
