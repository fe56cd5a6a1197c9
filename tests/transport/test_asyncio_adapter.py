"""The fast adapter: nothing is sent twice, no answer taken for another's, and a permit told the very moment."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import pytest

from picoworkers_async import AsyncPicoworkers, ClientStateError, Fate, PacerError, RetryPolicy, Throttle
from picoworkers_async.credentials import credentials
from picoworkers_async.transport import connection, connections
from picoworkers_async.transport.adapters import NoResponseError, Response
from picoworkers_async.transport.asyncio_adapter import AsyncioAdapter
from picoworkers_async.transport.tls import environment_tls
from tests.support.peer import GOOD, Peer, reset, served_by_tls

pytestmark = pytest.mark.anyio

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Noted:
    """A permit that notes what it is told, and does something before it lets a request be written."""

    def __init__(self, before: Callable[[], Any] | None = None) -> None:
        self.told: list[str] = []
        self._before = before

    async def before_writing(self) -> None:
        self.told.append("before")
        if self._before is not None and self.told.count("before") == 1:
            await self._before()

    def written(self) -> None:
        self.told.append("written")

    def answered(self) -> None: ...

    def release(self) -> None: ...


class Busy(Noted):
    """A permit with which the program stands still before each write, until the peer has done something."""

    def __init__(self) -> None:
        super().__init__()
        self._still, self._done = threading.Semaphore(0), threading.Semaphore(0)

    async def before_writing(self) -> None:
        self.told.append("before")
        self._still.release()
        assert self._done.acquire(timeout=10)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """For the peer's thread: what it does in this block, the event loop has not read when the wait is over."""
        assert self._still.acquire(timeout=10)
        yield
        self._done.release()


def adapter(url: str, timeout: float = 5.0, max_bytes: int = 1000) -> AsyncioAdapter:
    login = credentials("user_id", "api_secret")
    return AsyncioAdapter(url, login, user_agent="tests", timeout=timeout, max_bytes=max_bytes)


async def send(wire: AsyncioAdapter, url: str, permit: Any = None, method: str = "POST") -> Response:
    return await wire.send(method, url, b"{}" if method == "POST" else None, permit or Noted())


def answering(*answers: bytes) -> Callable[[socket.socket, int], None]:
    """A service that gives these answers, one a request; after an empty one it resets the connection."""

    def behave(connection: socket.socket, number: int) -> None:
        if answer := answers[min(number, len(answers)) - 1]:
            connection.sendall(answer)
        else:
            reset(connection)

    return behave


