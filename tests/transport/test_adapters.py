"""The one adapter: the deadline of a whole request, the moment of writing, and what is kept between requests."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import anyio
import httpx
import pytest

from picoworkers_async import (
    SPROUTGIGS,
    AsyncPicoworkers,
    Fate,
    NoAnswerError,
    OutcomeUnknownError,
    PacerError,
    Rating,
    RetryPolicy,
    Throttle,
)
from picoworkers_async.credentials import credentials
from picoworkers_async.transport.adapters import NoResponseError
from picoworkers_async.transport.clients import OwnClient, SharedClient, client_over, package_of_transport
from picoworkers_async.transport.httpx_adapter import HttpxAdapter
from picoworkers_async.transport.lanes import Lanes
from tests.support.answering import answering
from tests.support.carriers import carried, over_each_carrier
from tests.support.peer import Peer

pytestmark = [pytest.mark.anyio, pytest.mark.each_package]

RATING = Rating("j", "t", "ok")
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n{"spendable":1,"earned":1}'


def drip(connection, _: int) -> None:
    """An answer that keeps coming, a byte at a time, for a minute."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1200\r\n\r\n")
    for _ in range(1200):
        connection.sendall(b" ")
        time.sleep(0.05)


def drip_a_head(connection, _: int) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    for _ in range(1200):
        connection.sendall(b"x")
        time.sleep(0.05)


@over_each_carrier
@pytest.mark.parametrize("behave", [drip, drip_a_head], ids=["body", "head"])
async def test_a_service_that_drips_meets_the_deadline(carrier, behave, monkeypatch) -> None:
    with Peer(behave) as peer:
        async with carried(carrier, peer.base, monkeypatch, timeout=0.5) as pico:
            with anyio.fail_after(20):
                with pytest.raises(NoAnswerError, match=r"0\.5 s|[Tt]ime"):
                    await pico.users.get_balances()
                with pytest.raises(OutcomeUnknownError):
                    await pico.jobs.rate_single_task(RATING)


@pytest.mark.virtual_time
async def test_a_deadline_that_passed_says_so(anyio_backend) -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await anyio.sleep(1000)
        return httpx.Response(200)

    transport = httpx.MockTransport(never)
    retry = RetryPolicy(attempts=1)
    async with AsyncPicoworkers("user_id", "api_secret", transport=transport, retry=retry) as pico:
        started = anyio.current_time()
        with pytest.raises(OutcomeUnknownError, match="no whole answer within 30 s") as caught:
            await pico.jobs.rate_single_task(RATING)
        assert anyio.current_time() - started == pytest.approx(30)
        assert caught.value.sent is not None
        assert caught.value.sent.ended_at == pytest.approx(anyio.current_time())
        hasty = pico.with_options(timeout=5)
        with pytest.raises(NoAnswerError, match="within 5 s"):
            await hasty.users.get_balances()
        assert anyio.current_time() - started == pytest.approx(35)


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [
        ({"timeout": 5.0}, 30),
        ({"timeout": 5.0, "read": 90.0}, 90),
        ({"timeout": None}, 300),
        ({"timeout": 5.0, "pool": None}, 300),
    ],
)
async def test_a_shared_client_keeps_its_own_timeouts_within_a_deadline(timeout, seconds, anyio_backend) -> None:
    asked: list[Any] = []

    async def never(request: httpx.Request) -> httpx.Response:
        asked.append(request.extensions["timeout"])
        await anyio.sleep(1000)
        return httpx.Response(200)

    limits = httpx.Timeout(**timeout)
    shared = httpx.AsyncClient(transport=httpx.MockTransport(never), timeout=limits)
    retry = RetryPolicy(attempts=1)
    async with shared, AsyncPicoworkers("user_id", "api_secret", http_client=shared, retry=retry) as pico:
        with pytest.raises(NoAnswerError, match=f"within {seconds} s"):
            await pico.users.get_balances()
    assert asked == [limits.as_dict()]


