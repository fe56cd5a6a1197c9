"""A page over a journal: for one browser, read-only, beside the batch and after it."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from anyio.from_thread import BlockingPortal

from picoworkers_async import (
    InvalidRequestError,
    Journal,
    JournalError,
    NotAJournalError,
    Rating,
)
from picoworkers_async.console import watch_journal
from picoworkers_async.journal.glance import glance
from picoworkers_async.journal.lock import FileLock
from picoworkers_async.sandbox import Sandbox


async def rated(path: Path, *, comment: str = "Nothing was handed in.") -> Sandbox:
    """A journal of one that was paid, one that was not, and one that was refused."""
    sandbox = Sandbox(edition="sproutgigs")
    job_id = sandbox.add_job(task_value="0.10")
    good, bad, refused = sandbox.add_tasks(job_id, 3)
    sandbox.refuse(refused, "Task <b>cannot</b>\x1b be rated.")
    ratings = [
        Rating(job_id, good, "ok", bonus="0.05"),
        Rating(job_id, bad, "not_ok", comment=comment, satisfaction="incorrect"),
        Rating(job_id, refused, "ok"),
    ]
    async with sandbox.client() as pico:
        await pico.rate_all(ratings, journal=path)
    return sandbox


def test_the_address_opens_one_browser_once(portal: BlockingPortal, tmp_path: Path) -> None:
    path = tmp_path / "paid.db"
    portal.call(rated, path)
    with portal.wrap_async_context_manager(watch_journal(path)) as url:
        page, token = url.split("?token=")
        with httpx.Client() as stranger, httpx.Client() as guest, httpx.Client() as late:
            for wrong in (
                page,
                f"{page}?token=",
                f"{page}?token=wrong",
                f"{page}?token=%C3%A9",
                f"{page}_console/events",
            ):
                assert stranger.get(wrong).status_code == 403
            assert stranger.post(url).status_code == 403
            assert stranger.get(url, headers={"host": "evil.example"}).status_code == 421
            welcome = guest.get(url)
            assert (welcome.status_code, welcome.headers["refresh"]) == (200, "0; url=/")
            cookie = welcome.headers["set-cookie"].lower()
            assert "httponly" in cookie
            assert "samesite=strict" in cookie
            assert token not in welcome.text
            assert late.get(url).status_code == 403
            assert guest.get(page).status_code == 200
            assert guest.get(f"{page}_console/console.js").status_code == 200
            late.cookies.set(cookie.partition("=")[0], "wrong")
            assert late.get(page).status_code == 403


def test_it_shows_what_was_paid_and_what_the_service_said_harmless(portal: BlockingPortal, tmp_path: Path) -> None:
    path = tmp_path / "paid.db"
    portal.call(rated, path)
    with portal.wrap_async_context_manager(watch_journal(path)) as url, httpx.Client() as guest:
        guest.get(url)
        text = guest.get(url.partition("?")[0]).text
        assert 'data-number="rated">2<' in text
        assert 'data-number="refused">1<' in text
        assert 'data-number="bonus">$0.05<' in text
        assert "Task &lt;b&gt;cannot&lt;/b&gt;" in text
        assert "\x1b" not in text
        assert not re.search(r"<form|<button|<b>", text)


def test_nothing_can_be_done_from_it(portal: BlockingPortal, tmp_path: Path) -> None:
    path = tmp_path / "paid.db"
    portal.call(rated, path)
    before = path.read_bytes()
    with portal.wrap_async_context_manager(watch_journal(path)) as url, httpx.Client() as guest:
        guest.get(url)
        assert guest.post(f"{url.partition('?')[0]}_console/do/submit").status_code == 403
        assert guest.get(url.partition("?")[0]).status_code == 200
    assert path.read_bytes() == before


def test_it_never_takes_the_lock_of_a_batch_and_sees_what_a_batch_writes(
    portal: BlockingPortal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "paid.db"
    portal.call(rated, path)
    lock = FileLock(path)
    try:
        with portal.wrap_async_context_manager(watch_journal(path)) as url, httpx.Client() as guest:
            guest.get(url)
            page = url.partition("?")[0]
            database = sqlite3.connect(path)
            database.execute("BEGIN IMMEDIATE")
            database.execute("UPDATE ratings SET state = 'unknown' WHERE verdict = 'not_ok'")
            assert 'data-number="unknown">0<' in guest.get(page).text
            database.execute("COMMIT")
            assert 'data-number="unknown">1<' in guest.get(page).text
            database.close()
    finally:
        lock.release()

    def forbidden(*_: object) -> None:
        raise AssertionError("the lock was asked for")

    monkeypatch.setattr("picoworkers_async.journal.lock._lock", forbidden)
    with portal.wrap_async_context_manager(watch_journal(path)) as url, httpx.Client() as guest:
        guest.get(url)
        assert guest.get(url.partition("?")[0]).status_code == 200


_DIES = """
import os, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("UPDATE ratings SET state = 'sent' WHERE verdict = 'ok' AND state = 'rated'")
os._exit(9)
"""


def test_it_works_after_the_batch_died(portal: BlockingPortal, tmp_path: Path) -> None:
    path = tmp_path / "paid.db"
    portal.call(rated, path)
    assert subprocess.run([sys.executable, "-c", _DIES, path]).returncode == 9
    with portal.wrap_async_context_manager(watch_journal(path)) as url, httpx.Client() as guest:
        guest.get(url)
        page = url.partition("?")[0]
        assert 'data-number="unknown">1<' in guest.get(page).text
        path.unlink()
        text = guest.get(page).text
    assert "there is no such file" in text
    assert 'data-number="unknown">1<' in text


def test_days_and_counts_are_those_of_the_journal(portal: BlockingPortal, tmp_path: Path) -> None:
    path = tmp_path / "paid.db"
    portal.call(rated, path)
    (day,) = Journal(path).summary()
    with portal.wrap_async_context_manager(watch_journal(path)) as url, httpx.Client() as guest:
        guest.get(url)
        assert f'data-key="{day.key}"' in guest.get(url.partition("?")[0]).text


@pytest.mark.anyio
async def test_what_is_no_journal_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"no journal" * 1000)
    for path, problem in ((tmp_path / "none", JournalError), (tmp_path / "other", NotAJournalError)):
        with pytest.raises(problem):
            async with watch_journal(path):
                pass
    for options in ({"path": ":memory:"}, {"path": tmp_path / "x", "timezone": "Mars/Olympus"}):
        with pytest.raises(InvalidRequestError):
            async with watch_journal(**options):
                pass


@pytest.mark.anyio
async def test_it_can_be_watched_from_either_event_loop(tmp_path: Path) -> None:
    path = tmp_path / "paid.db"
    await rated(path)
    async with watch_journal(path) as url, httpx.AsyncClient() as guest:
        assert (await guest.get(url)).status_code == 200


@pytest.mark.parametrize("number", [1, 2, 3])
def test_journals_of_earlier_formats_can_be_watched(tmp_path: Path, number: int) -> None:
    path = tmp_path / "old.db"
    path.write_bytes((Path(__file__).parents[1] / "journal" / "data" / f"format{number}.db").read_bytes())
    found = glance(path, since=0.0)
    assert found.counts == Journal(path).counts()
    assert len(found.last) == sum(found.counts.values())
    assert sum(found.sent.values()) == len([row for row in found.last if row.sent_at is not None])