def numbered(body: bytes, more: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%b\r\n%b" % (len(body), more, body)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_nothing_is_sent_a_second_time_over_a_connection_that_dies_in_use(method: str) -> None:
    with Peer(answering(GOOD, b"")) as peer:
        wire = adapter(peer.url)
        await send(wire, peer.url, method=method)
        with pytest.raises(NoResponseError) as caught:
            await send(wire, peer.url, method=method)
        assert caught.value.fate is Fate.UNKNOWN
        assert len(peer.requests) == 2
        await wire.aclose()


async def test_what_a_busy_program_has_not_read_yet_ends_a_connection_before_it_is_used_again() -> None:
    def answer_and_go(connection: socket.socket, _: int) -> None:
        connection.sendall(GOOD)
        time.sleep(0.05)
        reset(connection)

    with Peer(answer_and_go) as peer:
        wire = adapter(peer.url)
        for number in range(1, 4):
            assert (await send(wire, peer.url)).body == b"abc"
            assert len(peer.requests) == number
            # The event loop stands still, and learns nothing of the reset.
            time.sleep(0.2)  # noqa: ASYNC251
        await wire.aclose()


@pytest.mark.parametrize("delay", [0.0, 0.05], ids=["at once", "later"])
async def test_an_answer_that_nobody_asked_for_is_never_the_next_requests(delay: float) -> None:
    def behave(connection: socket.socket, number: int) -> None:
        # Its body would be the next answer.
        surplus = b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"
        connection.sendall(numbered(b"%d" % number) + (b"" if delay else surplus))
        if delay:
            time.sleep(delay)
            connection.sendall(surplus)

    with Peer(behave) as peer:
        wire = adapter(peer.url)
        for number in range(1, 4):
            assert (await send(wire, peer.url)).body == b"%d" % number
            await anyio.sleep(2 * delay)
        await wire.aclose()


@pytest.mark.parametrize("secure", [False, True], ids=["tcp", "tls"])
async def test_an_answer_that_came_before_its_request_is_not_the_requests(
    monkeypatch, tmp_path, secure: bool
) -> None:
    context = served_by_tls(monkeypatch, tmp_path) if secure else None
    busy = Busy()

    def early(connection: socket.socket) -> None:
        # Not to be kept back until the client has acknowledged what TLS sent before.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with busy.standing_still():
            connection.sendall(numbered(b"early"))

    with Peer(answering(GOOD), tls=context, greet=early) as peer:
        wire = adapter(peer.url)
        with pytest.raises(NoResponseError, match="before the request was written") as caught:
            await send(wire, peer.url, busy)
        assert caught.value.fate is Fate.NOT_PROCESSED
        assert peer.requests == []
        await wire.aclose()


async def test_an_answer_that_comes_while_a_request_waits_in_a_busy_program_is_not_the_requests() -> None:
    busy = Busy()

    def behave(connection: socket.socket, number: int) -> None:
        connection.sendall(numbered(b"%d" % number))
        if number == 1:
            with busy.standing_still():
                connection.sendall(numbered(b"stray"))

    with Peer(behave) as peer:
        wire = adapter(peer.url)
        assert (await send(wire, peer.url)).body == b"1"
        assert (await send(wire, peer.url, Noted(busy.before_writing))).body == b"2"
        assert len(peer._connections) == 2
        await wire.aclose()


async def test_what_came_and_was_only_tls_itself_costs_no_connection(monkeypatch) -> None:
    # Tickets for the next connection, which the loop reads without a byte for us.
    seen = iter([True, True, False, False])
    monkeypatch.setattr(connection, "_poller", lambda _: lambda: next(seen))
    with Peer(answering(GOOD)) as peer:
        wire, permit = adapter(peer.url), Noted()
        assert (await send(wire, peer.url, permit)).body == b"abc"
        assert permit.told == ["before", "before", "written"], "a pause may have begun meanwhile"
        assert len(peer._connections) == 1
        await wire.aclose()


async def test_a_connection_that_never_falls_quiet_is_not_waited_for_without_end(monkeypatch) -> None:
    seen = iter([True, False] * 100)
    monkeypatch.setattr(connection, "_poller", lambda _: lambda: next(seen))
    with Peer(answering(GOOD)) as peer:
        wire = adapter(peer.url)
        with pytest.raises(NoResponseError, match="3 times") as caught:
            await send(wire, peer.url)
        assert caught.value.fate is Fate.NOT_PROCESSED
        assert peer.requests == []
        await wire.aclose()


async def test_a_call_opens_three_connections_at_most_to_a_service_that_closes_them() -> None:
    busy = Busy()

    def leave(connection: socket.socket) -> None:
        with busy.standing_still():
            connection.shutdown(socket.SHUT_RDWR)

    with Peer(answering(GOOD), greet=leave) as peer:
        wire = adapter(peer.url)
        with pytest.raises(NoResponseError, match="3 times in a row, a connection closed") as caught:
            await send(wire, peer.url, busy)
        assert caught.value.fate is Fate.NOT_PROCESSED
        assert (len(peer._connections), peer.requests) == (3, [])
        await wire.aclose()


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + GOOD, b"abc"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nX: y\r\n\r\n", b"abc"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
    ],
    ids=["interim", "chunked", "without a body", "of 1.0", "the last"],
)
@pytest.mark.parametrize("piece", [1, 1000], ids=["byte by byte", "at once"])
async def test_an_answer_may_come_in_every_form(answer: bytes, body: bytes, piece: int) -> None:
    def behave(connection: socket.socket, _: int) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(answer), piece):
            connection.sendall(answer[start : start + piece])

    with Peer(behave) as peer:
        wire = adapter(peer.url)
        for _ in range(2):
            response = await send(wire, peer.url)
            assert (response.body, response.problem) == (body, None)
        await wire.aclose()


