"""Senders that are slow, leave, or come all at once."""

from __future__ import annotations

import json
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from picoworkers_async.webhooks import Receiver
from tests.support.receiving import EXAMPLE, IDS, durable_ids

pytestmark = pytest.mark.anyio
BODY = json.dumps(EXAMPLE).encode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "submitted.db"


async def ask(receiver: Receiver, receive: Callable[[], Awaitable[Any]]) -> int | None:
    """Post what `receive` gives; the status answered, None if there was no answer."""
    statuses = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}
    await receiver(scope, receive, send)
    return statuses[0] if statuses else None


@pytest.mark.virtual_time
async def test_a_body_that_does_not_come_is_not_waited_for_longer_than_30_seconds(path: Path) -> None:
    async def drip() -> Any:
        await anyio.sleep(9)
        return {"type": "http.request", "body": b" ", "more_body": True}

    began = anyio.current_time()
    assert await ask(Receiver(path), drip) == 408
    assert anyio.current_time() - began == pytest.approx(30, abs=0.1)


@pytest.mark.parametrize("part", [b"", BODY[:20], BODY])
async def test_a_sender_that_leaves_before_the_end_is_not_believed(path: Path, part: bytes) -> None:
    messages = [{"type": "http.disconnect"}, {"type": "http.request", "body": part, "more_body": True}]

    async def leave() -> Any:
        return messages.pop()

    assert await ask(Receiver(path), leave) is None
    assert durable_ids(path) == set()


async def test_of_more_than_16_at_once_those_whose_bodies_take_longest_give_way(path: Path) -> None:
    receiver, statuses = Receiver(path), {}

    async def never() -> Any:
        await anyio.sleep_forever()

    async def at_once() -> Any:
        return {"type": "http.request", "body": BODY}

    async def post(number: int) -> None:
        statuses[number] = await ask(receiver, never)

    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(post, number)
            await anyio.wait_all_tasks_blocked()
        assert statuses == dict.fromkeys(range(4), 503)
        assert await ask(receiver, at_once) == 200
        await anyio.wait_all_tasks_blocked()
        assert statuses == dict.fromkeys(range(5), 503)
        assert durable_ids(path) == IDS
        group.cancel_scope.cancel()


async def test_those_whose_bodies_have_come_do_not_give_way(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    receiver, statuses, go = Receiver(path), [], threading.Event()
    take = receiver._take

    def take_when_told(body: bytes) -> None:
        go.wait(10)
        take(body)

    monkeypatch.setattr(receiver, "_take", take_when_told)

    async def at_once() -> Any:
        return {"type": "http.request", "body": BODY}

    async def post() -> None:
        statuses.append(await ask(receiver, at_once))

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(post)
        await anyio.wait_all_tasks_blocked()
        assert statuses == [503] * 4
        go.set()
    assert statuses == [503] * 4 + [200] * 16
    assert await ask(receiver, at_once) == 200
