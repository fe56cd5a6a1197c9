"""A journal in PostgreSQL: connections that are lost, writers that were taken over, and what cannot be one."""

from __future__ import annotations

from pathlib import Path

import anyio
import psycopg
import pytest

from picoworkers_async import (
    InvalidRequestError,
    Journal,
    JournalBusyError,
    JournalError,
    JournalTakenError,
    JournalUnreachableError,
    Rating,
)
from picoworkers_async.events import Event, StandbyWaiting, TookOver
from picoworkers_async.journal import postgres_store
from picoworkers_async.journal.postgres_store import PostgresStore
from picoworkers_async.journal.schema import Entry
from picoworkers_async.journal.writer import JournalWriter
from tests.support.journals import altered
from tests.support.postgres import PASSWORD, Server
from tests.support.seeding import seeded

pytestmark = pytest.mark.anyio

OK = Rating("j", "t", "ok", revision_number=0)


async def opened(address: str) -> JournalWriter:
    one = JournalWriter(Journal(address), account="a", edition="sproutgigs")
    await one.open()
    return one


def store_of(one: JournalWriter) -> PostgresStore:
    assert isinstance(one._store, PostgresStore)
    return one._store


def cut(one: JournalWriter, postgres: Server) -> None:
    """Have the server end its session, as an administrator would."""
    session = store_of(one)._session
    assert session is not None
    with postgres.connect("postgres") as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", (session.connection.info.backend_pid,))


def lose_at_commit(one: JournalWriter, *, arrives: bool) -> None:
    """Have the connection break when the next commit is asked for: before that arrives, or before its answer."""
    session = store_of(one)._session
    assert session is not None
    connection, execute = session.connection, session.connection.execute

    def breaking(query, *arguments, **options):
        if query != "COMMIT":
            return execute(query, *arguments, **options)
        if arrives:
            execute(query)
        connection.close()
        raise psycopg.OperationalError("the connection is lost")

    connection.execute = breaking  # type: ignore[method-assign]


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_commit_whose_answer_is_lost_is_made_once_and_tells_what_it_found(
    address: str, arrives: bool
) -> None:
    one = await opened(address)
    lose_at_commit(one, arrives=arrives)
    assert await one.send([Entry(OK)]) == [None]
    (before,) = await one.send([Entry(OK)])
    await one.aclose()
    assert before is not None
    assert Journal(address).counts() == {"sent": 1}


async def test_a_session_that_the_server_ended_is_opened_again_and_still_holds_the_journal(
    postgres: Server, address: str
) -> None:
    one = await opened(address)
    cut(one, postgres)
    assert await one.send([Entry(OK)]) == [None]
    with pytest.raises(JournalBusyError, match="another batch"):
        await opened(address)
    cut(one, postgres)
    assert [recorded.rating for recorded in await one.unfinished(None)] == [OK]
    await one.aclose()


@pytest.mark.parametrize("still_open", [True, False])
async def test_whoever_was_taken_over_writes_and_reads_no_more(
    postgres: Server, address: str, still_open: bool
) -> None:
    first = await opened(address)
    await first.decide([Entry(OK)])
    cut(first, postgres)
    second = await opened(address)
    if not still_open:
        await second.aclose()
    for _ in range(2):
        with pytest.raises(JournalTakenError, match="took it over"):
            await first.send([Entry(OK)])
        with pytest.raises(JournalTakenError, match="took it over"):
            await first.unfinished(None)
    await first.aclose()
    await second.aclose()
    assert Journal(address).counts() == {"decided": 1}


async def test_a_commit_with_the_token_of_an_earlier_writer_writes_nothing(address: str) -> None:
    """Whatever became of the lock: as behind a pool of connections that gives it to another."""
    one = await opened(address)
    altered(address, "UPDATE writer SET token = token + 1")
    with pytest.raises(JournalTakenError):
        await one.decide([Entry(OK)])
    await one.aclose()
    assert Journal(address).counts() == {}


async def test_a_server_that_stays_away_ends_the_batch_and_what_it_noted_is_kept(
    postgres: Server, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_store, "RECONNECT_SECONDS", 0.3)
    one = await opened(address)
    await one.decide([Entry(OK)])

    def away(*arguments: object, **options: object) -> None:
        raise psycopg.OperationalError("connection refused")

    with monkeypatch.context() as patch:
        cut(one, postgres)
        patch.setattr(psycopg, "connect", away)
        with pytest.raises(JournalUnreachableError, match="connection refused"):
            await one.send([Entry(OK)])
    await one.aclose()
    assert Journal(address).counts() == {"decided": 1}


async def test_journals_of_other_names_in_one_database_have_nothing_in_common(address: str) -> None:
    one, other = await opened(address), await opened(f"{address}_other")
    await one.send([Entry(OK)])
    assert await other.send([Entry(OK)]) == [None]
    await one.aclose()
    assert Journal(address).running() is None
    assert Journal(f"{address}_other").running() is not None
    await other.aclose()


