"""What cannot be a journal in PostgreSQL is told at once, by an error that holds no password."""

from __future__ import annotations

import builtins
import logging
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from picoworkers_async import (
    AsyncPicoworkers,
    InvalidRequestError,
    Journal,
    JournalError,
    JournalUnreachableError,
    NotAJournalError,
)
from picoworkers_async.cli.main import main
from picoworkers_async.journal import postgres_session
from picoworkers_async.journal.places import JournalUrl
from picoworkers_async.journal.writer import JournalWriter
from tests.support.journals import altered
from tests.support.postgres import PASSWORD, Server
from tests.support.seeding import seeded

pytestmark = pytest.mark.anyio


async def opened(address: str) -> JournalWriter:
    one = JournalWriter(Journal(address), account="a", edition="sproutgigs")
    await one.open()
    return one


WRONG: dict[str, tuple[Callable[[Server], str], type[JournalError], str]] = {
    "a wrong password": (
        lambda server: server.url("postgres", password="wr%ng/secret"),
        JournalUnreachableError,
        "password authentication failed",
    ),
    "no such database": (lambda server: server.url("nowhere"), JournalUnreachableError, "does not exist"),
    "no server": (lambda server: server.url("postgres", port=1), JournalUnreachableError, "refused"),
    "a read-only replica": (
        lambda server: server.url("postgres") + "?options=-c%20default_transaction_read_only%3Don",
        JournalError,
        "read-only",
    ),
    "other tables": (
        lambda server: server.url("postgres") + "?journal=other",
        NotAJournalError,
        "else",
    ),
    "a database without UTF8": (lambda server: server.url("ascii"), JournalError, "SQL_ASCII; .* UTF8"),
    "a later format": (lambda server: server.url("postgres"), JournalError, "format 5"),
    "no such setting": (lambda server: server.url("postgres") + "?sslmode=nonsense", JournalError, "sslmode"),
}


@pytest.mark.parametrize("kind", WRONG)
async def test_what_cannot_be_a_journal_is_told_before_anything_is_sent_and_without_the_password(
    connect, postgres: Server, kind: str, caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest
) -> None:
    caplog.set_level(logging.DEBUG)
    make, error, said = WRONG[kind]
    address = make(postgres)
    if kind == "other tables":
        with postgres.connect("postgres") as connection:
            connection.execute("CREATE SCHEMA IF NOT EXISTS other; CREATE TABLE IF NOT EXISTS other.meta (a int)")
    if kind == "a database without UTF8":
        with postgres.connect("postgres") as connection:
            connection.execute("DROP DATABASE IF EXISTS ascii")
            connection.execute("CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII'")
    if kind == "a later format":
        address = request.getfixturevalue("address")
        await (await opened(address)).aclose()
        altered(address, "UPDATE meta SET value = '5' WHERE name = 'format'")
    sandbox, ratings = seeded(1)
    async with connect(sandbox) as pico:
        with pytest.raises(error, match=said) as raised:
            await pico.rate_all(ratings, journal=address)
    assert not sandbox.requests
    shown = "".join(traceback.format_exception(raised.value)) + repr(Journal(address)) + caplog.text
    shown += repr(vars(raised.value))
    for secret in (PASSWORD, "geheim", "wr%ng", "wr%25ng"):
        assert secret not in shown


async def test_a_server_that_is_too_old_says_which_is_needed(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_session, "OLDEST_VERSION", 990000)
    with pytest.raises(JournalError, match="PostgreSQL 18; a journal needs 99 or later"):
        await opened(address)


def test_without_psycopg_the_command_that_installs_it_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load = builtins.__import__

    def without(name: str, *arguments, **options):
        if name.split(".")[0] == "psycopg":
            raise ImportError(name)
        return load(name, *arguments, **options)

    monkeypatch.delitem(sys.modules, "psycopg")
    monkeypatch.setattr(builtins, "__import__", without)
    pico = AsyncPicoworkers("user_id", "api_secret")
    for call in (Journal, lambda address: pico.rate([], journal=address)):
        with pytest.raises(ImportError, match=r"install `picoworkers-async\[postgres\]`"):
            call("postgresql://localhost/db")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("postgresql://u:geheim@host/db?journal=Caps", "small letters"),
        ("postgresql://u:geheim@host/db?journal=pg_catalog", "small letters"),
        ("postgresql://u:geheim@host/db?journal=public", "small letters"),
        ("postgresql://u:geheim@host/db?nonsense=geheim", "as libpq takes it"),
        ("postgresql://u:%geheim@host/db", "as libpq takes it"),
        (Path("postgresql://u:geheim@host/db"), "is a str"),
        ("postgresql://host/?dbname=postgresql://u:geheim@host/db", "as libpq takes it"),
        ("postgresql://host/password%3Dgeheim", "as libpq takes it"),
        (" postgresql://u:geheim@host/db", "begins with"),
        ("postgresql+psycopg://u:geheim@host/db", "begins with"),
        ("postgresql:u:geheim@host/db", "begins with"),
    ],
)
def test_an_address_that_is_none_is_refused_with_the_remedy_and_without_the_password(
    path: str | Path, said: str
) -> None:
    with pytest.raises(InvalidRequestError, match=said) as raised:
        Journal(path)
    assert "geheim" not in str(raised.value) + repr(raised.value.problems)


def test_an_address_is_shown_without_its_password_and_settings() -> None:
    address = "postgresql://u:geheim@db.example:5433/pay?sslmode=require&journal=bot&passfile=geheim"
    assert str(JournalUrl(address)) == "postgresql://u@db.example:5433/pay?journal=bot"
    assert repr(Journal(address)) == "Journal('postgresql://u@db.example:5433/pay?journal=bot')"
    assert JournalUrl("postgres:///pay").name == "picoworkers"


def test_an_address_that_the_command_has_no_place_for_is_shown_without_the_password(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["journal", "nonsense", "postgresql://u:gehe@im@host/db"]) == 2
    shown = capsys.readouterr().err
    assert "postgresql://(hidden)@host/db" in shown
    assert "gehe" not in shown


def test_the_command_for_journals_takes_an_address_and_shows_it_without_the_password(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def make() -> None:
        await (await opened(address)).aclose()

    anyio.run(make)
    assert main(["journal", "withdraw", address]) == 2
    assert main(["journal", address, "--json"]) == 0
    shown = capsys.readouterr()
    assert "add --yes" in shown.err
    assert '"counts": {}' in shown.out
    assert "geheim" not in shown.out + shown.err