async def test_a_body_may_last_until_the_connection_ends() -> None:
    def behave(connection: socket.socket, _: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Two: a\r\nx-two: b\r\n\r\nabc")
        connection.close()

    with Peer(behave) as peer:
        wire = adapter(peer.url)
        for _ in range(2):
            response = await send(wire, peer.url)
            assert (response.body, response.headers) == (b"abc", {"x-two": "a, b"})
        await wire.aclose()


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: ",
        b"\r\n",
    ],
    ids=["head", "trailer", "empty lines"],
)
async def test_what_has_no_end_beside_the_body_is_cut_off(start: bytes) -> None:
    def pour(connection: socket.socket, _: int) -> None:
        connection.sendall(start)
        for _ in range(64):
            connection.sendall((b"\r\n" if start == b"\r\n" else b"x") * 65536)

    with Peer(pour) as peer:
        wire = adapter(peer.url)
        with pytest.raises(NoResponseError, match="too large") as caught:
            await send(wire, peer.url)
        assert caught.value.fate is Fate.UNKNOWN
        await wire.aclose()


async def test_a_429_is_one_whatever_becomes_of_its_body() -> None:
    lost = b"HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 100\r\n\r\n{"

    def half(connection: socket.socket, number: int) -> None:
        connection.sendall(lost)
        if number == 1:
            connection.close()

    with Peer(half) as peer:
        retry = RetryPolicy(attempts=1)
        async with AsyncPicoworkers(
            "u", "s", base_url=peer.base, retry=retry, throttle=Throttle(cooldown=0)
        ) as pico:
            adapter = pico._session._adapter
            for wire in (adapter, adapter.with_timeout(0.2)):
                response = await send(wire, peer.url)
                assert (response.status, response.headers["retry-after"], response.body) == (429, "7", b"")


async def test_a_permit_is_asked_when_the_connection_is_there_and_told_when_the_request_is_written() -> None:
    with Peer(answering(GOOD)) as peer:
        wire = adapter(peer.url)

        async def nothing_is_sent_yet() -> None:
            await anyio.sleep(0.05)
            assert len(peer._connections) == 1
            assert peer.requests == []

        permit = Noted(nothing_is_sent_yet)
        assert (await send(wire, peer.url, permit)).status == 200
        assert permit.told == ["before", "written"]
        await wire.aclose()


async def test_a_slow_connection_does_not_hold_up_the_other_requests(monkeypatch) -> None:
    throttle = Throttle(4, requests_per_second=50)
    with Peer(answering(GOOD)) as peer:
        wire = adapter(peer.url)
        loop = asyncio.get_running_loop()
        connect, first = loop.create_connection, True

        async def slow(*arguments: Any, **options: Any) -> Any:
            nonlocal first
            if first:
                first = False
                await slow_one.wait()
            return await connect(*arguments, **options)

        monkeypatch.setattr(loop, "create_connection", slow)
        slow_one, ended = asyncio.Event(), []

        async def call(name: int) -> None:
            permit = await throttle.acquire()
            await send(wire, peer.url, permit)
            permit.release()
            ended.append(name)
            if len(ended) == 3:
                slow_one.set()

        async with anyio.create_task_group() as group:
            for name in range(4):
                group.start_soon(call, name)
        assert ended == [1, 2, 3, 0]
        await wire.aclose()


async def test_waiting_for_a_slot_is_not_time_of_the_service() -> None:
    with Peer(answering(GOOD)) as peer:
        wire = adapter(peer.url, timeout=0.3)
        assert (await send(wire, peer.url, Noted(lambda: anyio.sleep(0.6)))).status == 200
        await wire.aclose()


async def test_a_connection_that_ends_while_its_request_waits_for_a_slot_is_not_written_to() -> None:
    with Peer(answering(GOOD)) as peer:
        wire = adapter(peer.url)
        await send(wire, peer.url)

        async def cut() -> None:
            peer._connections[0].shutdown(socket.SHUT_RDWR)
            await anyio.sleep(0.1)

        permit = Noted(cut)
        assert (await send(wire, peer.url, permit)).body == b"abc"
        assert permit.told == ["before", "before", "written"]
        assert len(peer.requests) == 2
        await wire.aclose()


