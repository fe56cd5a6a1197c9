"""What every pacer does, and how each fails: on real files and real servers."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import anyio
import pytest

from picoworkers_async import (
    AsyncPicoworkers,
    InvalidRequestError,
    PacerError,
    RedisPacer,
    SqlitePacer,
    Throttle,
)
from picoworkers_async.sandbox import Sandbox
from tests.support.valkey import Server


@pytest.fixture
def pacer(store: str) -> SqlitePacer | RedisPacer:
    pacer = RedisPacer(store) if store.startswith("redis:") else SqlitePacer(store)
    pacer.bind("account")
    return pacer


@pytest.mark.anyio
async def test_slots_keep_their_distance_and_one_given_back_is_used_again(pacer) -> None:
    first = await pacer.reserve(1.0)
    second = await pacer.reserve(1.0)
    assert second.slot - first.slot == pytest.approx(1.02)
    await pacer.give_back(second)
    again = await pacer.reserve(1.0)
    assert again.slot == pytest.approx(second.slot)
    await pacer.give_back(first)
    assert (await pacer.reserve(1.0)).slot == pytest.approx(again.until)


@pytest.mark.anyio
async def test_a_pause_silences_everybody_and_the_first_after_it_goes_alone(pacer) -> None:
    await pacer.reserve(0.1)
    await pacer.pause(60.0, widen=True)
    departure = await pacer.depart(0.1, await pacer.depart(0.1, None))
    assert 50.0 <= departure.wait <= 60.0
    first, second, third = [await pacer.reserve(0.1) for _ in range(3)]
    assert first.slot == pytest.approx(departure.until, abs=0.001)
    assert second.slot - first.slot == pytest.approx(1.0, abs=0.01)
    assert third.slot - second.slot == pytest.approx(0.106, abs=0.001)


@pytest.mark.anyio
async def test_a_caller_that_gives_up_frees_its_slot_for_other_processes(pacer) -> None:
    throttle = Throttle(4, 1.0, pacer=pacer)
    await throttle.acquire()
    with anyio.move_on_after(0.2):
        await throttle.acquire()
    assert throttle.state().in_flight == 1
    assert (await pacer.reserve(1.0)).wait <= 0.9


@pytest.mark.anyio
async def test_a_client_names_the_account_and_nothing_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    throttle = Throttle(4, 50.0, pacer=SqlitePacer())
    sandbox = Sandbox()
    async with AsyncPicoworkers("user_id", "api_secret", transport=sandbox.transport(), throttle=throttle) as pico:
        await pico.users.get_balances()
    (found,) = tmp_path.rglob("pace-*.db")
    assert "user_id" not in found.name
    assert b"api_secret" not in found.read_bytes()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("text", "not a pacer's database"),
        ("folder", "a folder"),
        ("nowhere", "there is no folder"),
    ],
)
async def test_a_file_that_is_no_database_or_cannot_be_made_is_a_clear_error(
    tmp_path: Path, kind: str, reason: str
) -> None:
    path = tmp_path / "pace.db"
    match kind:
        case "text":
            path.write_text("no database" * 1000)
        case "folder":
            path.mkdir()
        case "nowhere":
            path = tmp_path / "nowhere" / "pace.db"
    throttle = Throttle(4, 1.0, pacer=SqlitePacer(path))
    with pytest.raises(PacerError, match=reason) as caught:
        await throttle.acquire()
    assert str(path) in str(caught.value)
    assert "Name a file that this user may write" in str(caught.value)
    assert throttle.state().in_flight == 0


@pytest.mark.anyio
async def test_a_file_that_is_locked_for_long_is_lost_not_fatal(tmp_path: Path) -> None:
    path = tmp_path / "pace.db"
    pacer = SqlitePacer(path)
    pacer.bind("account")
    await pacer.reserve(1.0)
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    throttle = Throttle(4, 10.0, pacer=pacer)
    with anyio.fail_after(8):
        await throttle.acquire()
    blocker.close()


@pytest.mark.anyio
async def test_a_password_that_is_refused_is_a_clear_error(tmp_path: Path) -> None:
    server = Server(tmp_path, "--requirepass", "sesame")
    server.start()
    try:
        for url in (server.url, server.url.replace("//", "//:wrong@")):
            with pytest.raises(PacerError, match="password"):
                await Throttle(4, 1.0, pacer=RedisPacer(url)).acquire()
        good = RedisPacer(server.url.replace("//", "//:sesame@"))
        assert "sesame" not in repr(good)
        await Throttle(4, 1.0, pacer=good).acquire()
    finally:
        server.stop()


def test_a_pacer_without_a_rate_to_share_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="requests_per_second"):
        Throttle(pacer=SqlitePacer("x.db"))
    with pytest.raises(PacerError, match="url"):
        RedisPacer("nonsense")


@pytest.mark.anyio
async def test_a_departure_that_is_held_is_kept_and_one_that_was_missed_is_replaced(pacer) -> None:
    await pacer.depart(100.0, None)
    early = await pacer.depart(100.0, None)
    assert (early.wait > 50.0, early.at) == (True, early.until)
    later = await pacer.depart(100.0, early)
    assert later.until - later.at == pytest.approx(102.0, abs=0.001)
    same = await pacer.depart(100.0, later)
    assert (same.at, same.until) == (pytest.approx(later.at), pytest.approx(later.until))
    await pacer.pause(300.0, widen=False)
    moved = await pacer.depart(100.0, same)
    assert moved.at - later.at >= 50.0
    assert moved.wait <= 300.0


@pytest.mark.anyio
async def test_slots_are_not_before_what_has_left(pacer) -> None:
    departure = await pacer.depart(100.0, await pacer.depart(100.0, None))
    assert (await pacer.reserve(100.0)).slot >= departure.until - 0.001
