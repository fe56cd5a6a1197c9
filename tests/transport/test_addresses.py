"""Addresses of the service: however they are written, what is accepted works over everything."""

from __future__ import annotations

from typing import Any

import pytest

from picoworkers_async import AsyncPicoworkers, InvalidRequestError, Rating, RetryPolicy
from picoworkers_async.sandbox import Sandbox
from picoworkers_async.settings import normalized_address
from tests.support.peer import Peer

pytestmark = pytest.mark.anyio

SECRET = "open sesame"
OVER = [("fast", "asyncio"), ("lanes", "asyncio"), ("lanes", "trio"), ("client", "trio")]


def client(base_url: str, *hosts: str, **options: Any) -> AsyncPicoworkers:
    return AsyncPicoworkers("user_id", SECRET, base_url=base_url, insecure_http_hosts=set(hosts), **options)


@pytest.mark.parametrize(("transport", "anyio_backend"), OVER)
@pytest.mark.parametrize("ending", ["/", ""])
async def test_capitals_in_scheme_and_host_are_no_outage(transport, ending) -> None:
    sandbox = Sandbox(api_secret=SECRET)
    job_id = sandbox.add_job()
    sandbox.add_tasks(job_id, 4)
    async with sandbox.serve() as url:
        written = url.replace("http://127.0.0.1", "HTTP://LocalHost").removesuffix("/") + ending
        async with client(written, transport=transport) as pico:
            assert "//localhost:" in repr(pico)
            report = await pico.review_all(Rating.ok, patience=5)
    assert (report.rated, len(sandbox.ledger)) == (4, 4)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("HTTPS://Picoworkers.COM/Api", "https://picoworkers.com/Api/"),
        ("https://picoworkers.com", "https://picoworkers.com/"),
        ("http://[FD00::A]:8000/API/", "http://[fd00::a]:8000/API/"),
        ("https://picoworkers.com./api/", "https://picoworkers.com./api/"),
    ],
)
def test_the_path_stays_as_it_was_written(url: str, normal: str) -> None:
    assert normalized_address(url) == normal


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "host",
    [
        *("[fe80::1%25eth0]", "[fe80::1%eth0]", "[::1%25lo]", "localhost%00", "localhost%00.example.com", "%6c"),
        *(
            "127.0.0.01",
            "999.1.1.1",
            "a..b",
            ".",
            ".a",
            "localhost..",
            "a" * 64,
            "a,b",
            "a\\b",
            "localhost:0",
            "[::1",
        ),
    ],
)
def test_a_host_that_nobody_can_reach_is_refused_and_waited_for_by_nobody(scheme: str, host: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        client(f"{scheme}://{host}/api/")
    assert {problem.field for problem in caught.value.problems} == {"base_url"}


@pytest.mark.parametrize(
    "host", ["localhost.", "2130706433", "127.1", "0x7f000001", "0.0.0.0", "localhost.example.com"]
)
def test_what_may_be_this_machine_and_may_be_another_needs_its_name(host: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"insecure_http_hosts=\{'"):
        client(f"http://{host}/api/")
    assert client(f"http://{host}/api/", host)
    assert client(f"https://{host}/api/")


@pytest.mark.parametrize("zone", ["fe80::1%eth0", "[fe80::1%25eth0]"])
def test_a_zone_names_no_host(zone: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        client("https://picoworkers.com/", zone)
    assert [problem.field for problem in caught.value.problems] == ["insecure_http_hosts"]


@pytest.mark.parametrize(("transport", "anyio_backend"), OVER)
async def test_the_secret_follows_no_redirect(transport) -> None:
    with Peer(lambda connection, _: connection.sendall(b"")) as elsewhere:
        head = f"HTTP/1.1 307 x\r\nLocation: {elsewhere.base}\r\nContent-Length: 0\r\n\r\n".encode()
        with Peer(lambda connection, _: connection.sendall(head)) as peer:
            async with client(peer.base, transport=transport, retry=RetryPolicy(attempts=1)) as pico:
                with pytest.raises(Exception, match="redirect"):
                    await pico.users.get_balances()
            assert len(peer.requests) == 1
        assert elsewhere.requests == []
