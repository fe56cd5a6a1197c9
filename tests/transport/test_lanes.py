"""Lanes: one connection each, replaced after a bad end, handed on in order."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
import threading

import anyio
import httpx
import pytest
from anyio import wait_all_tasks_blocked

from picoworkers_async import AsyncPicoworkers, Fate, RetryPolicy, Throttle
from picoworkers_async.credentials import credentials
from picoworkers_async.throttle import Permit
from picoworkers_async.transport import default
from picoworkers_async.transport.adapters import NoResponseError
from picoworkers_async.transport.clients import OwnClient, client_with_lanes
from picoworkers_async.transport.httpx_adapter import HttpxAdapter
from picoworkers_async.transport.lanes import Lanes
from picoworkers_async.transport.tls import environment_tls
from tests.support.peer import GOOD, Peer, served_by_tls

pytestmark = [pytest.mark.anyio, pytest.mark.each_package]


def request(url: str, pool: float | None = 5.0) -> httpx.Request:
    timeout = {"connect": 5.0, "read": 5.0, "write": 5.0, "pool": pool}
    return httpx.Request("GET", url, extensions={"timeout": timeout})


def paced(base_url: str) -> HttpxAdapter:
    """An adapter over one lane, which is told when each request is written."""
    package = default.default_package()
    make = lambda: client_with_lanes(package, 1, base_url)  # noqa: E731
    source = OwnClient(package, make, "lanes", ours=True, paced=True)
    login = credentials("user_id", "api_secret")
    return HttpxAdapter(source, login, user_agent="tests", timeout=5.0, max_bytes=1000)


async def get(lanes: Lanes, url: str, pool: float | None = 5.0) -> bytes:
    response = await lanes.handle_async_request(request(url, pool))
    try:
        return await response.aread()
    finally:
        await response.aclose()


class Dripping:
    """A service in this event loop that answers in many small pieces, so that a client can be cut off anywhere."""

    def __init__(self) -> None:
        self.open: set[asyncio.StreamWriter] = set()
        self._closed = asyncio.Condition()

    async def has_at_most(self, connections: int) -> bool:
        """Whether no more are open, within five seconds."""
        with anyio.move_on_after(5):
            async with self._closed:
                await self._closed.wait_for(lambda: len(self.open) <= connections)
        return len(self.open) <= connections

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(writer)
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                answer = b'HTTP/1.1 200 OK\r\nContent-Length: 28\r\n\r\n{"spendable":1.0,"earned":1'
                for start in range(0, len(answer), 20):
                    writer.write(answer[start : start + 20])
                    await asyncio.sleep(0.001)
                writer.write(b"}")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            async with self._closed:
                self.open.discard(writer)
                self._closed.notify_all()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("way", ["task.cancel", "asyncio.timeout", "anyio"])
@pytest.mark.parametrize("carrier", ["lanes", "fast"])
async def test_calls_work_and_no_connection_leaks_after_cancellations_at_any_moment(
    way: str, carrier: str, monkeypatch
) -> None:
    """A hundred calls are cut off at random moments; then as many as there are lanes must pass at once."""
    if carrier == "lanes":
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    service, rng, lanes = Dripping(), random.Random(7), 3
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/"
    options = {"throttle": Throttle(lanes), "retry": RetryPolicy(attempts=1), "timeout": 5.0}
    async with AsyncPicoworkers("user_id", "api_secret", base_url=base, **options) as pico:
        cut = 0
        for _ in range(100):
            moment = rng.uniform(0, 0.012)
            if way == "task.cancel":
                task = asyncio.create_task(pico.users.get_balances())
                await asyncio.sleep(moment)
                task.cancel()
                (ended,) = await asyncio.gather(task, return_exceptions=True)
                cut += isinstance(ended, asyncio.CancelledError)
            elif way == "asyncio.timeout":
                try:
                    async with asyncio.timeout(moment):
                        await pico.users.get_balances()
                except TimeoutError:
                    cut += 1
            else:
                with anyio.move_on_after(moment) as scope:
                    await pico.users.get_balances()
                cut += scope.cancelled_caught
        assert cut > 20
        for _ in range(5):
            await pico.users.get_balances()
        async with anyio.create_task_group() as group:
            for _ in range(lanes * 2):
                group.start_soon(pico.users.get_balances)
        assert await service.has_at_most(lanes)
    assert await service.has_at_most(0)
    server.close()
    await server.wait_closed()


async def test_a_lane_whose_request_failed_is_replaced() -> None:
    def reset_first(connection, number: int) -> None:
        if number == 1:
            connection.close()
        else:
            connection.sendall(GOOD)

    lanes = Lanes(1)
    with Peer(reset_first) as peer:
        with pytest.raises(httpx.TransportError):
            await get(lanes, peer.url)
        before = set(lanes._all)
        for _ in range(3):
            assert await get(lanes, peer.url) == b"abc"
        assert set(lanes._all) == before
        assert len(before) == 1
    await lanes.aclose()


@pytest.mark.parametrize("what", ["an answer", "an end"])
@pytest.mark.parametrize("when", ["on a new connection", "on one used before"])
async def test_what_comes_while_a_paced_request_waits_to_be_written_is_not_its_answer(
    what: str, when: str, monkeypatch
) -> None:
    async def wait(permit: Permit) -> None:
        await peer.connected()
        if what == "an answer":
            peer._connections[-1].sendall(GOOD.replace(b"abc", b"bad"))
        else:
            peer._connections[-1].shutdown(socket.SHUT_WR)

    with Peer(lambda connection, _: connection.sendall(GOOD)) as peer:
        adapter = paced(peer.base)
        if when == "on one used before":
            await adapter.send("POST", peer.url, b"{}", await Throttle(1).acquire())
        sent, permit = len(peer.requests), await Throttle(1).acquire()
        with monkeypatch.context() as patch:
            patch.setattr(Permit, "before_writing", wait)
            with pytest.raises(NoResponseError, match="before the request was written") as caught:
                await adapter.send("POST", peer.url, b"{}", permit)
        assert caught.value.fate is Fate.NOT_PROCESSED
        assert len(peer.requests) == sent
        assert (await adapter.send("POST", peer.url, b"{}", await Throttle(1).acquire())).body == b"abc"
        await adapter.aclose()


async def test_what_tls_sends_first_on_a_lane_is_no_answer_that_came_before(monkeypatch, tmp_path) -> None:
    async def wait(permit: Permit) -> None:
        # With its handshake done, the service has sent its tickets for the next connection.
        await anyio.to_thread.run_sync(shaken_hands.wait, 10)

    shaken_hands = threading.Event()
    monkeypatch.setattr(Permit, "before_writing", wait)
    context = served_by_tls(monkeypatch, tmp_path)

    def greet(_: socket.socket) -> None:
        shaken_hands.set()

    with Peer(lambda connection, _: connection.sendall(GOOD), tls=context, greet=greet) as peer:
        adapter = paced(peer.base)
        for _ in range(3):
            permit = await Throttle(1).acquire()
            assert (await adapter.send("POST", peer.url, b"{}", permit)).body == b"abc"
        assert len(peer._connections) == 2, "one, and its TLS"
        await adapter.aclose()


async def test_an_answer_that_is_not_read_to_its_end_costs_its_connection_only() -> None:
    lanes = Lanes(1)
    with Peer(lambda connection, _: connection.sendall(GOOD)) as peer:
        response = await lanes.handle_async_request(request(peer.url))
        await response.aclose()
        assert await get(lanes, peer.url) == b"abc"
    await lanes.aclose()


async def test_a_lane_that_comes_free_goes_to_whom_waited_longest() -> None:
    lanes, order = Lanes(1), []
    with Peer(lambda connection, _: connection.sendall(GOOD)) as peer:
        held = await lanes.handle_async_request(request(peer.url))

        async def wait_for_it(name: int) -> None:
            await get(lanes, peer.url)
            order.append(name)

        async with anyio.create_task_group() as group:
            for name in range(5):
                group.start_soon(wait_for_it, name)
                await wait_all_tasks_blocked()
            await held.aread()
            await held.aclose()
            # Comes in the very moment in which the lane was given back, and still after those that waited.
            await wait_for_it(5)
    assert order == [0, 1, 2, 3, 4, 5]
    await lanes.aclose()


async def test_one_that_gives_up_waiting_takes_no_lane_with_it() -> None:
    lanes = Lanes(1)
    with Peer(lambda connection, _: connection.sendall(GOOD)) as peer:
        held = await lanes.handle_async_request(request(peer.url))
        async with anyio.create_task_group() as group:
            group.start_soon(get, lanes, peer.url)
            await wait_all_tasks_blocked()
            await held.aread()
            await held.aclose()
            # The lane is the waiting one's by now, which has not run yet.
            group.cancel_scope.cancel()
        assert await get(lanes, peer.url, pool=1.0) == b"abc"
        held = await lanes.handle_async_request(request(peer.url))
        with pytest.raises(httpx.PoolTimeout):
            await get(lanes, peer.url, pool=0.05)
        await held.aread()
        await held.aclose()
        assert await get(lanes, peer.url, pool=1.0) == b"abc"
    await lanes.aclose()


def test_all_lanes_of_all_clients_share_one_tls_context(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    loaded = []
    monkeypatch.setattr(httpx, "create_ssl_context", lambda: loaded.append(1) or ssl.create_default_context())
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0123abcd.0").write_text("a certificate")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "one"))
    first = environment_tls()
    assert environment_tls() is first
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "other"))
    assert environment_tls() is not first
    assert len(loaded) == 2
