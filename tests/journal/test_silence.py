"""A writer that falls silent, however that came about, loses its journal; one with nothing to do keeps it."""

from __future__ import annotations

import threading

import anyio
import pytest

from picoworkers_async import Journal, JournalBusyError, JournalTakenError, Rating
from picoworkers_async.journal import postgres_store
from picoworkers_async.journal.database import Database
from picoworkers_async.journal.postgres_store import PostgresStore
from picoworkers_async.journal.schema import Entry
from picoworkers_async.journal.writer import JournalWriter
from tests.support.line import Line
from tests.support.postgres import Server

# What is waited for is the server and a thread, whatever the event loop is.
pytestmark = [pytest.mark.anyio, pytest.mark.story, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

OK = Rating("j", "t", "ok", revision_number=0)


async def opened(address: str) -> JournalWriter:
    one = JournalWriter(Journal(address), account="a", edition="sproutgigs")
    await one.open()
    return one


async def opened_at_last(address: str) -> JournalWriter:
    """Opened as soon as nobody else has it."""
    with anyio.fail_after(60):
        while True:
            try:
                return await opened(address)
            except JournalBusyError:
                await anyio.sleep(0.1)


async def test_the_server_takes_the_journal_from_whoever_is_silent_and_not_from_whoever_has_nothing_to_do(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_store, "LEASE_SECONDS", 3.0)
    one = await opened(address)
    await anyio.sleep(4.5)
    with pytest.raises(JournalBusyError):
        await opened(address)
    await one.aclose()
    monkeypatch.setattr(PostgresStore, "renew", lambda store: None)
    silent = await opened(address)
    other = await opened_at_last(address)
    with pytest.raises(JournalTakenError):
        await silent.decide([Entry(OK)])
    await silent.aclose()
    await other.aclose()


async def test_the_server_takes_the_journal_from_whoever_is_stopped_in_the_middle_of_a_commit(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_store, "LEASE_SECONDS", 2.0)
    first = await opened(address)
    goes_on = threading.Event()

    def stopped(database: Database, given: None, now: float) -> None:
        database.execute("SELECT 1").fetchone()
        goes_on.wait(60)

    async with anyio.create_task_group() as group:

        @group.start_soon
        async def stuck() -> None:
            with pytest.raises(JournalTakenError):
                await first._write(stopped, None)

        second = await opened_at_last(address)
        goes_on.set()
    await first.aclose()
    await second.aclose()


async def test_whoever_is_cut_off_is_taken_over_and_writes_nothing_when_the_line_is_mended(
    postgres: Server, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_store, "LEASE_SECONDS", 2.0)
    with Line(postgres.port) as line:
        first = await opened(address.replace(f":{postgres.port}/", f":{line.port}/"))
        await first.decide([Entry(OK)])
        line.cut()
        async with anyio.create_task_group() as group:

            @group.start_soon
            async def cut_off() -> None:
                with pytest.raises(JournalTakenError):
                    await first.send([Entry(OK)])

            second = await opened_at_last(address)
            line.mend()
        await first.aclose()
    await second.aclose()
    assert Journal(address).counts() == {"decided": 1}
