"""Plain http shows the secret: it goes to loopback, and to hosts that the program names."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from picoworkers_async import AsyncPicoworkers, InvalidRequestError
from picoworkers_async.sandbox import Sandbox
from picoworkers_async.settings import address_problems

SECRET = "open sesame"


def client(base_url: str, *hosts: str, **options: Any) -> AsyncPicoworkers:
    return AsyncPicoworkers("user_id", SECRET, base_url=base_url, insecure_http_hosts=set(hosts), **options)


@pytest.fixture
def sandbox_is_a_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name `sandbox`, as in a network of containers, for this machine."""
    look_up = socket.getaddrinfo

    def named(host: Any, *arguments: Any, **options: Any) -> Any:
        return look_up("127.0.0.1" if host in ("sandbox", b"sandbox") else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", named)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("transport", "anyio_backend"),
    [("fast", "asyncio"), ("lanes", "asyncio"), ("lanes", "trio"), ("client", "trio")],
)
async def test_a_sandbox_in_a_network_of_containers_is_reached_by_its_name(transport, sandbox_is_a_host) -> None:
    sandbox = Sandbox(api_secret=SECRET)
    async with sandbox.serve() as url:
        named = url.replace("127.0.0.1", "sandbox")
        assert "//sandbox:" in named
        async with client(named, "sandbox", transport=transport) as pico:
            await pico.users.get_balances()
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://sandbox:8000/api/", "sandbox"),
        ("http://SandBox/api/", "sandbox"),
        ("http://sandbox/api/", "SANDBOX"),
        ("http://my_service.internal/api/", "my_service.internal"),
        ("http://10.0.0.7:8000/api/", "10.0.0.7"),
        ("http://[fd00::1]:8000/api/", "fd00::1"),
        ("http://[fd00::1]:8000/api/", "[FD00:0:0::1]"),
    ],
)
def test_a_host_is_the_same_however_it_is_written(url: str, host: str) -> None:
    assert client(url, host)
    assert client(url, "another", host)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://sandbox.example.com/", "sandbox"),
        ("http://sandbox/", "sandbox.example.com"),
        ("http://example.com/sandbox", "sandbox"),
        ("http://sandbox-2/", "sandbox"),
        ("http://10.0.0.70/", "10.0.0.7"),
        ("http://[fd00::2]/", "fd00::1"),
    ],
)
def test_another_host_still_needs_tls_and_the_error_says_how_to_name_it(url: str, host: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"insecure_http_hosts=\{'") as caught:
        client(url, host)
    assert [problem.field for problem in caught.value.problems] == ["base_url"]


@pytest.mark.parametrize("url", ["http://sandbox@example.com/", "http://sandbox:80@example.com/"])
def test_a_name_before_the_host_is_no_host(url: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        client(url, "sandbox")
    assert {problem.field for problem in caught.value.problems} == {"base_url"}


def test_loopback_needs_no_naming_and_naming_others_takes_nothing_from_it() -> None:
    for url in ("http://127.0.0.1:8000/", "http://localhost/", "http://[::1]/"):
        assert address_problems(url) == []
        assert address_problems(url, {"sandbox"}) == []
    assert address_problems("https://picoworkers.com/", {"sandbox"}) == []


@pytest.mark.parametrize(
    "host",
    [
        *("", "*", "*.internal", "sandbox*", "http://sandbox", "sandbox/", "sandbox:8000", "[fd00::1]:8000", " "),
        *("sand box", "user@sandbox", "sandbox\n", ".", "-", "[sandbox]", "sandböx", 5, None),
    ],
    ids=repr,
)
def test_what_is_not_the_name_of_one_host_is_refused_by_name(host: Any) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        AsyncPicoworkers("user_id", SECRET, insecure_http_hosts=["sandbox", host])
    assert [problem.field for problem in caught.value.problems] == ["insecure_http_hosts"]


@pytest.mark.parametrize("hosts", ["sandbox", b"sandbox", {"sandbox": True}, True, None], ids=repr)
def test_what_is_no_set_of_names_is_refused_by_name(hosts: Any) -> None:
    with pytest.raises(InvalidRequestError, match=r"such as \{'sandbox'\}"):
        AsyncPicoworkers("user_id", SECRET, insecure_http_hosts=hosts)


def test_only_the_program_names_hosts_and_not_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICOWORKERS_USER_ID", "user_id")
    monkeypatch.setenv("PICOWORKERS_API_SECRET", SECRET)
    monkeypatch.setenv("PICOWORKERS_BASE_URL", "http://sandbox:8000/api/")
    monkeypatch.setenv("PICOWORKERS_INSECURE_HTTP_HOSTS", "sandbox")
    with pytest.raises(InvalidRequestError, match="insecure_http_hosts"):
        AsyncPicoworkers.from_env()
    assert "http://sandbox:8000/api/" in repr(AsyncPicoworkers.from_env(insecure_http_hosts={"sandbox"}))
