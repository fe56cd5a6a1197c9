"""The block of a fleet, against a broker in which nobody decides."""

from __future__ import annotations

import anyio
import pytest

from picoworkers_async import ClientStateError, InvalidRequestError, Task
from picoworkers_async.fleet import Fleet
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
