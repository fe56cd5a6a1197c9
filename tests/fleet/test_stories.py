"""Deciders in processes of their own, a real broker, and all that can happen to them."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
import redis

from picoworkers_async import Journal, OutcomeStatus
from picoworkers_async.fleet import Fleet
from picoworkers_async.sandbox import Sandbox
from tests.fleet.around import KEYS, Start, as_judged, on_asyncio, on_trio, reviewed, until, with_tasks
from tests.fleet.conftest import ROOT
from tests.support.cut_wire import CutWire
from tests.support.valkey import Server

pytestmark = [
    *(pytest.mark.story, pytest.mark.anyio, pytest.mark.timeout(180)),
    pytest.mark.usefixtures("streams_that_the_engine_leaves_open"),
]


@on_trio
async def test_one_decider_killed_and_one_stopped_beyond_its_lease_leave_every_task_rated_once(
    broker: Server, start: Start, connect
) -> None:
    sandbox = with_tasks(120)
    expected = as_judged(sandbox)
    killed, stopped, *_ = [start(broker.url, "judged", 0.1) for _ in range(4)]
    async with Fleet(broker.url, tries=20) as fleet, connect(sandbox) as pico, anyio.create_task_group() as group:
        reports = []

        async def review() -> None:
            reports.append(await reviewed(pico, fleet))

        group.start_soon(review)
        await anyio.to_thread.run_sync(killed.next_line)
        killed.process.kill()
        await anyio.to_thread.run_sync(stopped.next_line)
        stopped.process.send_signal(signal.SIGSTOP)
        await until(lambda: bool(reports))
        assert fleet.counts().out == 0
        before = fleet.counts()
        stopped.process.send_signal(signal.SIGCONT)
        await until(lambda: fleet.counts().dropped > before.dropped)
    assert reports[0].rated == len(expected)
    assert sandbox.decisions() == expected
    assert sandbox.double_ratings == 0
    assert before.decided == 120
    assert before.redelivered >= 1


@pytest.mark.parametrize(
    ("keeps", "anyio_backend"),
    [(True, "asyncio"), (False, "asyncio"), (False, "trio")],
    ids=["kept on disk", "kept nowhere", "kept nowhere, trio"],
    indirect=["anyio_backend"],
)
async def test_a_broker_restarted_in_the_middle_loses_and_doubles_nothing(
    keeps: bool, tmp_path: Path, start: Start, connect
) -> None:
    broker = Server(tmp_path, *(("--appendonly", "yes", "--appendfsync", "always") if keeps else ()))
    broker.start()
    sandbox = with_tasks(80)
    expected = as_judged(sandbox)
    deciders = [start(broker.url, "judged", 0.2) for _ in range(2)]
    try:
        async with (
            Fleet(broker.url, tries=20) as fleet,
            connect(sandbox) as pico,
            anyio.create_task_group() as group,
        ):
            reports = []

            async def review() -> None:
                reports.append(await reviewed(pico, fleet))

            group.start_soon(review)
            await until(lambda: fleet.counts().decided > 10)
            broker.stop()
            broker.start()
            await until(lambda: bool(reports))
            assert fleet.counts().decided == 80
    finally:
        broker.stop()
    assert sandbox.decisions() == expected
    assert sandbox.double_ratings == 0
    assert [one.process.poll() for one in deciders] == [None, None]


async def test_a_coordinator_cut_off_from_the_broker_goes_on_when_the_wire_is_mended(
    broker: Server, start: Start, connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("picoworkers_async.fleet.coordinator.ANSWER_SECONDS", 1.0)
    wire = CutWire(broker.port)
    sandbox = with_tasks(60)
    expected = as_judged(sandbox)
    start(broker.url, "judged", 0.1)
    async with (
        Fleet(f"redis://127.0.0.1:{wire.port}/0", tries=20) as fleet,
        connect(sandbox) as pico,
        anyio.create_task_group() as group,
    ):
        reports = []

        async def review() -> None:
            reports.append(await reviewed(pico, fleet))

        group.start_soon(review)
        await until(lambda: fleet.counts().decided > 10)
        wire.cut()
        await until(lambda: fleet._told_of_outage)
        assert not reports
        wire.mend()
        await until(lambda: bool(reports))
    wire.close()
    assert sandbox.decisions() == expected
    assert sandbox.double_ratings == 0


@on_asyncio
@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("deadly", "tried 3 times; in the last its process ended"),
        ("raising", "tried 3 times; the last raised ValueError: cannot read the proof"),
    ],
)
async def test_a_task_that_no_decider_can_decide_fails_and_the_others_are_rated(
    rule: str, says: str, broker: Server, start: Start, connect
) -> None:
    sandbox = Sandbox()
    job = sandbox.add_job()
    sandbox.add_tasks(job, 3)
    (poison,) = sandbox.add_tasks(job, 1, proofs=lambda _: [{"text": "poison"}])
    for _ in range(4):
        start(broker.url, rule)
    async with Fleet(broker.url, tries=3) as fleet, connect(sandbox) as pico:
        async with pico.review(fleet.decide) as batch:
            outcomes = [outcome async for outcome in batch]
        counts = fleet.counts()
    (failed,) = [one for one in outcomes if one.status is OutcomeStatus.FAILED]
    assert failed.task is not None
    assert failed.task.id == poison
    assert says in str(failed.message)
    assert (counts.decided, counts.failed) == (3, 1)
    assert counts.redelivered >= 2
    assert sandbox.unrated() == [poison]


@on_trio
async def test_a_new_coordinator_takes_the_ratings_that_wait_for_it(broker: Server, start: Start, connect) -> None:
    sandbox = with_tasks(8)
    expected = as_judged(sandbox)
    stranger = redis.Redis.from_url(broker.url)
    async with Fleet(broker.url, tries=20) as fleet, connect(sandbox) as pico:
        with anyio.move_on_after(None) as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(reviewed, pico, fleet)
                await until(lambda: stranger.xlen(f"{KEYS}:queues:normal") == 8)
                scope.cancel()
    decider = start(broker.url)
    await until(lambda: stranger.zcard(f"{KEYS}:index:results") == 8)
    stranger.close()
    decider.process.send_signal(signal.SIGTERM)
    await until(lambda: decider.process.poll() is not None)
    async with Fleet(broker.url, tries=20) as fleet, connect(sandbox) as pico:
        report = await reviewed(pico, fleet)
    assert report.rated == 8
    assert sandbox.decisions() == expected
    assert len(decider.seen) == 8


@on_asyncio
async def test_a_coordinator_killed_and_started_again_pays_everybody_once(
    broker: Server, start: Start, tmp_path: Path
) -> None:
    sandbox = with_tasks(150)
    expected = as_judged(sandbox)
    deciders = [start(broker.url, "judged", 0.05) for _ in range(2)]
    async with sandbox.serve() as url:
        command = [sys.executable, "-m", "tests.support.fleet_coordinator", url, broker.url]
        command.append(str(tmp_path / "ratings.db"))
        for goal in (20, 70):
            async with await anyio.open_process(command, cwd=ROOT) as coordinator:
                await until(lambda goal=goal: len(sandbox.decisions()) >= goal)
                coordinator.kill()
        done = await anyio.run_process(command, cwd=ROOT)
    assert done.stdout.split()[1:] == [b"0", b"0"]
    assert sandbox.decisions() == expected
    assert sandbox.double_ratings == 0
    assert Journal(tmp_path / "ratings.db").counts() == {"rated": len(expected)}
    # What was out when the coordinator was killed is not decided anew, but for the last few of each time.
    assert sum(len(one.seen) for one in deciders) <= 150 + 2 * 20


@on_asyncio
async def test_a_decider_that_is_told_to_stop_finishes_what_it_has(broker: Server, start: Start, connect) -> None:
    sandbox = with_tasks(8)
    first = start(broker.url, "judged", 0.5, "--concurrency", "2")
    async with Fleet(broker.url, tries=20) as fleet, connect(sandbox) as pico, anyio.create_task_group() as group:
        group.start_soon(reviewed, pico, fleet)
        await anyio.to_thread.run_sync(first.next_line)
        first.process.send_signal(signal.SIGTERM)
        await until(lambda: first.process.poll() is not None)
        assert first.process.returncode == 0
        second = start(broker.url, "judged", 0.01)
    assert fleet.counts().decided == 8
    assert not set(first.seen) & set(second.seen)
    assert sandbox.unrated() == []


@on_asyncio
async def test_a_plain_function_decides_in_threads_with_the_job(broker: Server, start: Start, connect) -> None:
    sandbox = Sandbox()
    sandbox.add_tasks(sandbox.add_job(title="Play a video"), 5)
    start(broker.url, "plain", 0.0, "--name", "shop")
    async with Fleet(broker.url, name="shop") as fleet, connect(sandbox) as pico:
        report = await pico.review_all(fleet.decide_with_job)
    assert report.rated == 5
    assert {entry.comment for entry in sandbox.ledger if entry.task_id} == {"Play a video"}
