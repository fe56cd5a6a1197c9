"""What requests go over: what was named, or what is best here, and how a program can see which."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import httpx
import httpx2
import pytest
import respx

from picoworkers_async import AsyncPicoworkers, ClientStateError, InvalidRequestError, ProblemCode, SharedTransport
from picoworkers_async.transport.choice import VARIABLE
from picoworkers_async.transport.replaced import replacement
from tests.support.answering import answering
from tests.support.peer import Peer

pytestmark = pytest.mark.anyio

BASE = "http://127.0.0.1:9/api/"
HOME = "https://127.0.0.1:9/api/"
BALANCES = {"earned": "0.0000", "spendable": "12.5000"}
NAMES = ("fast", "lanes", "client")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n" + b'{"earned":1,"spendable":25}'


@pytest.fixture(autouse=True)
def nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (VARIABLE, "http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def client(base_url: str = BASE, **options: Any) -> AsyncPicoworkers:
    return AsyncPicoworkers("user_id", "api_secret", base_url=base_url, **options)


def problems_of(**options: Any) -> list[tuple[str, ProblemCode]]:
    with pytest.raises(InvalidRequestError) as caught:
        client(**options)
    return [(problem.field, problem.code) for problem in caught.value.problems]


async def carrier_of(pico: AsyncPicoworkers) -> str:
    """What the client says that it sends over, once it is entered."""
    async with pico:
        _, _, shown = repr(pico).rpartition("transport=")
    return shown.strip("')")


@pytest.mark.parametrize("name", NAMES)
async def test_what_is_named_is_what_requests_go_over(name: str, anyio_backend, caplog) -> None:
    if name == "fast" and anyio_backend == "trio":
        pytest.skip("fast is for asyncio")
    caplog.set_level(logging.DEBUG, "picoworkers_async")
    with Peer(lambda connection, _: connection.sendall(ANSWER)) as peer:
        pico = client(peer.base, transport=name)
        assert f"transport='{name}'" in repr(pico)
        async with pico:
            assert f"transport='{name}'" in repr(pico)
            assert (await pico.users.get_balances()).spendable == 25
            assert (await pico.with_options(timeout=3).users.get_balances()).spendable == 25
    told = [record for record in caplog.records if record.__dict__["event"] == "transport_chosen"]
    assert [record.getMessage() for record in told] == [
        f"requests to {peer.base} go over {name}: transport= says so"
    ]
    assert told[0].__dict__["transport"] == name


async def test_what_is_given_says_its_name(caplog) -> None:
    caplog.set_level(logging.DEBUG, "picoworkers_async")
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=BALANCES))
    assert await carrier_of(client(transport=transport)) == "MockTransport"
    async with httpx.AsyncClient() as http_client:
        assert await carrier_of(client(http_client=http_client)) == "http_client"
    assert [record.getMessage() for record in caplog.records] == [
        f"requests to {BASE} go over MockTransport: it was given",
        f"requests to {BASE} go over http_client: it was given",
    ]


async def test_the_environment_names_it_where_no_argument_does(monkeypatch, caplog) -> None:
    caplog.set_level(logging.DEBUG, "picoworkers_async")
    monkeypatch.setenv(VARIABLE, " Client ")
    monkeypatch.setenv("PICOWORKERS_USER_ID", "user_id")
    monkeypatch.setenv("PICOWORKERS_API_SECRET", "api_secret")
    monkeypatch.setenv("PICOWORKERS_BASE_URL", BASE)
    assert await carrier_of(client()) == "client"
    assert await carrier_of(AsyncPicoworkers.from_env()) == "client"
    assert caplog.messages[0].endswith(f"go over client: {VARIABLE} says so")
    assert await carrier_of(client(transport="lanes")) == "lanes"
    assert await carrier_of(AsyncPicoworkers.from_env(transport="lanes")) == "lanes"
    monkeypatch.setenv(VARIABLE, "")
    assert await carrier_of(client()) in ("fast", "lanes")


async def test_what_the_environment_names_is_read_once_when_a_client_is_made(monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, "client")
    pico, shared = client(), SharedTransport()
    monkeypatch.setenv(VARIABLE, "quick")
    assert await carrier_of(pico) == "client"
    async with shared:
        assert shared.choice(BASE).name == "client"
    with pytest.raises(InvalidRequestError, match=VARIABLE):
        SharedTransport()


def test_a_name_that_is_none_is_refused_wherever_it_is_read(monkeypatch) -> None:
    assert problems_of(transport="quick") == [("transport", ProblemCode.CHOICE)]
    monkeypatch.setenv(VARIABLE, "quick")
    assert problems_of() == [(VARIABLE, ProblemCode.CHOICE)]
    assert client(transport="lanes")
    assert client(http_client=httpx.AsyncClient())
    monkeypatch.delenv("PICOWORKERS_API_SECRET", raising=False)
    monkeypatch.setenv("PICOWORKERS_USER_ID", "user_id")
    with pytest.raises(InvalidRequestError) as caught:
        AsyncPicoworkers.from_env()
    assert [problem.field for problem in caught.value.problems] == ["PICOWORKERS_API_SECRET", VARIABLE]


def test_fast_is_refused_with_the_remedy_where_it_cannot_be_used(monkeypatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(InvalidRequestError, match=r'pip install "picoworkers-async\[fast\]"'):
            client(transport="fast")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    with pytest.raises(InvalidRequestError, match="NO_PROXY"):
        client(HOME, transport="fast")
    assert client(transport="fast")
    monkeypatch.setenv(VARIABLE, "fast")
    assert problems_of(base_url=HOME) == [(VARIABLE, ProblemCode.CONFLICT)]
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert client(HOME, transport="fast")


@pytest.mark.parametrize("anyio_backend", ["trio"])
async def test_fast_says_on_entering_that_it_needs_asyncio() -> None:
    pico = client(transport="fast")
    for _ in range(2):
        with pytest.raises(ClientStateError, match=r"asyncio only.*use lanes or client"):
            await pico.__aenter__()
    with pytest.raises(ClientStateError, match="not open yet"):
        await pico.users.get_balances()
    await pico.aclose()


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        AsyncPicoworkers(
            "",
            "",
            edition="other",
            base_url="ftp://picoworkers.com/",
            http_client=httpx.Client(),  # type: ignore[arg-type]
            transport="quick",  # type: ignore[arg-type]
            throttle=1,  # type: ignore[arg-type]
            retry=2,  # type: ignore[arg-type]
            timeout=0,
            settle_after=-1,
            max_wait=0,
            max_response_bytes=0,
            insecure_http_hosts={"*"},
            on_event=3,  # type: ignore[arg-type]
        )
    fields = [problem.field for problem in caught.value.problems]
    assert fields == [
        *("user_id", "api_secret", "edition", "base_url", "insecure_http_hosts", "http_client", "transport"),
        *("throttle", "retry", "timeout", "settle_after", "max_wait", "max_response_bytes", "on_event"),
    ]


# Those who want to see the requests.


async def seen(transport: Any, counted: Any) -> tuple[str, int]:
    """What a client goes over, and how often a request of it was counted."""
    async with client(transport=transport) as pico:
        assert str((await pico.users.get_balances()).spendable) == "12.5000"
        return repr(pico).rpartition("transport=")[2].strip("')"), counted()


@pytest.mark.parametrize("using", ["httpcore", "httpx"])
@pytest.mark.parametrize("transport", [None, "lanes", "client"])
async def test_respx_sees_all_but_fast_and_is_not_passed_by_where_nothing_is_named(
    transport, using, http_package, anyio_backend, caplog
) -> None:
    if http_package is httpx2:
        pytest.skip("respx knows httpx only")
    caplog.set_level(logging.DEBUG, "picoworkers_async")
    with respx.mock(using=using) as router:
        route = router.get(BASE + "users/get-balances.php").respond(json=BALANCES)
        assert await seen(transport, lambda: route.call_count) == (transport or "lanes", 1)
    if transport is None and anyio_backend == "asyncio":
        assert "respx.mocks has replaced" in caplog.messages[0]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_respx_that_has_ended_keeps_nobody_from_being_fast(http_package: ModuleType) -> None:
    with answering(http_package):
        assert await carrier_of(client()) == "lanes"
        assert await carrier_of(client(transport="fast")) == "fast"
    assert await carrier_of(client()) == "fast"


@pytest.fixture
def spans(http_package: ModuleType) -> Iterator[Any]:
    """The spans of OpenTelemetry's own instrumentation of httpx, or of httpx2."""
    from opentelemetry.instrumentation.httpx import HTTPX2ClientInstrumentor, HTTPXClientInstrumentor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    kind = HTTPX2ClientInstrumentor if http_package is httpx2 else HTTPXClientInstrumentor
    kind().instrument(tracer_provider=provider)
    yield exporter
    kind().uninstrument()


