"""The proxies of the environment: never for plain http, and none that cannot be used."""

from __future__ import annotations

from typing import Any

import pytest

from picoworkers_async import (
    AsyncPicoworkers,
    CallError,
    ClientStateError,
    Fate,
    InvalidRequestError,
    NotSentError,
    Rating,
    RetryPolicy,
    SharedTransport,
)
from picoworkers_async.transport.lanes import Lanes
from picoworkers_async.transport.proxies import environment_proxy
from tests.support.peer import Peer

pytestmark = pytest.mark.anyio

SECRET = "open sesame"
HOME = "https://sproutgigs.com/api/"
KINDS = ("http", "https", "all", "no")
OVER = [None, "lanes", "client", "shared"]


@pytest.fixture(autouse=True)
def nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in KINDS:
        monkeypatch.delenv(f"{kind}_proxy", raising=False)
        monkeypatch.delenv(f"{kind}_proxy".upper(), raising=False)


def client(base_url: str, transport: Any = None, **options: Any) -> AsyncPicoworkers:
    options.setdefault("retry", RetryPolicy(attempts=1))
    return AsyncPicoworkers("user_id", SECRET, base_url=base_url, transport=transport, **options)


def refused(connection: Any, _: int) -> None:
    connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.each_package
@pytest.mark.parametrize("over", OVER)
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "sandbox"])
@pytest.mark.parametrize("variable", ["http_proxy", "ALL_PROXY"])
async def test_no_proxy_ever_sees_what_goes_by_plain_http(over, host, variable, monkeypatch) -> None:
    with Peer(refused) as proxy:
        monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
        async with SharedTransport() as shared:
            carrier = shared if over == "shared" else over
            async with client(f"http://{host}:1/api/", carrier, insecure_http_hosts={"sandbox"}) as pico:
                # These tests reach no host but loopback.
                said = "a test tried to reach" if host == "sandbox" else "never reached the service"
                with pytest.raises(CallError, match=said):
                    await pico.users.get_balances()
        assert proxy.requests == []


@pytest.mark.each_package
@pytest.mark.parametrize("over", OVER)
async def test_what_goes_by_tls_goes_through_the_proxy_which_sees_no_secret(over, monkeypatch) -> None:
    with Peer(refused) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        async with SharedTransport() as shared, client(HOME, shared if over == "shared" else over) as pico:
            with pytest.raises(NotSentError, match="502"):
                await pico.jobs.rate_single_task(Rating("j", "t", "ok"))
        assert proxy.requests[0].startswith(b"CONNECT sproutgigs.com:443 HTTP/1.1\r\n")
        assert b"uthorization" not in proxy.requests[0]


UNUSABLE = ["socks5://127.0.0.1:1", "ftp://127.0.0.1:1", "http://127.0.0.1:port", "http://[::1", "http://", "a b"]


@pytest.mark.parametrize("over", OVER)
@pytest.mark.parametrize("proxy", UNUSABLE)
async def test_a_proxy_that_cannot_be_used_is_named_when_a_client_is_made(proxy, over, monkeypatch) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(InvalidRequestError) as caught:
        client(HOME, SharedTransport() if over == "shared" else over)
    assert [problem.field for problem in caught.value.problems] == ["ALL_PROXY"]
    assert caught.value.fate is Fate.NOT_PROCESSED
    assert client("http://localhost:1/api/", over if over != "shared" else None)
    monkeypatch.setenv("no_proxy", "sproutgigs.com")
    assert client(HOME, over if over != "shared" else None)


@pytest.mark.each_package
@pytest.mark.parametrize("over", OVER)
@pytest.mark.parametrize("proxy", UNUSABLE)
async def test_one_that_is_named_later_is_told_on_entering(proxy, over, monkeypatch) -> None:
    async with SharedTransport() as shared:
        pico = client(HOME, shared if over == "shared" else over)
        monkeypatch.setenv("https_proxy", proxy)
        with pytest.raises(ClientStateError, match="nothing was sent, https_proxy=") as caught:
            await pico.__aenter__()
        assert caught.value.fate is Fate.NOT_PROCESSED
        monkeypatch.delenv("https_proxy")
        async with pico:
            assert "transport=" in repr(pico)


@pytest.mark.parametrize(
    ("proxy", "shown"),
    [
        ("ftp://me:pass%20word@127.0.0.1:1", "ftp://(hidden)@127.0.0.1:1"),
        ("ftp://me:word@pass@127.0.0.1:1", "(hidden)"),
        ("http://me:pass", "http://me:(hidden)"),
        ("http://me:pass@127.0.0.1:word", "http://(hidden)@127.0.0.1:(hidden)"),
        ("http://me:pass@[::1", "(hidden)"),
        ("ftp://127.0.0.1:1", "ftp://127.0.0.1:1"),
    ],
)
def test_the_error_shows_the_proxy_and_no_password(proxy: str, shown: str, monkeypatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(InvalidRequestError) as caught:
        client(HOME)
    assert f"HTTPS_PROXY={shown}" in str(caught.value).replace("'", "")
    assert "pass" not in str(caught.value)
    assert "word" not in str(caught.value)


@pytest.mark.each_package
async def test_what_only_httpx_finds_wrong_with_a_proxy_is_told_on_entering(monkeypatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:pass@999.1.1.1:1")
    with pytest.raises(ClientStateError, match="nothing was sent, HTTPS_PROXY=") as caught:
        await client(HOME, "client").__aenter__()
    assert "pass" not in str(caught.value)
    assert caught.value.__context__ is None


async def test_a_lane_that_cannot_be_made_was_never_sent_over_and_keeps_its_place(monkeypatch) -> None:
    async with client("http://localhost:1/api/", "lanes") as pico:
        with monkeypatch.context() as patch:
            patch.setattr(Lanes, "_fresh", lambda lanes: 1 / 0)
            for _ in range(20):
                with pytest.raises(NotSentError, match="no lane could be made"):
                    await pico.jobs.rate_single_task(Rating("j", "t", "ok"))
        with pytest.raises(NotSentError, match="ConnectError"):
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
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert environment_proxy("https://sproutgigs.com/api/") == proxy