class Noted:
    """A permit that notes what it is told, and when."""

    def __init__(self, wait: float = 0.0) -> None:
        self.told: list[str] = []
        self._wait = wait

    async def before_writing(self) -> None:
        self.told.append("before")
        if self.told.count("before") > 1:
            await anyio.sleep(self._wait)

    def written(self) -> None:
        self.told.append("written")

    def answered(self) -> None: ...

    def release(self) -> None: ...


def adapter(source: OwnClient | SharedClient, timeout: float | None = 5.0) -> HttpxAdapter:
    login = credentials("user_id", "api_secret")
    return HttpxAdapter(source, login, user_agent="tests", timeout=timeout, max_bytes=1000)


def own(transport: httpx.AsyncBaseTransport, *, paced: bool = True) -> OwnClient:
    package = package_of_transport(transport)
    return OwnClient(package, lambda: client_over(transport, package), "own", ours=False, paced=paced)


@pytest.mark.parametrize("kind", ["lanes", "shared"])
async def test_the_moment_of_writing_is_told_when_it_comes(kind: str) -> None:
    with Peer(lambda connection, _: connection.sendall(OK)) as peer:
        source = {
            "lanes": lambda: own(Lanes(2)),
            "shared": lambda: SharedClient(httpx.AsyncClient()),
        }[kind]()
        wire = adapter(source)
        for number in range(3):
            permit: Any = Noted()
            response = await wire.send("POST", peer.url, b"{}", permit)
            assert response.status == 200
            # That a client which is not ours tells is known from its first request on, which is told twice.
            times = 2 if number == 0 and kind != "lanes" else 1
            assert permit.told == ["before", "written"] * times
        await source.client.aclose()