@pytest.mark.parametrize("transport", [None, "lanes", "client"])
async def test_open_telemetry_sees_all_but_fast_and_never_the_secret(
    transport, spans, anyio_backend, caplog
) -> None:
    caplog.set_level(logging.DEBUG, "picoworkers_async")
    with Peer(lambda connection, _: connection.sendall(ANSWER)) as peer:
        async with client(peer.base, transport=transport) as pico:
            await pico.users.get_balances()
    (span,) = spans.get_finished_spans()
    assert span.attributes["http.url"] == peer.base + "users/get-balances.php"
    assert b"\r\ntraceparent: " in peer.requests[0]
    assert "dxNlcl9p" not in span.to_json()
    assert f"go over {transport or 'lanes'}: " in caplog.messages[0]
    if transport is None and anyio_backend == "asyncio":
        assert "opentelemetry.instrumentation.httpx has replaced httpx" in caplog.messages[0]


@pytest.mark.parametrize("transport", [None, "lanes", "client"])
async def test_a_method_of_httpx_that_was_set_anew_is_not_passed_by(transport, http_package, monkeypatch) -> None:
    asked = []

    async def answer(_: object, request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return http_package.Response(200, json=BALANCES)

    monkeypatch.setattr(http_package.AsyncHTTPTransport, "handle_async_request", answer)
    assert await seen(transport, lambda: len(asked)) == (transport or "lanes", 1)


@pytest.mark.parametrize(
    ("name", "transport"),
    [
        *(("AsyncHTTPTransport", transport) for transport in (None, "lanes")),
        *(("AsyncClient", transport) for transport in (None, "lanes", "client")),
    ],
)
async def test_a_class_of_httpx_that_was_replaced_by_a_derived_one_is_not_passed_by(
    name, transport, http_package, monkeypatch
) -> None:
    method = "handle_async_request" if name == "AsyncHTTPTransport" else "send"
    asked = []

    async def answer(self: Any, request: Any, **_: Any) -> Any:
        asked.append(request)
        return http_package.Response(200, json=BALANCES, request=request)

    async with client(transport="lanes"):
        pass  # so that nothing that was made of the class before is kept
    monkeypatch.setattr(http_package, name, type(name, (getattr(http_package, name),), {method: answer}))
    assert await seen(transport, lambda: len(asked)) == (transport or "lanes", 1)


@pytest.mark.parametrize("transport", [None, "lanes", "client"])
async def test_a_hook_on_the_connections_below_the_pool_is_not_passed_by(
    transport, http_package, monkeypatch
) -> None:
    kind = sys.modules[http_package.__name__.replace("httpx", "httpcore")].AsyncHTTPConnection
    handle, asked = kind.handle_async_request, []

    async def hook(self: Any, request: Any) -> Any:
        asked.append(request)
        return await handle(self, request)

    monkeypatch.setattr(kind, "handle_async_request", hook)
    with Peer(lambda connection, _: connection.sendall(ANSWER)) as peer:
        async with client(peer.base, transport=transport) as pico:
            await pico.users.get_balances()
    assert len(asked) == 1


def test_nothing_is_taken_for_replaced_where_nothing_is(http_package) -> None:
    assert replacement() is None
