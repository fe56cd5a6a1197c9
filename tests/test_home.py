"""A client belongs to the event loop and the process that it was entered in; a throttle to any of them."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest

from picoworkers_async import AsyncPicoworkers, ClientStateError, Priority, Rating, SqlitePacer, Throttle, Verdict
from picoworkers_async.sandbox import Sandbox
from tests.support.forked import in_child

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")


class Counted(httpx.AsyncBaseTransport):
    """Counts what is sent, and whether it was closed."""

    def __init__(self) -> None:
        self.sent, self.closed = 0, False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent += 1
        return httpx.Response(200, json={"ok": True, "message": "rated"})

    async def aclose(self) -> None:
        self.closed = True


def client(transport: httpx.AsyncBaseTransport, throttle: Throttle | None = None) -> AsyncPicoworkers:
    return AsyncPicoworkers("user_id", "api_secret", transport=transport, throttle=throttle or Throttle())


async def check(pico: AsyncPicoworkers) -> None:
    await pico.users.get_balances()


async def rate_many(pico: AsyncPicoworkers) -> None:
    await pico.rate_all([Rating("j1", "t1", Verdict.OK)])


async def close(pico: AsyncPicoworkers) -> None:
    await pico.aclose()


USES = [check, rate_many, close]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("use", USES)
def test_a_client_entered_in_one_loop_is_refused_in_another(backend: str, use: Callable[..., Any]) -> None:
    transport = Counted()
    pico = client(transport)
    errors: list[BaseException] = []

    def elsewhere() -> None:
        try:
            anyio.run(use, pico, backend=backend)
        except ClientStateError as error:
            errors.append(error)

    async def enter() -> None:
        async with pico:
            thread = threading.Thread(target=elsewhere, name="another")
            thread.start()
            thread.join()

    asyncio.run(enter())
    (error,) = errors
    assert "thread 'MainThread'" in str(error)
    assert f"{backend}'s event loop" in str(error)
    assert "thread 'another'" in str(error)
    assert transport.sent == 0
    assert transport.closed


def test_a_client_left_open_by_one_run_is_refused_in_the_next() -> None:
    pico = client(Counted())
    asyncio.run(pico.__aenter__())
    with pytest.raises(ClientStateError, match="one Throttle"):
        asyncio.run(check(pico))


@pytest.mark.parametrize("use", [check, rate_many])
def test_a_client_entered_before_a_fork_says_so_in_the_child(use: Callable[..., Any]) -> None:
    transport = Counted()
    pico = client(transport)
    asyncio.run(pico.__aenter__())

    def work() -> str:
        with pytest.raises(ClientStateError, match="forked"):
            asyncio.run(use(pico))
        with pytest.raises(ClientStateError, match="forked"):
            # What a batch does that was under way.
            pico._session.slot_now()
        asyncio.run(pico.aclose())
        with pytest.raises(ClientStateError, match="closed"):
            asyncio.run(check(pico))
        return f"sent {transport.sent}, closed {transport.closed}"

    assert in_child(work) == "sent 0, closed False"


def test_a_client_that_was_only_made_before_a_fork_works_in_the_child() -> None:
    sandbox = Sandbox()
    pico = client(sandbox.transport())

    async def balances() -> str:
        async with pico:
            return str((await pico.users.get_balances()).spendable)

    mine = in_child(lambda: asyncio.run(balances()))
    assert mine == asyncio.run(balances())


def test_a_throttle_in_use_by_other_threads_works_in_a_forked_child() -> None:
    throttle, over = Throttle(2, 200.0), threading.Event()

    async def use() -> None:
        while not over.is_set():
            with await throttle.acquire() as permit:
                await permit.before_writing()
                permit.written()

    async def hold() -> None:
        with await throttle.acquire():
            await anyio.sleep_forever()

    async def all_of_it() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(hold)
            for _ in range(3):
                group.start_soon(use)
            await anyio.to_thread.run_sync(over.wait)
            group.cancel_scope.cancel()

    async def three() -> str:
        for _ in range(3):
            with await throttle.acquire(Priority.BATCH) as permit:
                await permit.before_writing()
                permit.written()
        return f"{throttle.state().in_flight} under way"

    thread = threading.Thread(target=asyncio.run, args=(all_of_it(),), daemon=True)
    thread.start()
    while not throttle.state().in_flight:
        time.sleep(0.001)
    # The lock itself may be held by another thread in the moment of the fork.
    with throttle._departures.loops.lock:
        locked = in_child_of_a_thread(lambda: asyncio.run(three()))
    told = [in_child(lambda: asyncio.run(three())) for _ in range(3)]
    over.set()
    thread.join(20)
    assert [locked, *told] == ["0 under way"] * 4
    assert throttle.state().in_flight == 0


def in_child_of_a_thread(work: Callable[[], str]) -> str:
    told: list[str] = []
    thread = threading.Thread(target=lambda: told.append(in_child(work)))
    thread.start()
    thread.join(30)
    return told[0]


@pytest.mark.parametrize("used_before", [False, True])
def test_a_pacer_made_before_a_fork_is_one_more_client_of_the_file_in_the_child(
    tmp_path: Path, used_before: bool
) -> None:
    path = tmp_path / "pace.db"
    pacer = SqlitePacer(path)
    pacer.bind("account")
    throttle = Throttle(2, 50.0, pacer=pacer)

    async def use() -> str:
        for _ in range(3):
            with await throttle.acquire() as permit:
                await permit.before_writing()
                permit.written()
        return str(time.monotonic())

    if used_before:
        asyncio.run(use())
    parents = pacer._database
    with pacer._one_at_a_time:
        mine = in_child_of_a_thread(lambda: f"{asyncio.run(use())} {pacer._database is parents}")
    at, same = mine.split()
    assert same == "False"
    assert float(asyncio.run(use())) - float(at) >= 2 / 50.0
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM clients").fetchone() == (2,)
    pacer.close()
