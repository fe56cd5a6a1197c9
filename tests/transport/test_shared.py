"""Many accounts in one process: clients that share connections, and nothing else."""

from __future__ import annotations

import asyncio
import re
import ssl
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from picoworkers_async import (
    AsyncPicoworkers,
    ClientStateError,
    InvalidRequestError,
    Rating,
    RetryPolicy,
    SharedTransport,
    Throttle,
)
from picoworkers_async.sandbox import Sandbox
from picoworkers_async.transport import tls
from tests.support.answering import answering
from tests.support.peer import Peer, served_by_tls

pytestmark = pytest.mark.anyio

CLIENTS = 50
ANSWER = (
    b"HTTP/1.1 200 OK\r\nSet-Cookie: whose=mine\r\nContent-Length: 27\r\n\r\n" + b'{"earned":1,"spendable":25}'
)
WAYS = ("fast-asyncio", "lanes-asyncio", "lanes-trio", "client-asyncio", "client-trio")

over_each_way = pytest.mark.parametrize(("way", "anyio_backend"), [way.split("-") for way in WAYS], ids=WAYS)


def client(base_url: str, shared: SharedTransport, user: str = "user_id", **options: Any) -> AsyncPicoworkers:
    options.setdefault("retry", RetryPolicy(attempts=1))
    return AsyncPicoworkers(user, "api_secret", base_url=base_url, transport=shared, **options)


def basic(user: str) -> bytes:
    return httpx.BasicAuth(user, "api_secret")._auth_header.encode()


@over_each_way
async def test_fifty_clients_share_connections_and_each_request_says_whose_it_is(way: Any) -> None:
    with Peer(lambda connection, _: connection.sendall(ANSWER)) as peer:
        async with SharedTransport(way) as shared:
            clients = [client(peer.base, shared, f"user{number}") for number in range(CLIENTS)]
            for pico in clients:
                async with pico:
                    await pico.users.get_balances()
                    assert f"'{way}, shared'" in repr(pico)
            assert len(peer._connections) == 1
            assert len({id(pico.throttle) for pico in clients}) == CLIENTS
        assert len(peer.requests) == CLIENTS
    for number, request in enumerate(peer.requests):
        assert b"\r\nauthorization: " + basic(f"user{number}").lower() + b"\r\n" in request.lower()
        assert b"\r\ncookie:" not in request.lower()


@over_each_way
async def test_a_client_that_is_closed_leaves_the_others_their_connections(way: Any) -> None:
    with Peer(lambda connection, _: connection.sendall(ANSWER)) as peer:
        async with SharedTransport(way) as shared, client(peer.base, shared) as one:
            await one.users.get_balances()
            async with client(peer.base, shared) as other:
                await other.users.get_balances()
            with pytest.raises(ClientStateError, match="closed"):
                await other.users.get_balances()
            await one.with_options(timeout=5).users.get_balances()
            assert len(peer._connections) == 1


@over_each_way
async def test_a_client_outlives_the_block_for_nothing(way: Any) -> None:
    with Peer(lambda connection, _: connection.sendall(ANSWER)) as peer:
        shared = SharedTransport(way)
        early = client(peer.base, shared)
        with pytest.raises(ClientStateError, match="SharedTransport of this client is not open yet"):
            await early.__aenter__()
        async with shared:
            pico = await early.__aenter__()
            await pico.users.get_balances()
        for view in (pico, pico.with_options(timeout=5)):
            with pytest.raises(ClientStateError, match="SharedTransport of this client is closed"):
                await view.users.get_balances()
        with pytest.raises(ClientStateError, match="SharedTransport of this client is closed"):
            await pico.rate_all([Rating("j", "t", "ok")])
        await pico.aclose()
        with pytest.raises(ClientStateError, match="is closed"):
            await client(peer.base, shared).__aenter__()
        with pytest.raises(ClientStateError, match="entered once, and this one is closed"):
            await shared.__aenter__()
        await shared.aclose()
        assert len(peer.requests) == 1