async def test_a_batch_stands_by_until_the_other_one_ends_and_tells_so(connect, address: str) -> None:
    sandbox, ratings = seeded(5)
    told: list[Event] = []
    waits = anyio.Event()

    def tell(event: Event) -> None:
        told.append(event)
        if isinstance(event, StandbyWaiting):
            waits.set()

    async with connect(sandbox, on_event=tell) as pico:
        first = JournalWriter(Journal(address), account=pico._session.account, edition=sandbox.edition.name)
        await first.open()
        async with anyio.create_task_group() as group:

            @group.start_soon
            async def second() -> None:
                report = await pico.rate_all(ratings, journal=address, standby=True)
                assert report.rated == 5

            await waits.wait()
            assert not sandbox.ledger
            await first.aclose()
    names = [type(event) for event in told]
    assert names.count(StandbyWaiting) == names.count(TookOver) == 1
    assert PASSWORD not in repr(told)


async def test_standing_by_may_be_cancelled(connect, address: str) -> None:
    sandbox, ratings = seeded(5)
    first = await opened(address)
    async with connect(sandbox) as pico:
        with anyio.move_on_after(0.1) as scope:
            await pico.rate_all(ratings, journal=address, standby=True)
    assert scope.cancelled_caught
    await first.aclose()
    await (await opened(address)).aclose()


@pytest.mark.parametrize("journal", [None, "ratings.db", Journal("ratings.db")])
async def test_only_a_journal_in_a_database_can_be_stood_by_for(connect, journal: object) -> None:
    sandbox, ratings = seeded(1)
    async with connect(sandbox) as pico:
        with pytest.raises(InvalidRequestError, match=r"standby.*a journal in PostgreSQL"):
            pico.rate(ratings, journal=journal, standby=True)


async def test_what_was_noted_and_then_held_up_is_not_sent_before_the_journal_was_asked_again(
    connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a program that was stopped between the journal and the wire meets whoever took it over."""
    sandbox, ratings = seeded(3)
    stopped = iter([True, True])
    monkeypatch.setattr(JournalWriter, "is_stale", lambda writer: next(stopped, False))
    unsent: list[Rating] = []
    unsend = JournalWriter.unsend

    async def noting(writer: JournalWriter, taken_back: list[Rating]) -> None:
        assert not sandbox.ledger
        unsent.extend(taken_back)
        await unsend(writer, taken_back)

    monkeypatch.setattr(JournalWriter, "unsend", noting)
    async with connect(sandbox) as pico:
        report = await pico.rate_all(ratings, journal=tmp_path / "ratings.db")
    assert (report.rated, sandbox.double_ratings, len(unsent)) == (3, 0, 2)
    assert [logged.method for logged in sandbox.requests].count("POST") == 3


async def test_a_text_that_postgresql_cannot_hold_comes_back_as_it_was(address: str) -> None:
    odd = Rating("j\ue000", "t\0\ue0000\ue0001", "not_ok", comment="a\0b", block_worker=True, revision_number=0)
    one = await opened(address)
    await one.send([Entry(odd)])
    (found,) = await one.unfinished(None)
    await one.aclose()
    assert found.rating == odd
    assert [row.rating for row in Journal(address).rows(job_id="j\ue000")] == [odd]


async def test_a_pooler_that_swaps_the_servers_sessions_cannot_have_one_journal_written_into_another(
    postgres: Server,
) -> None:
    addresses = [f"{postgres.url('postgres')}?journal=pooled_{name}" for name in "ab"]
    one, other = [await opened(address) for address in addresses]
    ours, theirs = store_of(one), store_of(other)
    assert ours.token == theirs.token
    ours._session, theirs._session = theirs._session, ours._session
    with pytest.raises(JournalError, match="pools transactions"):
        await one.send([Entry(OK)])
    ours._session, theirs._session = theirs._session, ours._session
    # The same session of the server, after another client of the pooler had it.
    assert ours._session is not None
    ours._session.connection.execute("SELECT set_config('search_path', 'pooled_b', false)")
    with pytest.raises(JournalError, match="pools transactions"):
        await one.send([Entry(OK)])
    await one.aclose()
    await other.aclose()
    assert [Journal(address).counts() for address in addresses] == [{}, {}]


async def test_the_encoding_that_an_address_names_keeps_no_text_out(address: str) -> None:
    one = await opened(f"{address}&client_encoding=latin1")
    snow = Rating("j", "t", "revise", comment="☃", revision_number=0)
    await one.send([Entry(snow)])
    assert (await one.unfinished(None))[0].rating == snow
    await one.aclose()


@pytest.mark.parametrize("name", ["user", "select", "default", "authorization"])
async def test_a_word_of_sql_may_name_a_journal(postgres: Server, name: str) -> None:
    address = f"{postgres.url('postgres')}?journal={name}"
    one = await opened(address)
    await one.send([Entry(OK)])
    await one.aclose()
    assert Journal(address).counts() == {"sent": 1}
