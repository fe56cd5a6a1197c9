"""What the stories of a fleet share."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest

from picoworkers_async import Task
from picoworkers_async.fleet import Fleet
from picoworkers_async.sandbox import Sandbox
from tests.fleet.conftest import Decider
from tests.support.judge import judge

KEYS = "streaq:picoworkers:picoworkers"
"""How the names of all keys begin in the broker, for a fleet without a name of its own."""

Start = Callable[..., Decider]

# Processes take long to start: both backends where they differ in what happens, else one.
on_asyncio = pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
on_trio = pytest.mark.parametrize("anyio_backend", ["trio"], indirect=True)


def with_tasks(number: int, **options) -> Sandbox:
    sandbox = Sandbox(page_size=50, **options)
    sandbox.add_tasks(sandbox.add_job(), number)
    return sandbox


def as_judged(sandbox: Sandbox) -> dict:
    """What the ledger must say in the end: the decision of every task, once."""
    ratings = [judge(Task(task_id, "any")) for task_id in sandbox.unrated()]
    return {(one.task_id, 0): (one.verdict.value, one.bonus) for one in ratings if one is not None}


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what has to come."""
    with anyio.fail_after(60):
        while not condition():  # noqa: ASYNC110
            await anyio.sleep(0.02)


async def reviewed(pico, fleet: Fleet, deciding: int = 20):
    return await pico.review_all(fleet.decide, deciding=deciding)