@pytest.mark.parametrize("how", ["refused", "cancelled"])
async def test_a_request_that_is_given_up_before_it_is_written_costs_no_connection(how: str) -> None:
    async def refuse() -> None:
        if how == "refused":
            raise PacerError("no store")
        await anyio.sleep_forever()

    with Peer(answering(GOOD)) as peer:
        wire = adapter(peer.url)
        with anyio.move_on_after(0.05 if how == "cancelled" else 5) as scope:
            with pytest.raises(PacerError):
                await send(wire, peer.url, Noted(refuse))
        assert scope.cancelled_caught == (how == "cancelled")
        assert (await send(wire, peer.url)).body == b"abc"
        assert (len(peer._connections), len(peer.requests)) == (1, 1)
        await wire.aclose()


async def test_a_connection_that_was_idle_for_long_is_not_used_again(monkeypatch) -> None:
    with Peer(answering(GOOD)) as peer:
        wire = adapter(peer.url)
        await send(wire, peer.url)
        await send(wire, peer.url)
        assert len(peer._connections) == 1
        monkeypatch.setattr(connections, "_IDLE_SECONDS", 0.0)
        await send(wire, peer.url)
        assert len(peer._connections) == 2
        await wire.aclose()


@pytest.mark.parametrize("end", ["//elsewhere/", " HTTP/1.1", "\r\nX: y", "#x", "é"])
async def test_no_other_address_and_no_second_line_is_ever_written(end: str) -> None:
    with Peer(answering(GOOD)) as peer:
        wire = adapter(peer.url)
        url = f"http:{end}x" if end.startswith("//") else peer.url + end
        with pytest.raises(ClientStateError) as caught:
            await send(wire, url)
        assert caught.value.fate is Fate.NOT_PROCESSED
        assert peer.requests == []
        await wire.aclose()


async def test_a_connection_that_does_not_open_in_time_says_so(monkeypatch) -> None:
    async def never(*_: Any, **__: Any) -> Any:
        await anyio.sleep_forever()

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", never)
    with pytest.raises(NoResponseError, match=r"no connection within 0\.09 s") as caught:
        await send(adapter("http://127.0.0.1:9/", timeout=0.1), "http://127.0.0.1:9/x")
    assert caught.value.fate is Fate.NOT_PROCESSED


async def test_a_client_that_is_closed_meanwhile_cancels_nobody_elses_task(monkeypatch) -> None:
    async def never(*_: Any, **__: Any) -> Any:
        await anyio.sleep_forever()

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", never)
    wire = adapter("http://127.0.0.1:9/")
    call = asyncio.create_task(send(wire, "http://127.0.0.1:9/x"))
    await anyio.wait_all_tasks_blocked()
    await wire.aclose()
    with pytest.raises(NoResponseError) as caught:
        await call
    assert caught.value.fate is Fate.NOT_PROCESSED


async def test_a_client_that_is_closed_twice_at_once_is_closed_for_both() -> None:
    with Peer(answering(GOOD)) as peer:
        wire = adapter(peer.url)
        await send(wire, peer.url)
        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(wire.aclose)
                group.start_soon(wire.aclose)


async def test_a_request_that_waits_for_its_slot_is_not_sent_when_the_client_is_closed_meanwhile() -> None:
    with Peer(answering(GOOD)) as peer:
        wire = adapter(peer.url)
        with pytest.raises(NoResponseError, match="the client was closed") as caught:
            await send(wire, peer.url, Noted(wire.aclose))
        assert caught.value.fate is Fate.NOT_PROCESSED
        assert peer.requests == []


async def test_fifty_clients_over_tls_share_one_context_and_use_their_connections_again(
    monkeypatch, tmp_path
) -> None:
    with Peer(answering(GOOD), tls=served_by_tls(monkeypatch, tmp_path)) as peer:
        wires = [adapter(peer.url) for _ in range(50)]
        assert {wire._connections._address["ssl"] for wire in wires} == {environment_tls()}
        for _ in range(3):
            assert (await send(wires[0], peer.url)).body == b"abc"
        assert len(peer._threads) == 2
        for wire in wires:
            await wire.aclose()


def test_a_client_may_be_made_before_the_event_loop_runs() -> None:
    balances = numbered(b'{"spendable":1,"earned":1}')
    with Peer(answering(balances)) as peer:
        pico = AsyncPicoworkers("user_id", "api_secret", base_url=peer.base)
        hasty = pico.with_options(timeout=3)

        async def main() -> None:
            async with pico:
                await hasty.users.get_balances()
                await pico.users.get_balances()

        asyncio.run(main())
        assert len(peer.requests) == 2
