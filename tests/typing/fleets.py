"""A coordinator and its deciders, as a type checker sees them."""

from __future__ import annotations

from picoworkers_async import AsyncPicoworkers, Job, Rating, Task
from picoworkers_async.fleet import Fleet, FleetCounts, decider, run_decider


@decider(concurrency=10, lease=60)
async def decide(task: Task) -> Rating | None:
    return Rating.ok(task)


@decider()
def with_job(task: Task, job: Job) -> Rating:
    return Rating.ok(task, comment=job.title)


@decider()  # type: ignore[type-var]  # pyright: ignore[reportArgumentType, reportUntypedFunctionDecorator]
def wrong(task: Task) -> str:
    return task.id


async def coordinator(pico: AsyncPicoworkers) -> FleetCounts:
    async with Fleet("redis://127.0.0.1:6379/0", name="shop", tries=3) as fleet:
        await pico.review_all(fleet.decide, deciding=500)
        async with pico.review(fleet.decide_with_job) as batch:
            async for outcome in batch:
                print(outcome.status)
        return fleet.counts()


async def elsewhere() -> Rating | None:
    await run_decider(with_job, "redis://127.0.0.1:6379/0", name="shop", concurrency=2)
    return await decide(Task("t1"))
