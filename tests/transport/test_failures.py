"""What became of a request whose answer did not come: over real sockets, whatever carries it."""

from __future__ import annotations

import socket
import ssl
import traceback

import anyio
import h11
import httpcore
import httpx
import httpx2
import pytest
import trustme

from picoworkers_async import (
    AsyncPicoworkers,
    CallError,
    Fate,
    InvalidRequestError,
    NoAnswerError,
    NotSentError,
    OutcomeUnknownError,
    Rating,
    RetryPolicy,
)
from picoworkers_async.transport.failures import fate_of
from tests.support.carriers import carried, over_each_carrier
from tests.support.peer import Peer, cut_half, reset

pytestmark = [pytest.mark.anyio, pytest.mark.each_package]

RATING = Rating("j", "t", "ok")
ONCE = RetryPolicy(attempts=1)
TOKEN = "dXNlcl9pZDphcGlfc2VjcmV0"


def raised_from(failure: Exception, cause: Exception) -> Exception:
    failure.__cause__ = cause
    return failure


@pytest.mark.parametrize(
    ("failure", "ours", "foreign"),
    [
        (httpx.ConnectError("refused"), True, False),
        (httpx.PoolTimeout("full"), True, False),
        (raised_from(httpx.ConnectError("x"), httpcore.ConnectError("x")), True, True),
        (raised_from(httpx2.ConnectTimeout("x"), httpcore.ConnectTimeout("x")), True, True),
        (raised_from(RuntimeError("x"), raised_from(OSError("x"), httpcore.PoolTimeout("x"))), False, True),
        (raised_from(httpx.ConnectError("x"), ConnectionRefusedError("x")), True, False),
        (raised_from(httpx.ReadError("x"), httpcore.ReadError("x")), False, False),
        (httpx.WriteError("x"), False, False),
        (httpx.InvalidURL("x"), False, False),
        (ConnectionRefusedError("x"), False, False),
        (ValueError("x"), False, False),
    ],
)
def test_only_what_proves_it_was_not_sent(failure: Exception, ours: bool, foreign: bool) -> None:
    for trusted, expected in ((True, ours), (False, foreign)):
        assert fate_of(failure, ours=trusted) is (Fate.NOT_PROCESSED if expected else Fate.UNKNOWN)


@pytest.mark.parametrize(
    ("name", "fate"),
    [
        ("ConnectError", Fate.NOT_PROCESSED),
        ("ConnectTimeout", Fate.NOT_PROCESSED),
        ("PoolTimeout", Fate.NOT_PROCESSED),
        ("ProxyError", Fate.NOT_PROCESSED),
        ("UnsupportedProtocol", Fate.NOT_PROCESSED),
        ("ReadError", Fate.UNKNOWN),
        ("ReadTimeout", Fate.UNKNOWN),
        ("WriteError", Fate.UNKNOWN),
        ("WriteTimeout", Fate.UNKNOWN),
        ("CloseError", Fate.UNKNOWN),
        ("RemoteProtocolError", Fate.UNKNOWN),
        ("LocalProtocolError", Fate.UNKNOWN),
        ("DecodingError", Fate.UNKNOWN),
    ],
)
@pytest.mark.parametrize("package", [httpx, httpx2])
def test_only_a_failure_before_the_request_started_counts_as_not_sent(package, name: str, fate: Fate) -> None:
    assert fate_of(getattr(package, name)("x"), ours=True) is fate


