"""What is chosen to send through, and how it fails: the same exceptions for the same facts, over real sockets."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import httpx
import httpx2
import pytest
import trustme

from picoworkers_async import (
    AsyncPicoworkers,
    Fate,
    NotSentError,
    OutcomeUnknownError,
    Rating,
    RetryPolicy,
    Throttle,
)
from picoworkers_async.credentials import credentials
from picoworkers_async.sandbox import Faults, Sandbox
from picoworkers_async.transport.adapters import HttpAdapter, NoResponseError, Response
from picoworkers_async.transport.asyncio_adapter import AsyncioAdapter
from picoworkers_async.transport.default import choose_adapter
from picoworkers_async.transport.httpx_adapter import HttpxAdapter
from tests.support.carriers import carried, over_each_carrier
from tests.support.packages import without_httpx
from tests.support.peer import GOOD, Peer, cut_half, reset, wait

pytestmark = pytest.mark.anyio

TIMEOUT = 0.4

Make = Callable[..., Awaitable[HttpAdapter]]


@pytest.fixture(params=["lanes-asyncio", "lanes-trio", "lanes2-asyncio", "fast-asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param).partition("-")[2]


@pytest.fixture
def make(request: pytest.FixtureRequest, anyio_backend: str, monkeypatch: pytest.MonkeyPatch) -> Make:
    """An adapter as a client of an address chooses it, with or without the extra `fast`."""

    async def adapter(url: str, connections: int = 2, timeout: float = TIMEOUT) -> HttpAdapter:
        if "lanes" in request.node.callspec.id:
            monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        if "lanes2" in request.node.callspec.id:
            without_httpx(monkeypatch)
        made = choose_adapter(
            url,
            credentials("user_id", "api_secret"),
            http_client=None,
            transport=None,
            timeout=timeout,
            max_bytes=1 << 20,
            max_connections=connections,
            paced=False,
        )
        await made.open()
        return made

    return adapter


async def post(adapter: HttpAdapter, url: str) -> Response:
    permit = await Throttle(1).acquire()
    return await adapter.send("POST", url, b'{"a":1}', permit)


@pytest.mark.parametrize(
    "behave",
    [
        lambda connection, _: reset(connection),
        lambda connection, _: connection.close(),
        cut_half(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"),
        cut_half(b"HTTP/1.1 200 OK\r\nConte"),
        cut_half(b"\x00\x01 nonsense\r\n\r\n"),
        wait,
        lambda connection, _: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc"),
    ],
    ids=["reset", "closed", "half a body", "half a head", "garbage", "silence", "a slow body"],
)
async def test_what_the_service_may_have_processed_never_counts_as_unsent(make, behave) -> None:
    with Peer(behave) as peer:
        adapter = await make(peer.url)
        with pytest.raises(NoResponseError) as caught:
            await post(adapter, peer.url)
        assert len(peer.requests) == 1
    assert caught.value.fate is Fate.UNKNOWN
    await adapter.aclose()


async def test_what_certainly_never_arrived_says_so(make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    adapter = await make(f"http://127.0.0.1:{port}/")
    with pytest.raises(NoResponseError) as refused:
        await post(adapter, f"http://127.0.0.1:{port}/")
    assert refused.value.fate is Fate.NOT_PROCESSED
    await adapter.aclose()


async def test_a_certificate_is_checked_against_the_environments(
    make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    pem = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(pem))
    with Peer(lambda connection, _: connection.sendall(GOOD), tls=context) as peer:
        adapter = await make(peer.url)
        with pytest.raises(NoResponseError) as caught:
            await post(adapter, peer.url)
        assert caught.value.fate is Fate.NOT_PROCESSED
        await adapter.aclose()
        assert peer.requests == []
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        adapter = await make(peer.url)
        assert (await post(adapter, peer.url)).body == b"abc"
        await adapter.aclose()


async def test_a_connection_that_was_reset_while_idle_costs_nothing(make) -> None:
    gone = threading.Event()

    def answer_once(connection: socket.socket, _: int) -> None:
        connection.sendall(GOOD)
        reset(connection)
        gone.set()

    with Peer(answer_once) as peer:
        adapter = await make(peer.url)
        for number in range(1, 4):
            gone.clear()
            assert (await post(adapter, peer.url)).body == b"abc"
            assert len(peer.requests) == number
            await anyio.to_thread.run_sync(gone.wait)
            await anyio.sleep(0.05)
    await adapter.aclose()


async def test_a_connection_that_dies_as_it_is_used_again_is_of_unknown_fate(make) -> None:
    def answer_the_first(connection: socket.socket, number: int) -> None:
        if number == 1:
            connection.sendall(GOOD)
        else:
            reset(connection)

    with Peer(answer_the_first) as peer:
        adapter = await make(peer.url)
        await post(adapter, peer.url)
        with pytest.raises(NoResponseError) as caught:
            await post(adapter, peer.url)
        assert len(peer.requests) == 2
    assert caught.value.fate is Fate.UNKNOWN
    await adapter.aclose()


async def test_a_request_that_is_given_up_frees_its_place(make) -> None:
    def answer_from_the_second_on(connection: socket.socket, number: int) -> None:
        if number > 1:
            connection.sendall(GOOD)

    with Peer(answer_from_the_second_on) as peer:
        adapter = await make(peer.url, connections=1, timeout=30.0)
        async with anyio.create_task_group() as group:
            group.start_soon(post, adapter, peer.url)
            await peer.received(1)
            group.cancel_scope.cancel()
        assert (await post(adapter, peer.url)).body == b"abc"
    await adapter.aclose()


async def test_more_than_there_are_places_for_all_get_one(make) -> None:
    with Peer(lambda connection, _: connection.sendall(GOOD)) as peer:
        adapter = await make(peer.url, connections=3, timeout=30.0)
        async with anyio.create_task_group() as group:
            for _ in range(40):
                group.start_soon(post, adapter, peer.url)
        assert len(peer.requests) == 40
    await adapter.aclose()


async def test_a_redirect_comes_back_as_it_is(make) -> None:
    moved = b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with Peer(lambda connection, _: connection.sendall(moved)) as peer:
        adapter = await make(peer.url)
        answer = await post(adapter, peer.url)
        assert (answer.status, answer.headers["location"]) == (307, "http://127.0.0.1:1/")
        assert len(peer.requests) == 1
    await adapter.aclose()


@over_each_carrier
async def test_a_request_goes_out_as_it_was_made(carrier, monkeypatch) -> None:
    with Peer(lambda connection, _: connection.sendall(GOOD)) as peer:
        async with carried(carrier, peer.base, monkeypatch) as pico:
            with pytest.raises(OutcomeUnknownError):
                await pico.jobs.rate_single_task(Rating("j", "t", "ok"))
        (request,) = peer.requests
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    assert lines[0] == "POST /api/jobs/rate-single-task.php HTTP/1.1"
    assert body == b'{"job_id":"j","task_id":"t","task_rating":"ok"}'
    assert len(headers) == len(lines) - 1
    names = "host authorization accept accept-encoding user-agent content-type content-length"
    assert set(names.split()) <= set(headers)
    if carrier.startswith(("lanes", "fast")):
        assert list(headers) == names.split()
    assert headers["host"] == f"127.0.0.1:{peer.port}"
    assert headers["content-length"] == str(len(body))
    assert headers["authorization"] == "basic dxnlcl9pzdphcglfc2vjcmv0"
    assert headers["content-type"] == "application/json"


@pytest.mark.story
@pytest.mark.parametrize("fault", ["cut_before", "cut_after", "half_answer", "reset_idle", "slow"])
async def test_a_batch_pays_everybody_once_whatever_carries_it(make, fault: str) -> None:
    sandbox = Sandbox(faults=Faults(**{fault: 0.2}, slow_seconds=0.6, only={"rate_single_task"}), page_size=100)
    job_id = sandbox.add_job()
    ratings = [Rating(job_id, task_id, "ok", bonus="0.10") for task_id in sandbox.add_tasks(job_id, 40)]
    async with sandbox.serve() as url:
        options = {"timeout": TIMEOUT, "settle_after": 0.6}
        # What `make` makes, and so whether the extra `fast` is seen, holds for this client too.
        await (await make(url)).aclose()
        async with AsyncPicoworkers("user_id", "api_secret", base_url=url, **options) as pico:
            report = await pico.rate_all(ratings)
    assert (report.rated, report.unknown) == (40, 0)
    assert len(sandbox.ledger) == 40
    assert sandbox.double_ratings == 0


async def test_the_fast_adapter_is_chosen_where_it_can_run(
    monkeypatch: pytest.MonkeyPatch, anyio_backend: str
) -> None:
    async def chosen() -> type:
        pico = AsyncPicoworkers("user_id", "api_secret", base_url="https://127.0.0.1:9/api/")
        await pico._session.open()
        return type(pico._session._adapter._made())

    assert await chosen() is (AsyncioAdapter if anyio_backend == "asyncio" else HttpxAdapter)
    with monkeypatch.context() as patch:
        patch.setenv("https_proxy", "http://127.0.0.1:1")
        assert await chosen() is HttpxAdapter
    with monkeypatch.context() as patch:
        patch.setattr("importlib.util.find_spec", lambda name: None)
        assert await chosen() is HttpxAdapter


async def test_a_service_that_is_not_there_is_told_as_unsent_by_whatever_is_chosen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        base = f"http://127.0.0.1:{listener.getsockname()[1]}/api/"
    pico = AsyncPicoworkers("user_id", "api_secret", base_url=base, retry=RetryPolicy(attempts=1))
    async with pico:
        with pytest.raises(NotSentError):
            await pico.jobs.rate_single_task(Rating("j", "t", "ok"))


@pytest.mark.story
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.parametrize("package", [httpx, httpx2], ids=["httpx", "httpx2"])
async def test_a_shared_client_of_either_package_pays_everybody_once_and_stays_open(package) -> None:
    faults = Faults(cut_before=0.1, cut_after=0.1, half_answer=0.1, only={"rate_single_task"})
    sandbox = Sandbox(faults=faults, page_size=100, seed=2)
    job_id = sandbox.add_job()
    ratings = [Rating(job_id, task_id, "ok", bonus="0.10") for task_id in sandbox.add_tasks(job_id, 60)]
    async with sandbox.serve() as url, package.AsyncClient(timeout=2.0) as shared:
        pico = AsyncPicoworkers("user_id", "api_secret", base_url=url, http_client=shared, settle_after=1.0)
        async with pico:
            report = await pico.rate_all(ratings)
        assert not shared.is_closed
    assert (report.rated, report.unknown) == (60, 0)
    assert len(sandbox.ledger) == 60
    assert sandbox.double_ratings == 0