@pytest.mark.parametrize("kind", ["transport", "client"])
async def test_a_transport_that_does_not_tell_is_taken_to_write_at_once(kind: str) -> None:
    permit: Any = Noted()
    before: list[list[str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        before.append(list(permit.told))
        return httpx.Response(200, json={})

    transport = httpx.MockTransport(answer)
    source = own(transport) if kind == "transport" else SharedClient(httpx.AsyncClient(transport=transport))
    wire = adapter(source)
    await wire.send("POST", "http://127.0.0.1/x", b"{}", permit)
    assert permit.told == ["before", "written"]
    permit.told.clear()
    await wire.send("POST", "http://127.0.0.1/x", b"{}", permit)
    assert before == [["before", "written"]] * 2
    assert permit.told == ["before", "written"]
    await source.client.aclose()


@pytest.mark.virtual_time
async def test_waiting_for_a_slot_right_before_writing_is_not_time_of_the_service(anyio_backend) -> None:
    async def answer(request: httpx.Request) -> httpx.Response:
        event = {"request": SimpleNamespace(method=b"POST")}
        await request.extensions["trace"]("http11.send_request_headers.started", event)
        await request.extensions["trace"]("http11.send_request_headers.complete", {"return_value": None})
        await anyio.sleep(4)
        return httpx.Response(200, json={})

    source = SharedClient(httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    permit: Any = Noted(wait=60)
    response = await adapter(source).send("POST", "http://127.0.0.1/x", b"{}", permit)
    assert (response.status, permit.told) == (200, ["before", "written"] * 2)
    await source.client.aclose()


async def test_the_request_to_open_a_tunnel_is_not_the_request() -> None:
    """Over a proxy: what is written to it first is a CONNECT, which the service never sees."""

    async def answer(request: httpx.Request) -> httpx.Response:
        for method in (b"CONNECT", b"POST"):
            event = {"request": SimpleNamespace(method=method)}
            await request.extensions["trace"]("http11.send_request_headers.started", event)
            await request.extensions["trace"]("http11.send_request_headers.complete", {"return_value": None})
        return httpx.Response(200, json={})

    source = SharedClient(httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    permit: Any = Noted()
    await adapter(source).send("POST", "http://127.0.0.1/x", b"{}", permit)
    assert permit.told == ["before", "written"] * 2
    await source.client.aclose()


async def test_a_client_that_only_seemed_to_tell_is_told_for_at_its_answer() -> None:
    """Lanes do tell, but not where something stands in for httpcore."""
    with answering(httpx) as router:
        router.get("http://127.0.0.1/x").respond(200, json={})
        source = own(Lanes(1))
        permit: Any = Noted()
        await adapter(source).send("GET", "http://127.0.0.1/x", None, permit)
        assert permit.told == ["written"]
        permit.told.clear()
        await adapter(source).send("GET", "http://127.0.0.1/x", None, permit)
        assert permit.told == ["before", "written"]
        await source.client.aclose()


@pytest.mark.parametrize("sent", [False, True])
async def test_a_permit_that_is_refused_right_before_writing_says_so_itself(sent: bool) -> None:
    """Unless the transport had sent the request once already."""

    class Refused(Noted):
        async def before_writing(self) -> None:
            await super().before_writing()
            if self.told.count("before") > 1 + sent:
                raise PacerError("no store")

    async def answer(request: httpx.Request) -> httpx.Response:
        for _ in range(1 + sent):
            event = {"request": SimpleNamespace(method=b"POST")}
            await request.extensions["trace"]("http11.send_request_headers.started", event)
        return httpx.Response(200, json={})

    source = SharedClient(httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    permit: Any = Refused()
    with pytest.raises(NoResponseError if sent else PacerError) as caught:
        await adapter(source).send("POST", "http://127.0.0.1/x", b"{}", permit)
    if isinstance(caught.value, NoResponseError):
        assert caught.value.fate is Fate.UNKNOWN
    await source.client.aclose()


@over_each_carrier
async def test_a_paced_client_answers_over_each(carrier, monkeypatch) -> None:
    throttle = Throttle(4, requests_per_second=200)
    with Peer(lambda connection, _: connection.sendall(OK)) as peer:
        async with carried(carrier, peer.base, monkeypatch, throttle=throttle, edition=SPROUTGIGS) as pico:
            async with anyio.create_task_group() as group:
                for _ in range(8):
                    group.start_soon(pico.users.get_balances)
            assert throttle.state().in_flight == 0
        assert len(peer.requests) == 8


@pytest.mark.parametrize("backend", ["lanes", "mock"])
async def test_our_own_client_keeps_no_cookie(backend: str) -> None:
    cookie = OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: session=other; Path=/\r\n\r\n", 1)
    with Peer(lambda connection, _: connection.sendall(cookie)) as peer:
        transport = Lanes(1) if backend == "lanes" else httpx.AsyncHTTPTransport()
        async with AsyncPicoworkers("user_id", "api_secret", base_url=peer.base, transport=transport) as pico:
            await pico.users.get_balances()
            await pico.users.get_balances()
        assert all(b"session=other" not in request for request in peer.requests)
        assert len(peer.requests) == 2


async def test_hooks_headers_and_cookies_of_a_shared_client_stay_its_own() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"spendable": 1, "earned": 1})

    hooked: list[str] = []

    async def hook(request: httpx.Request) -> None:
        hooked.append(request.method)

    shared = httpx.AsyncClient(
        transport=httpx.MockTransport(answer),
        headers={"X-Trace": "7"},
        cookies={"a": "b"},
        event_hooks={"request": [hook]},
    )
    async with shared, AsyncPicoworkers("user_id", "api_secret", http_client=shared) as pico:
        await pico.users.get_balances()
    assert (seen[0].headers["x-trace"], seen[0].headers["cookie"], hooked) == ("7", "a=b", ["GET"])
    assert seen[0].headers["authorization"] == "Basic dXNlcl9pZDphcGlfc2VjcmV0"