@over_each_carrier
async def test_a_service_that_is_not_there_was_sent_nothing(carrier, monkeypatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/api/"
    async with carried(carrier, url, monkeypatch) as pico:
        with pytest.raises(NotSentError):
            await pico.jobs.rate_single_task(RATING)


@over_each_carrier
async def test_a_certificate_that_is_not_trusted_stops_a_request_before_it_is_sent(carrier, monkeypatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with Peer(reset, tls=context) as peer:
        async with carried(carrier, peer.base, monkeypatch) as pico:
            with pytest.raises(NotSentError):
                await pico.jobs.rate_single_task(RATING)
        assert peer.requests == []


@over_each_carrier
@pytest.mark.parametrize(
    "behave",
    [
        lambda connection, _: reset(connection),
        lambda connection, _: connection.close(),
        cut_half(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"),
        cut_half(b"HTTP/1.1 200 OK\r\nConte"),
        cut_half(b"HTTP/1.1 200 \xff\xfe\r\nX-\xff: \xfe\r\nContent-Length: 0\r\n\r\n"),
        cut_half(b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n"),
    ],
    ids=["reset", "closed", "half a body", "half a head", "no text", "no address"],
)
async def test_a_request_that_was_received_is_never_told_as_unsent(carrier, behave, monkeypatch) -> None:
    with Peer(behave) as peer:
        async with carried(carrier, peer.base, monkeypatch) as pico:
            with pytest.raises(CallError) as caught:
                await pico.jobs.rate_single_task(RATING)
        assert len(peer.requests) == 1
    assert caught.value.fate is Fate.UNKNOWN


FAILURES = [
    NotSentError("another.call", "of another client's, in a hook"),
    ssl.SSLError("decryption failed"),
    UnicodeDecodeError("ascii", b"\xff", 0, 1, "not in range"),
    h11.RemoteProtocolError("odd"),
    ValueError("odd"),
    KeyError("odd"),
    RuntimeError("odd"),
    ConnectionRefusedError("so it says"),
    httpx.ConnectError("so it says"),
    httpx.UnsupportedProtocol("so it says"),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("shared", [True, False], ids=["client", "transport"])
async def test_whatever_a_foreign_transport_raises_counts_as_sent(failure: Exception, shared: bool) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise failure

    transport = httpx.MockTransport(fail)
    option = {"http_client": httpx.AsyncClient(transport=transport)} if shared else {"transport": transport}
    async with AsyncPicoworkers("user_id", "api_secret", retry=ONCE, **option) as pico:
        with pytest.raises(OutcomeUnknownError) as caught:
            await pico.jobs.rate_single_task(RATING)
        assert caught.value.__cause__ is failure
        with pytest.raises(NoAnswerError):
            await pico.users.get_balances()


@pytest.mark.parametrize("moment", ["request", "response"])
async def test_a_hook_that_raises_leaves_a_call_for_money_unknown(moment: str) -> None:
    async def hook(_: object) -> None:
        raise KeyError("a mistake in the hook")

    ok = httpx.MockTransport(lambda request: httpx.Response(200, json={"ok": True, "message": ""}))
    shared = httpx.AsyncClient(transport=ok, event_hooks={moment: [hook]})
    async with shared, AsyncPicoworkers("user_id", "api_secret", http_client=shared, retry=ONCE) as pico:
        with pytest.raises(OutcomeUnknownError, match="a mistake in the hook"):
            await pico.jobs.rate_single_task(RATING)


async def test_a_failed_connect_after_the_request_was_written_is_no_proof() -> None:
    """A hook of the answer that asks another service: its own failure is a true failed connect."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        elsewhere = f"http://127.0.0.1:{listener.getsockname()[1]}/"

    async def hook(_: object) -> None:
        async with httpx.AsyncClient() as other:
            await other.get(elsewhere)

    ok = b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"ok":true}'
    with Peer(lambda connection, _: connection.sendall(ok)) as peer:
        async with httpx.AsyncClient(event_hooks={"response": [hook]}) as shared:
            pico = AsyncPicoworkers("user_id", "api_secret", base_url=peer.base, http_client=shared, retry=ONCE)
            async with pico:
                with pytest.raises(OutcomeUnknownError):
                    await pico.jobs.rate_single_task(RATING)
        assert len(peer.requests) == 1


async def test_a_place_that_does_not_come_free_in_a_shared_pool_is_no_sending() -> None:
    with Peer(lambda connection, _: connection.recv(1)) as peer:
        limits = httpx.Limits(max_connections=1)
        async with httpx.AsyncClient(limits=limits, timeout=httpx.Timeout(30.0, pool=0.2)) as shared:
            pico = AsyncPicoworkers("user_id", "api_secret", base_url=peer.base, http_client=shared, retry=ONCE)
            async with pico, anyio.create_task_group() as group:
                group.start_soon(pico.users.get_balances)
                await peer.received(1)
                with pytest.raises(NotSentError):
                    await pico.jobs.rate_single_task(RATING)
                group.cancel_scope.cancel()
        assert len(peer.requests) == 1


async def test_a_shared_client_that_is_closed_sends_nothing() -> None:
    shared = httpx.AsyncClient()
    await shared.aclose()
    async with AsyncPicoworkers("user_id", "api_secret", http_client=shared, retry=ONCE) as pico:
        with pytest.raises(NotSentError, match="closed"):
            await pico.jobs.rate_single_task(RATING)


async def test_a_request_that_cannot_be_made_was_not_sent(monkeypatch) -> None:
    def no_request(*_: object, **__: object) -> None:
        raise httpx.InvalidURL("no port")

    shared = httpx.AsyncClient()
    monkeypatch.setattr(shared, "build_request", no_request)
    async with shared, AsyncPicoworkers("user_id", "api_secret", http_client=shared, retry=ONCE) as pico:
        with pytest.raises(NotSentError, match="no port"):
            await pico.jobs.rate_single_task(RATING)


@pytest.mark.parametrize("wrong", [httpx.Client, httpx2.Client, lambda: httpx, lambda: "http://127.0.0.1"])
def test_a_client_that_is_not_asynchronous_is_refused_by_name(wrong) -> None:
    given = wrong()
    with pytest.raises(InvalidRequestError) as caught:
        AsyncPicoworkers("user_id", "api_secret", http_client=given)
    assert [problem.field for problem in caught.value.problems] == ["http_client"]


def shown(error: BaseException) -> str:
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(report.format())


@over_each_carrier
async def test_no_frame_of_a_failure_or_a_cancellation_shows_the_secret(carrier, monkeypatch) -> None:
    errors: list[BaseException] = []
    with Peer(lambda connection, number: connection.close() if number == 1 else None) as peer:
        async with carried(carrier, peer.base, monkeypatch) as pico:

            async def call() -> None:
                try:
                    await pico.jobs.rate_single_task(RATING)
                except BaseException as error:
                    errors.append(error)
                    raise

            with pytest.raises(OutcomeUnknownError):
                await call()
            async with anyio.create_task_group() as group:
                group.start_soon(call)
                await peer.received(2)
                group.cancel_scope.cancel()
    assert len(errors) == 2
    for error in errors:
        text = shown(error)
        assert "in exchange" in text
        assert [line for line in text.splitlines() if TOKEN in line] == []
        assert error.__cause__ is None or error.__cause__.__traceback__ is None


async def test_a_cancellation_keeps_what_the_caller_was_handling(anyio_backend_name: str) -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    seen: list[BaseException] = []
    transport = httpx.MockTransport(never)
    async with AsyncPicoworkers("user_id", "api_secret", transport=transport) as pico:
        with anyio.move_on_after(0.05):
            try:
                raise LookupError("of the caller's")
            except LookupError:
                try:
                    await pico.users.get_balances()
                except BaseException as gone:
                    seen.append(gone)
                    raise
    assert isinstance(seen[0], anyio.get_cancelled_exc_class())
    assert isinstance(seen[0].__context__, LookupError)
