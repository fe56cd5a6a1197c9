"""The block of a fleet, against a broker in which nobody decides."""

from __future__ import annotations

from collections.abc import Iterator

import anyio
import pytest
import redis

from picoworkers_async import ClientStateError, InvalidRequestError, Proof, Rating, Task
from picoworkers_async.fleet import Fleet
from picoworkers_async.fleet.messages import encode, write_decision
from tests.fleet.around import KEYS, until
from tests.support.valkey import Server

pytestmark = pytest.mark.anyio
TASK = Task("t1", "j1")


async def test_what_the_block_raises_comes_out_as_it_is(broker: Server) -> None:
    with pytest.raises(ZeroDivisionError):
        async with Fleet(broker.url):
            raise ZeroDivisionError


async def test_a_block_that_is_cancelled_ends(broker: Server) -> None:
    with anyio.CancelScope() as scope:
        async with Fleet(broker.url) as fleet:
            scope.cancel()
            await fleet.decide(TASK)
    assert scope.cancelled_caught


async def test_who_still_asks_when_the_block_is_left_is_told(broker: Server) -> None:
    async with anyio.create_task_group() as group:

        async def ask() -> None:
            with pytest.raises(ClientStateError, match="was left"):
                await fleet.decide(TASK)

        async with Fleet(broker.url) as fleet:
            group.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
    assert fleet.counts().out == 0


async def test_it_decides_inside_its_block_only(broker: Server) -> None:
    fleet = Fleet(broker.url)
    with pytest.raises(ClientStateError):
        await fleet.decide(TASK)
    async with fleet:
        with pytest.raises(ClientStateError):
            await fleet.__aenter__()
    async with fleet:
        assert fleet.counts().out == 0


async def test_a_decision_that_is_given_up_is_out_no_more(broker: Server) -> None:
    async with Fleet(broker.url) as fleet:
        with anyio.move_on_after(0.05):
            await fleet.decide(TASK)
        assert fleet.counts().out == 0


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is out is looked for many times a second."""
    monkeypatch.setattr("picoworkers_async.fleet.coordinator.LOOK_SECONDS", 0.05)


@pytest.fixture
def stranger(broker: Server) -> Iterator[redis.Redis]:
    """Another client of the broker."""
    client = redis.Redis.from_url(broker.url, decode_responses=True)
    yield client
    client.close()


@pytest.mark.usefixtures("often")
async def test_a_decision_that_nobody_heard_of_is_found(broker: Server, stranger: redis.Redis) -> None:
    record = encode({"s": True, "r": write_decision(Rating.ok(TASK)), "t": 1, "w": "x", "st": 1, "ft": 1})
    async with Fleet(broker.url) as fleet, anyio.create_task_group() as group:

        async def ask() -> None:
            assert await fleet.decide(TASK) == Rating.ok(TASK)

        group.start_soon(ask)
        await until(lambda: stranger.exists(f"{KEYS}:task:data:j1:t1:0") == 1)
        stranger.set(f"{KEYS}:task:results:j1:t1:0", record)
        await until(lambda: fleet.counts().decided == 1)
        await until(lambda: stranger.exists(f"{KEYS}:task:results:j1:t1:0") == 0)


@pytest.mark.usefixtures("often")
async def test_a_task_that_the_broker_loses_is_asked_about_again(broker: Server, stranger: redis.Redis) -> None:
    async with Fleet(broker.url) as fleet, anyio.create_task_group() as group:
        group.start_soon(fleet.decide, TASK)
        await until(lambda: stranger.exists(f"{KEYS}:task:data:j1:t1:0") == 1)
        stranger.flushall()
        await until(lambda: fleet.counts().redelivered == 1)
        assert stranger.exists(f"{KEYS}:task:data:j1:t1:0") == 1
        assert stranger.xlen(f"{KEYS}:queues:normal") == 1
        group.cancel_scope.cancel()


@pytest.mark.usefixtures("often")
async def test_a_task_that_is_asked_about_twice_is_in_the_broker_once(
    broker: Server, stranger: redis.Redis
) -> None:
    for _ in range(2):
        async with Fleet(broker.url) as fleet, anyio.create_task_group() as group:
            group.start_soon(fleet.decide, TASK)
            await until(lambda: stranger.exists(f"{KEYS}:task:data:j1:t1:0") == 1)
            await anyio.sleep(0.2)
            assert fleet.counts().redelivered == 0
            group.cancel_scope.cancel()
    assert stranger.xlen(f"{KEYS}:queues:normal") == 1
    assert 0 < stranger.ttl(f"{KEYS}:task:data:j1:t1:0") <= 86400


@pytest.mark.usefixtures("often")
async def test_a_broker_that_is_full_is_told_without_what_it_was_given(
    broker: Server, stranger: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    async with Fleet(broker.url) as fleet, anyio.create_task_group() as group:
        stranger.config_set("maxmemory", 1)
        group.start_soon(fleet.decide, Task("t1", "j1", proofs=(Proof("a name", "the proof"),)))
        await until(lambda: "OOM" in caplog.text)
        stranger.config_set("maxmemory", 0)
        await until(lambda: stranger.exists(f"{KEYS}:task:data:j1:t1:0") == 1)
        group.cancel_scope.cancel()
    assert "proof" not in caplog.text
    assert "a name" not in caplog.text


@pytest.mark.parametrize(
    ("url", "options", "fields"),
    [
        ("nonsense", {}, ["url"]),
        ("http://host:6379", {}, ["url"]),
        ("redis://:secret@host:99999/0", {}, ["url"]),
        (6379, {}, ["url"]),
        ("redis://host", {"name": "a*b"}, ["name"]),
        ("redis://host", {"name": "", "tries": 0}, ["name", "tries"]),
        ("redis://host", {"tries": True}, ["tries"]),
    ],
)
async def test_what_cannot_be_used_is_named_and_no_password_shown(url, options: dict, fields: list[str]) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        Fleet(url, **options)
    assert [problem.field for problem in caught.value.problems] == fields
    assert "secret" not in str(caught.value)
    assert "pw" not in repr(Fleet("redis://:pw@host/0"))


@pytest.mark.parametrize(
    ("url", "shown"), [("127.0.0.1:6379", "127.0.0.1:6379"), ("redis//:s3cret@host", "(hidden)")]
)
def test_an_address_that_is_none_is_named_unless_it_may_hold_a_password(url: str, shown: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        Fleet(url)
    assert repr(shown) in str(caught.value)
    assert "s3cret" not in str(caught.value)
