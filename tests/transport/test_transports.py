"""What is chosen to send through, and how it fails: the same exceptions for the same facts, over real sockets."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import httpx
import httpx2
import pytest
import trustme
from anyio import wait_all_tasks_blocked

from picoworkers_async import AsyncPicoworkers, Fate, NotSentError, OutcomeUnknownError, Rating, RetryPolicy
from picoworkers_async.sandbox import Faults, Sandbox
from picoworkers_async.transport.bodies import BytesStream
from picoworkers_async.transport.default import environment_proxy
from picoworkers_async.transport.failures import fate_of
from picoworkers_async.transport.lanes import Lanes
from picoworkers_async.transport.pyreqwest import PyreqwestTransport
from tests.support.peer import GOOD, Peer, cut_half, reset, wait

pytestmark = pytest.mark.anyio

TIMEOUT = 0.4


@pytest.fixture(params=["lanes-asyncio", "lanes-trio", "pyreqwest-asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param).partition("-")[2]


@pytest.fixture
def make(request: pytest.FixtureRequest, anyio_backend: str) -> Callable[..., httpx.AsyncBaseTransport]:
    def transport(connections: int = 2, proxy: str | None = None) -> httpx.AsyncBaseTransport:
        if "pyreqwest" in request.node.callspec.id:
            return PyreqwestTransport(max_connections=connections, timeout=TIMEOUT, proxy=proxy)
        return Lanes(connections, proxy=proxy)

    return transport


async def post(transport: httpx.AsyncBaseTransport, url: str, **timeouts: float) -> httpx.Response:
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), TIMEOUT) | timeouts
    extensions = {"timeout": timeout}
    content = b'{"a":1}'
    headers = {"host": httpx.URL(url).netloc.decode(), "content-length": str(len(content))}
    request = httpx.Request("POST", url, headers=headers, content=content, extensions=extensions)
    request.stream = BytesStream(content)
    response = await transport.handle_async_request(request)
    try:
        await response.aread()
    finally:
        await response.aclose()
    return response


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
    transport = make()
    with Peer(behave) as peer:
        with pytest.raises(httpx.TransportError) as caught:
            await post(transport, peer.url)
        assert len(peer.requests) == 1
    assert fate_of(caught.value, ours=True) is Fate.UNKNOWN
    await transport.aclose()


async def test_what_certainly_never_arrived_says_so(make) -> None:
    transport = make()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(httpx.ConnectError) as refused:
        await post(transport, f"http://127.0.0.1:{port}/")
    assert fate_of(refused.value, ours=True) is Fate.NOT_PROCESSED
    await transport.aclose()


async def test_a_certificate_is_checked_against_the_environments(
    make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    pem = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(pem))
    with Peer(lambda connection, _: connection.sendall(GOOD), tls=context) as peer:
        transport = make()
        with pytest.raises(httpx.ConnectError) as caught:
            await post(transport, peer.url)
        assert fate_of(caught.value, ours=True) is Fate.NOT_PROCESSED
        await transport.aclose()
        assert peer.requests == []
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        transport = make()
        assert (await post(transport, peer.url)).content == b"abc"
        await transport.aclose()


async def test_a_connection_that_was_reset_while_idle_costs_nothing(make) -> None:
    gone = threading.Event()

    def answer_once(connection: socket.socket, _: int) -> None:
        connection.sendall(GOOD)
        reset(connection)
        gone.set()

    transport = make()
    with Peer(answer_once) as peer:
        for number in range(1, 4):
            gone.clear()
            assert (await post(transport, peer.url)).content == b"abc"
            assert len(peer.requests) == number
            await anyio.to_thread.run_sync(gone.wait)
            await anyio.sleep(0.05)
    await transport.aclose()


async def test_a_connection_that_dies_as_it_is_used_again_is_of_unknown_fate(make) -> None:
    def answer_the_first(connection: socket.socket, number: int) -> None:
        if number == 1:
            connection.sendall(GOOD)
        else:
            reset(connection)

    transport = make()
    with Peer(answer_the_first) as peer:
        await post(transport, peer.url)
        with pytest.raises(httpx.TransportError) as caught:
            await post(transport, peer.url)
        assert len(peer.requests) == 2
    assert fate_of(caught.value, ours=True) is Fate.UNKNOWN
    await transport.aclose()


async def test_a_request_that_is_given_up_frees_its_place(make) -> None:
    def answer_from_the_second_on(connection: socket.socket, number: int) -> None:
        if number > 1:
            connection.sendall(GOOD)

    transport = make(connections=1)
    with Peer(answer_from_the_second_on) as peer:
        with anyio.move_on_after(0.1) as scope:
            await post(transport, peer.url)
        assert scope.cancelled_caught
        assert (await post(transport, peer.url)).content == b"abc"
    await transport.aclose()


async def test_one_too_many_waits_for_a_place_and_fails_unsent_in_the_end(make) -> None:
    transport = make(connections=1)
    with Peer(wait) as peer:
        async with anyio.create_task_group() as group:
            group.start_soon(hold, transport, peer.url)
            await wait_all_tasks_blocked()
            with anyio.fail_after(5), pytest.raises(httpx.PoolTimeout) as caught:
                await post(transport, peer.url, read=30.0)
            group.cancel_scope.cancel()
    assert fate_of(caught.value, ours=True) is Fate.NOT_PROCESSED
    await transport.aclose()


async def hold(transport: httpx.AsyncBaseTransport, url: str) -> None:
    await post(transport, url, read=30.0)


async def test_more_than_there_are_places_for_all_get_one(make) -> None:
    transport = make(connections=3)
    with Peer(lambda connection, _: connection.sendall(GOOD)) as peer:
        async with anyio.create_task_group() as group:
            for _ in range(40):
                group.start_soon(post, transport, peer.url)
        assert len(peer.requests) == 40
    await transport.aclose()


async def test_a_redirect_comes_back_as_it_is(make) -> None:
    moved = b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    transport = make()
    with Peer(lambda connection, _: connection.sendall(moved)) as peer:
        answer = await post(transport, peer.url)
        assert (answer.status_code, answer.headers["location"]) == (307, "http://127.0.0.1:1/")
        assert len(peer.requests) == 1
    await transport.aclose()


async def test_a_request_goes_out_as_it_was_made(make) -> None:
    with Peer(lambda connection, _: connection.sendall(GOOD)) as peer:
        base = peer.url.removesuffix("x")
        transport = make()
        async with AsyncPicoworkers(
            "user_id", "api_secret", base_url=base, transport=transport, retry=RetryPolicy(attempts=1)
        ) as pico:
            with pytest.raises(OutcomeUnknownError):
                await pico.jobs.rate_single_task(Rating("j", "t", "ok"))
        (request,) = peer.requests
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    assert lines[0] == "POST /api/jobs/rate-single-task.php HTTP/1.1"
    assert body == b'{"job_id":"j","task_id":"t","task_rating":"ok"}'
    assert len(headers) == len(lines) - 1
    assert headers["host"] == f"127.0.0.1:{peer.port}"
    assert headers["content-length"] == str(len(body))
    assert headers["authorization"] == "basic dxnlcl9pzdphcglfc2vjcmv0"
    assert headers["content-type"] == "application/json"


async def test_a_proxy_is_used(make) -> None:
    with Peer(lambda connection, _: connection.sendall(GOOD)) as peer:
        transport = make(proxy=f"http://127.0.0.1:{peer.port}")
        assert (await post(transport, "http://127.0.0.1:9/api/x")).content == b"abc"
        assert peer.requests[0].startswith(b"POST http://127.0.0.1:9/api/x HTTP/1.1\r\n")
        await transport.aclose()


@pytest.mark.parametrize("fault", ["cut_before", "cut_after", "half_answer", "reset_idle", "slow"])
async def test_a_batch_pays_everybody_once_whatever_carries_it(make, fault: str) -> None:
    sandbox = Sandbox(faults=Faults(**{fault: 0.2}, slow_seconds=0.6, only={"rate_single_task"}), page_size=100)
    job_id = sandbox.add_job()
    ratings = [Rating(job_id, task_id, "ok", bonus="0.10") for task_id in sandbox.add_tasks(job_id, 60)]
    async with sandbox.serve() as url:
        options = {"base_url": url, "transport": make(8), "timeout": TIMEOUT, "settle_after": 1.0}
        pico = AsyncPicoworkers("user_id", "api_secret", **options)
        async with pico:
            report = await pico.rate_all(ratings)
    assert (report.rated, report.unknown) == (60, 0)
    assert len(sandbox.ledger) == 60
    assert sandbox.double_ratings == 0


@contextmanager
def without_pyreqwest(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr("importlib.util.find_spec", lambda name: None)
        yield


async def test_pyreqwest_is_chosen_where_it_is_installed_and_can_run(
    monkeypatch: pytest.MonkeyPatch, anyio_backend: str
) -> None:
    def chosen() -> type[httpx.AsyncBaseTransport]:
        pico = AsyncPicoworkers("user_id", "api_secret", base_url="http://127.0.0.1:9/api/")
        pico._session.open()
        return type(pico._session._adapter._source.client._transport)

    assert chosen() is (PyreqwestTransport if anyio_backend == "asyncio" else Lanes)
    with without_pyreqwest(monkeypatch):
        assert chosen() is Lanes


async def test_a_service_that_is_not_there_is_told_as_unsent_by_whatever_is_chosen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        base = f"http://127.0.0.1:{listener.getsockname()[1]}/api/"
    pico = AsyncPicoworkers("user_id", "api_secret", base_url=base, retry=RetryPolicy(attempts=1))
    async with pico:
        with pytest.raises(NotSentError):
            await pico.jobs.rate_single_task(Rating("j", "t", "ok"))


@pytest.mark.parametrize(
    ("variables", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://127.0.0.1:3128"}, "http://127.0.0.1:3128"),
        ({"https_proxy": "127.0.0.1:3128"}, "http://127.0.0.1:3128"),
        ({"ALL_PROXY": "http://127.0.0.1:1"}, "http://127.0.0.1:1"),
        ({"HTTP_PROXY": "http://127.0.0.1:1"}, None),
        ({"HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": "sproutgigs.com"}, None),
    ],
)
def test_the_proxy_is_the_environments(
    monkeypatch: pytest.MonkeyPatch, variables: dict, proxy: str | None
) -> None:
    for scheme in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme}_proxy".upper(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert environment_proxy("https://sproutgigs.com/api/") == proxy


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