@over_each_way
async def test_each_account_keeps_its_own_throttle_and_its_own_limits(way: Any) -> None:
    sandboxes = [Sandbox(user_id=f"user{number}", api_secret="api_secret") for number in range(4)]
    jobs = [sandbox.add_job() for sandbox in sandboxes]
    tasks = [sandbox.add_tasks(job, 20) for sandbox, job in zip(sandboxes, jobs, strict=True)]

    async def rate(number: int, url: str) -> None:
        ratings = [Rating(jobs[number], task, "ok") for task in tasks[number]]
        pico = client(url, shared, f"user{number}", throttle=Throttle(number + 1))
        async with pico:
            report = await pico.rate_all(ratings)
        assert (report.rated, report.unknown) == (20, 0)

    async with AsyncExitStack() as stack:
        urls = [await stack.enter_async_context(sandbox.serve()) for sandbox in sandboxes]
        shared = await stack.enter_async_context(SharedTransport(way))
        group = await stack.enter_async_context(anyio.create_task_group())
        for number, url in enumerate(urls):
            group.start_soon(rate, number, url)
    assert [len(sandbox.ledger) for sandbox in sandboxes] == [20] * 4
    assert [sandbox.double_ratings for sandbox in sandboxes] == [0] * 4


async def test_what_nobody_named_is_chosen_as_for_a_client(anyio_backend: str, monkeypatch) -> None:
    base = "http://127.0.0.1:9/api/"
    best = "fast" if anyio_backend == "asyncio" else "lanes"
    async with SharedTransport() as shared, client(base, shared) as pico:
        assert f"'{best}, shared'" in repr(pico)
        assert repr(shared) == f"SharedTransport({best}; open)"
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    home = base.replace("http", "https")
    async with SharedTransport() as shared, client(home, shared) as pico:
        assert "'lanes, shared'" in repr(pico)
    with pytest.raises(InvalidRequestError, match="NO_PROXY"):
        client(home, SharedTransport("fast"))
    with pytest.raises(InvalidRequestError, match="one of fast, lanes, client"):
        SharedTransport("quick")  # type: ignore[arg-type]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_connections_of_another_event_loop_are_not_used() -> None:
    async with SharedTransport() as shared:
        pico = client("http://127.0.0.1:9/api/", shared)
        with pytest.raises(ClientStateError, match="entered in another event loop"):
            await anyio.to_thread.run_sync(lambda: asyncio.run(pico.__aenter__()))


async def test_what_the_docs_show_of_many_accounts_runs(http_package, capsys) -> None:
    docs = Path(__file__).parent.parent.parent / "docs" / "how-to" / "many-accounts.md"
    blocks = re.findall(r"^```python\n(.*?)^```", docs.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    shown = next(block for block in blocks if "SharedTransport" in block)
    names: dict[str, Any] = {}
    exec(shown, names)
    with answering(http_package) as router:
        route = router.get("https://picoworkers.com/api/users/get-balances.php")
        route.respond(json={"earned": "0", "spendable": "7"})
        await names["balances"]({"one": "a", "two": "b", "three": "c"})
    asked = {call.request.headers["authorization"] for call in route.calls}
    assert len(asked) == 3
    assert sorted(capsys.readouterr().out.split()) == ["7", "7", "7", "one", "three", "two"]


@over_each_way
async def test_making_and_entering_a_client_reads_no_certificates_in_the_event_loop(
    way: Any, monkeypatch, tmp_path
) -> None:
    context = served_by_tls(monkeypatch, tmp_path)
    package = tls.default_package()
    threads = []
    create: Callable[..., Any] = package.create_ssl_context

    def noted(*arguments: Any, **options: Any) -> Any:
        if not isinstance(options.get("verify"), ssl.SSLContext):
            threads.append(threading.current_thread())
        return create(*arguments, **options)

    monkeypatch.setattr(package, "create_ssl_context", noted)
    monkeypatch.setattr(package._transports.default, "create_ssl_context", noted)
    with Peer(lambda connection, _: connection.sendall(ANSWER), tls=context) as peer:
        async with AsyncPicoworkers("user_id", "api_secret", base_url=peer.base, transport=way) as own:
            await own.users.get_balances()
        async with SharedTransport(way) as shared, anyio.create_task_group() as group:

            async def ask() -> None:
                async with client(peer.base, shared) as pico:
                    await pico.users.get_balances()

            for _ in range(3):
                group.start_soon(ask)
    assert len(peer.requests) == 4
    assert len(threads) == 1
    assert threads[0] is not threading.current_thread()
