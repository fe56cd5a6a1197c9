"""What an answer's body may be, and cost: over real sockets, whatever carries it."""

from __future__ import annotations

import gzip
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from picoworkers_async import (
    AsyncPicoworkers,
    InvalidRequestError,
    InvalidResponseError,
    OutcomeUnknownError,
    RateLimitedError,
    Rating,
    RetryPolicy,
)
from tests.support.carriers import carried, over_each_carrier
from tests.support.peer import Peer

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.each_package,
    # httpx's own generators, in which an answer is left that is not read on.
    pytest.mark.filterwarnings("ignore:Async generator:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

MIB = 1024 * 1024
BALANCES = b'{"spendable": 12.5, "earned": 1}'
RATING = Rating("j", "t", "ok")


def answer(body: bytes, coding: str = "", status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n"
    return (head + (f"Content-Encoding: {coding}\r\n" if coding else "") + "\r\n").encode() + body


def raw_deflate(body: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packing.compress(body) + packing.flush()


def bomb() -> bytes:
    """1 MiB of gzip that unpacks to about 1 GiB of zeros."""
    packing = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    piece = packing.compress(bytes(MIB)) + packing.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff" + piece * (MIB // len(piece))


@contextmanager
def most_memory() -> Iterator[dict[str, int]]:
    """How much more memory the process had, at most, while the block ran: what Python knows of, and all of it."""
    peak = {"python": 0, "process": 0}
    done = threading.Event()
    statm = Path("/proc/self/statm")

    def resident() -> int:
        return int(statm.read_text().split()[1]) * 4096 if statm.exists() else 0

    before = resident()

    def watch() -> None:
        while not done.is_set():
            peak["process"] = max(peak["process"], resident() - before)
            time.sleep(0.001)

    watcher = threading.Thread(target=watch)
    tracemalloc.start()
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()
        peak["python"] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()


@over_each_carrier
@pytest.mark.parametrize(
    ("packed", "coding"),
    [
        (BALANCES, ""),
        (BALANCES, "identity"),
        (gzip.compress(BALANCES), "gzip"),
        (zlib.compress(BALANCES), "deflate"),
        (raw_deflate(BALANCES), "deflate"),
    ],
    ids=["plain", "identity", "gzip", "deflate", "raw deflate"],
)
async def test_an_answer_is_unpacked(carrier, packed: bytes, coding: str, monkeypatch) -> None:
    with Peer(lambda connection, _: connection.sendall(answer(packed, coding))) as peer:
        async with carried(carrier, peer.base, monkeypatch) as pico:
            assert (await pico.users.get_balances()).spendable == 12.5


@over_each_carrier
@pytest.mark.parametrize(
    ("packed", "coding"),
    [(gzip.compress(BALANCES)[:-12], "gzip"), (b"no gzip", "gzip"), (b"\x78", "deflate"), (BALANCES, "br")],
    ids=["cut short", "garbage", "one byte", "not asked for"],
)
async def test_what_cannot_be_unpacked_is_unknown_where_money_is_at_stake(
    carrier, packed: bytes, coding: str, monkeypatch
) -> None:
    with Peer(lambda connection, _: connection.sendall(answer(packed, coding))) as peer:
        async with carried(carrier, peer.base, monkeypatch) as pico:
            with pytest.raises(InvalidResponseError):
                await pico.users.get_balances()
            with pytest.raises(OutcomeUnknownError):
                await pico.jobs.rate_single_task(RATING)


@over_each_carrier
async def test_a_bomb_costs_less_than_twice_the_cap(carrier, monkeypatch) -> None:
    cap, packed = 16 * MIB, bomb()
    answers = [answer(BALANCES), answer(packed, "gzip"), answer(packed, "gzip")]
    with Peer(lambda connection, number: connection.sendall(answers[number - 1])) as peer:
        async with carried(carrier, peer.base, monkeypatch, max_response_bytes=cap) as pico:
            # What is made once is made now.
            await pico.users.get_balances()
            with most_memory() as peak:
                with pytest.raises(InvalidResponseError, match="max_response_bytes"):
                    await pico.users.get_balances()
                with pytest.raises(OutcomeUnknownError, match="max_response_bytes"):
                    await pico.jobs.rate_single_task(RATING)
    assert peak["python"] < 2 * cap
    assert peak["process"] < 3 * cap


@over_each_carrier
async def test_an_answer_without_end_is_given_up_at_the_cap(carrier, monkeypatch) -> None:
    def pour(connection, _: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(64):
            connection.sendall(bytes(MIB))

    with Peer(pour) as peer:
        async with carried(carrier, peer.base, monkeypatch, max_response_bytes=4 * MIB) as pico:
            with most_memory() as peak, pytest.raises(InvalidResponseError, match="max_response_bytes"):
                await pico.users.get_balances()
    assert peak["process"] < 32 * MIB


@over_each_carrier
async def test_an_answer_of_just_the_cap_is_read(carrier, monkeypatch) -> None:
    packed = gzip.compress(BALANCES)
    with Peer(lambda connection, _: connection.sendall(answer(packed, "gzip"))) as peer:
        async with carried(carrier, peer.base, monkeypatch, max_response_bytes=len(BALANCES) + 20) as pico:
            await pico.users.get_balances()
        async with carried(carrier, peer.base, monkeypatch, max_response_bytes=len(BALANCES) - 1) as pico:
            with pytest.raises(InvalidResponseError, match="max_response_bytes"):
                await pico.users.get_balances()


async def test_an_answer_that_a_transport_gives_whole_has_the_cap_too() -> None:
    big = httpx.MockTransport(lambda request: httpx.Response(200, content=BALANCES + b" " * 1000))
    for option in ({"transport": big}, {"http_client": httpx.AsyncClient(transport=big)}):
        retry = RetryPolicy(attempts=1)
        async with AsyncPicoworkers(
            "user_id", "api_secret", retry=retry, max_response_bytes=500, **option
        ) as pico:
            with pytest.raises(InvalidResponseError, match="max_response_bytes"):
                await pico.users.get_balances()


async def test_a_429_is_one_whatever_its_body_is() -> None:
    def too_many(request: httpx.Request) -> httpx.Response:
        return httpx.Response(429, stream=httpx.ByteStream(b"no gzip"), headers={"content-encoding": "gzip"})

    transport, retry = httpx.MockTransport(too_many), RetryPolicy(attempts=1)
    async with AsyncPicoworkers("user_id", "api_secret", transport=transport, retry=retry) as pico:
        with pytest.raises(RateLimitedError):
            await pico.users.get_balances()
        assert pico.throttle.state().rate_limited == 1


@pytest.mark.parametrize("value", [0, -1, True, 1.5, "1", None])
def test_a_cap_that_is_none_is_refused_by_name(value: object) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        AsyncPicoworkers("user_id", "api_secret", max_response_bytes=value)
    assert [problem.field for problem in caught.value.problems] == ["max_response_bytes"]
