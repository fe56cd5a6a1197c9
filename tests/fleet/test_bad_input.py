"""Deciders and brokers that are not what they should be: told clearly, and nothing is lost or paid."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
import redis

from picoworkers_async import OutcomeStatus, Rating, Task
from picoworkers_async.fleet import BrokerError, Fleet, messages
from picoworkers_async.fleet.engine import channels_of
from picoworkers_async.sandbox import Sandbox
from tests.fleet.around import Start, on_asyncio, on_trio, reviewed, until, with_tasks
from tests.support.valkey import Server

pytestmark = [
    *(pytest.mark.story, pytest.mark.anyio, pytest.mark.timeout(180)),
    pytest.mark.usefixtures("streams_that_the_engine_leaves_open"),
]


@on_asyncio
async def test_what_a_stranger_writes_to_the_broker_pays_nobody_else(broker: Server, connect) -> None:
    sandbox = Sandbox()
    one, other = sandbox.add_tasks(job := sandbox.add_job(), 2)
    client = redis.Redis.from_url(broker.url)
    async with Fleet(broker.url) as fleet, connect(sandbox) as pico, pico.review(fleet.decide) as batch:
        await until(lambda: fleet.counts().out == 2)
        forged = messages.write_decision(Rating.ok(Task(other, job), bonus=5))
        record = messages.encode({"s": True, "r": forged, "t": 1, "w": "x", "st": 1, "ft": 1})
        client.publish(f"{channels_of('picoworkers')}{job}:{one}:0", record)
        client.publish(f"{channels_of('picoworkers')}{job}:{other}:0", "nonsense")
        outcomes = [outcome async for outcome in batch]
    client.close()
    said = {outcome.task.id: str(outcome.message) for outcome in outcomes if outcome.task is not None}
    assert "returned a rating of" in said[one]
    assert "nonsense" in said[other]
    assert sandbox.ledger == []


@on_trio
async def test_a_decider_that_gives_no_rating_fails_its_tasks(broker: Server, start: Start, connect) -> None:
    sandbox = with_tasks(2)
    start(broker.url, "wordy")
    async with Fleet(broker.url) as fleet, connect(sandbox) as pico, pico.review(fleet.decide) as batch:
        outcomes = [outcome async for outcome in batch]
    assert [one.status for one in outcomes] == [OutcomeStatus.FAILED] * 2
    assert "decide returned str" in str(outcomes[0].message)


@on_asyncio
async def test_a_decider_of_another_version_ends_and_leaves_its_task_to_others(
    broker: Server, start: Start, connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = with_tasks(1)
    monkeypatch.setattr(messages, "SCHEMA", 2)
    async with Fleet(broker.url) as fleet, connect(sandbox) as pico, anyio.create_task_group() as group:
        group.start_soon(reviewed, pico, fleet)
        older = start(broker.url)
        await until(lambda: older.process.poll() is not None)
        assert fleet.counts().out == 1
        group.cancel_scope.cancel()
    assert older.process.returncode == 2
    assert "install the same version on both" in "".join(older.errors)
    assert len(sandbox.unrated()) == 1


@on_asyncio
async def test_a_broker_that_refuses_the_password_is_named_without_it(tmp_path: Path, start: Start) -> None:
    server = Server(tmp_path, "--requirepass", "right")
    server.start()
    try:
        for url in (server.url, server.url.replace("//", "//:wrong@")):
            with pytest.raises(BrokerError, match="refuses user or password") as caught:
                async with Fleet(url):
                    pass
            assert caught.value.refused
            assert "wrong" not in str(caught.value).replace("username", "")
        decider = start(server.url)
        await until(lambda: decider.process.poll() is not None)
        assert decider.process.returncode == 2
        assert "refuses user or password" in "".join(decider.errors)
    finally:
        server.stop()


async def test_a_broker_that_is_not_there_is_told_at_once(broker: Server, start: Start) -> None:
    broker.stop()
    with pytest.raises(BrokerError, match=r"127\.0\.0\.1"):
        async with Fleet(broker.url):
            pass
    decider = start(broker.url)
    await until(lambda: decider.process.poll() is not None)
    assert decider.process.returncode == 1
    assert "cannot be used" in "".join(decider.errors)
