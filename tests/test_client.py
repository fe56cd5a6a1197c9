"""The front door: what it accepts, what it refuses, how it retries, and what it never shows."""

from __future__ import annotations

import logging
import socket
import traceback

import anyio
import httpx
import pytest

import picoworkers_async
from picoworkers_async import (
    SPROUTGIGS,
    AsyncPicoworkers,
    AuthenticationError,
    ClientStateError,
    InvalidRequestError,
    NoAnswerError,
    NotSentError,
    OutcomeUnknownError,
    PicoworkersError,
    Priority,
    Rating,
    RefusedError,
    RetryPolicy,
    ServiceMovedError,
    Throttle,
    Verdict,
)
from picoworkers_async.sandbox import Faults, Sandbox
from tests.support.vectors import DRAFT

pytestmark = [pytest.mark.anyio, pytest.mark.each_package]

SECRET = "open-sesame-42"
TOKEN = "dXNlcl9pZDpvcGVuLXNlc2FtZS00Mg=="
RATING = Rating("j1", "t1", Verdict.OK)


@pytest.mark.parametrize(
    ("user_id", "secret", "options", "field"),
    [
        ("", SECRET, {}, "user_id"),
        (" ", SECRET, {}, "user_id"),
        (None, SECRET, {}, "user_id"),
        ("user:id", SECRET, {}, "user_id"),
        ("user_id", "", {}, "api_secret"),
        ("user_id", None, {}, "api_secret"),
        ("user_id", SECRET, {"base_url": "http://picoworkers.com/api/"}, "base_url"),
        ("user_id", SECRET, {"base_url": "http://127.0.0.1.example.com/"}, "base_url"),
        ("user_id", SECRET, {"base_url": "ftp://picoworkers.com/"}, "base_url"),
        ("user_id", SECRET, {"base_url": "picoworkers.com"}, "base_url"),
        ("user_id", SECRET, {"base_url": "https://a:b@picoworkers.com/"}, "base_url"),
        ("user_id", SECRET, {"base_url": "https://picoworkers.com/?a=b"}, "base_url"),
        ("user_id", SECRET, {"timeout": 0}, "timeout"),
        ("user_id", SECRET, {"timeout": float("nan")}, "timeout"),
        ("user_id", SECRET, {"settle_after": -1}, "settle_after"),
        ("user_id", SECRET, {"settle_after": float("inf")}, "settle_after"),
        ("user_id", SECRET, {"settle_after": True}, "settle_after"),
        ("user_id", SECRET, {"max_response_bytes": 0}, "max_response_bytes"),
        ("user_id", SECRET, {"http_client": httpx.Client()}, "http_client"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(user_id, secret, options, field) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        AsyncPicoworkers(user_id, secret, **options)
    assert [problem.field for problem in caught.value.problems] == [field]
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/api", "http://localhost/api/", "http://[::1]:80/api/"])
def test_loopback_may_go_without_tls(url: str) -> None:
    assert url.rstrip("/") + "/" in repr(AsyncPicoworkers("user_id", SECRET, base_url=url))


def test_a_client_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICOWORKERS_USER_ID", "user_id")
    monkeypatch.setenv("PICOWORKERS_API_SECRET", SECRET)
    monkeypatch.setenv("PICOWORKERS_EDITION", "SproutGigs")
    pico = AsyncPicoworkers.from_env()
    assert pico.edition is SPROUTGIGS
    assert pico.throttle.requests_per_second == 1.0
    monkeypatch.setenv("PICOWORKERS_BASE_URL", "https://example.com/api")
    assert "https://example.com/api/" in repr(AsyncPicoworkers.from_env())


def test_an_incomplete_environment_is_named_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PICOWORKERS_USER_ID", raising=False)
    monkeypatch.delenv("PICOWORKERS_API_SECRET", raising=False)
    monkeypatch.setenv("PICOWORKERS_EDITION", "other")
    with pytest.raises(InvalidRequestError) as caught:
        AsyncPicoworkers.from_env()
    assert len(caught.value.problems) == 3


async def test_a_client_works_only_inside_its_block() -> None:
    sandbox = Sandbox(api_secret=SECRET)
    pico = AsyncPicoworkers("user_id", SECRET, transport=sandbox.transport())
    with pytest.raises(ClientStateError, match="not open yet"):
        await pico.users.get_balances()
    async with pico:
        await pico.users.get_balances()
    with pytest.raises(ClientStateError, match="closed"):
        await pico.users.get_balances()
    assert len(sandbox.requests) == 1


async def test_entering_again_says_what_to_do_instead() -> None:
    pico = AsyncPicoworkers("user_id", SECRET, transport=Sandbox(api_secret=SECRET).transport())
    async with pico:
        with pytest.raises(ClientStateError, match="entered once, and this one is open already"):
            await pico.__aenter__()
        await pico.users.get_balances()
    with pytest.raises(ClientStateError, match=r"closed: make a new .* throttle=pico.throttle it goes on"):
        await pico.__aenter__()
    async with AsyncPicoworkers(
        "user_id", SECRET, transport=Sandbox(api_secret=SECRET).transport(), throttle=pico.throttle
    ) as another:
        await another.users.get_balances()


class ClosingTransport(httpx.AsyncBaseTransport):
    """A sandbox's transport that notes that it was closed."""

    closed = 0

    def __init__(self, sandbox: Sandbox) -> None:
        self._inner = sandbox.transport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        self.closed += 1


async def test_a_client_may_be_closed_without_a_block_and_more_than_once() -> None:
    transport = ClosingTransport(Sandbox(api_secret=SECRET))
    pico = await AsyncPicoworkers("user_id", SECRET, transport=transport).__aenter__()
    hasty = pico.with_options(timeout=5.0)
    await hasty.users.get_balances()
    await pico.aclose()
    assert transport.closed == 1
    for closed in (pico, hasty):
        with pytest.raises(ClientStateError, match="closed; make a new AsyncPicoworkers"):
            await closed.users.get_balances()
    await pico.aclose()
    assert transport.closed == 1


async def test_a_block_may_hold_a_client_that_was_closed_in_it() -> None:
    async with AsyncPicoworkers("user_id", SECRET, transport=Sandbox(api_secret=SECRET).transport()) as pico:
        await pico.users.get_balances()
        await pico.aclose()


@pytest.mark.parametrize("own", [True, False])
async def test_a_client_that_was_never_entered_may_be_closed(own: bool) -> None:
    transport = ClosingTransport(Sandbox())
    pico = AsyncPicoworkers("user_id", SECRET, transport=transport if own else None)
    await pico.aclose()
    assert transport.closed == own
    with pytest.raises(ClientStateError, match="closed"):
        await pico.__aenter__()


async def test_wrong_credentials_are_an_authentication_error() -> None:
    async with AsyncPicoworkers("user_id", "wrong", transport=Sandbox().transport()) as pico:
        with pytest.raises(AuthenticationError):
            await pico.users.get_balances()


async def test_a_redirect_is_never_followed_nor_are_credentials_sent_on() -> None:
    hosts = []

    def answer(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return httpx.Response(301, headers={"location": f"https://sproutgigs.com{request.url.path}"})

    for shared in (True, False):
        transport = httpx.MockTransport(answer)
        client = httpx.AsyncClient(transport=transport, follow_redirects=True)
        option = {"http_client": client} if shared else {"transport": transport}
        async with client, AsyncPicoworkers("user_id", SECRET, **option) as pico:
            with pytest.raises(OutcomeUnknownError, match=r"sproutgigs\.com") as caught:
                await pico.jobs.rate_single_task(RATING)
            assert isinstance(caught.value.reason, ServiceMovedError)
            with pytest.raises(ServiceMovedError, match=r"sproutgigs\.com"):
                await pico.users.get_balances()
    assert hosts == ["picoworkers.com"] * 4


async def test_a_read_is_repeated_until_it_is_answered(connect) -> None:
    sandbox = Sandbox(faults=Faults(cut_after=0.5), seed=4)
    async with connect(sandbox, retry=RetryPolicy(attempts=20, initial=0.001, maximum=0.001)) as pico:
        for _ in range(20):
            await pico.users.get_balances()
    assert len(sandbox.requests) > 20


async def test_a_read_that_is_never_answered_ends_with_the_policy(connect) -> None:
    sandbox = Sandbox(faults=Faults(cut_before=1.0))
    async with connect(sandbox, retry=RetryPolicy(attempts=3, initial=0.001)) as pico:
        with pytest.raises(NoAnswerError):
            await pico.users.get_balances()
    assert len(sandbox.requests) == 3


@pytest.mark.parametrize("fault", ["cut_before", "cut_after", "half_answer", "html_200", "html_502", "slow"])
@pytest.mark.virtual_time
async def test_a_call_that_moves_money_is_sent_once_when_its_answer_is_lost(connect, fault: str) -> None:
    sandbox = Sandbox(faults=Faults(**{fault: 1.0}, slow_seconds=1.0))
    job_id = sandbox.add_job()
    async with connect(sandbox, timeout=0.05) as pico:
        for call in (
            lambda: pico.jobs.post_job(DRAFT),
            lambda: pico.jobs.add_positions(job_id, 5),
            lambda: pico.jobs.restart_job(job_id, 5),
            lambda: pico.wallet.deposit(1000),
            lambda: pico.jobs.rate_single_task(Rating(job_id, "t", "ok")),
        ):
            with pytest.raises(OutcomeUnknownError, match="may have taken effect"):
                await call()
    assert len(sandbox.requests) == 5


async def test_the_same_calls_are_repeated_where_they_cost_nothing(connect) -> None:
    sandbox = Sandbox(faults=Faults(cut_before=0.5), seed=3)
    job_id = sandbox.add_job()
    async with connect(sandbox, retry=RetryPolicy(attempts=12, initial=0.001, maximum=0.001)) as pico:
        await pico.jobs.post_job(DRAFT, test=True)
        await pico.jobs.set_speed(job_id, 5)
        await pico.jobs.stop_job(job_id)
        await pico.jobs.restart_job(job_id)
    assert len(sandbox.requests) > 4
    assert sandbox.ledger == []


async def test_a_429_is_waited_out_and_a_money_call_sent_again(connect) -> None:
    sandbox = Sandbox(faults=Faults(too_many=0.5), seed=1)
    job_id = sandbox.add_job(num_tasks=100)
    async with connect(sandbox, retry=RetryPolicy(attempts=20)) as pico:
        await pico.jobs.add_positions(job_id, 5)
        assert (await pico.jobs.get_job(job_id)).num_tasks == 105


async def test_bad_input_is_told_before_anything_is_sent(connect) -> None:
    sandbox = Sandbox()
    async with connect(sandbox) as pico:
        for call in (
            lambda: pico.jobs.add_positions("", 0),
            lambda: pico.jobs.set_ttr("j1", 8),
            lambda: pico.jobs.get_jobs(page=0, status="gone"),
            lambda: pico.wallet.deposit(999),
            lambda: pico.lists.add_workers(1, []),
            lambda: pico.jobs.rate_single_task(Rating("j1", "t1", "not_ok")),
            lambda: pico.jobs.restart_job("j1", 10_000),
        ):
            with pytest.raises(InvalidRequestError):
                await call()
        with pytest.raises(InvalidRequestError) as caught:
            await pico.jobs.add_positions("", 0)
    assert [problem.field for problem in caught.value.problems] == ["job_id", "positions"]
    assert sandbox.requests == []


async def test_an_endpoint_that_the_edition_lacks_is_refused_before_anything_is_sent(connect) -> None:
    sandbox = Sandbox(edition=SPROUTGIGS)
    async with connect(sandbox, edition=SPROUTGIGS, throttle=Throttle()) as pico:
        with pytest.raises(InvalidRequestError, match="cannot deposit funds"):
            await pico.wallet.deposit(1000)
    assert sandbox.requests == []


async def test_a_draft_is_checked_against_the_live_catalogue(connect) -> None:
    sandbox = Sandbox()
    async with connect(sandbox) as pico:
        assert (await pico.jobs.check(DRAFT)).ok
        bad = type(DRAFT)(list_id=17001, category_id="0501", title="x", task_value="0.01")
        assert [problem.field for problem in (await pico.jobs.check(bad)).problems] == ["list_id", "task_value"]
    assert {request.method for request in sandbox.requests} == {"GET"}


async def test_a_posted_job_is_found_by_its_id(connect) -> None:
    sandbox = Sandbox()
    async with connect(sandbox) as pico:
        posted = await pico.jobs.post_job(DRAFT)
        job = await pico.jobs.get_job(posted.job_id)
        assert (job.title, job.num_tasks) == (DRAFT.title, 25)
        with pytest.raises(RefusedError, match="Job not found"):
            await pico.jobs.get_job("nowhere")
    assert sandbox.complaints == []


async def test_clients_that_share_a_throttle_share_its_limit() -> None:
    sandbox, throttle = Sandbox(latency=0.01, api_secret=SECRET), Throttle(2)
    async with (
        AsyncPicoworkers("user_id", SECRET, transport=sandbox.transport(), throttle=throttle) as one,
        AsyncPicoworkers("user_id", SECRET, transport=sandbox.transport(), throttle=throttle) as other,
        anyio.create_task_group() as group,
    ):
        for pico in (one, other) * 5:
            group.start_soon(pico.users.get_balances)
    assert len(sandbox.requests) == 10
    assert sandbox.peak_concurrency <= 2


async def test_the_secret_shows_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shown = []
    for faults in (
        Faults(),
        Faults(cut_after=1),
        Faults(html_200=1),
        Faults(error_500_after=1),
        Faults(too_many=1),
    ):
        sandbox = Sandbox(faults=faults, api_secret=SECRET)
        async with sandbox.serve() as url:
            options = {"base_url": url, "retry": RetryPolicy(attempts=1), "throttle": Throttle(cooldown=0.01)}
            pico = AsyncPicoworkers("user_id", SECRET, **options)
            async with pico:
                for call in (pico.users.get_balances, lambda pico=pico: pico.jobs.rate_single_task(RATING)):
                    try:
                        await call()
                    except PicoworkersError as error:
                        report = traceback.TracebackException.from_exception(error, capture_locals=True)
                        shown += [*report.format(), repr(error), str(error)]
            shown += [repr(pico), str(vars(pico)), repr(pico.throttle)]
    assert len(shown) > 20
    text = "".join(shown) + caplog.text
    assert SECRET not in text
    assert TOKEN not in text


async def test_a_client_with_other_options_shares_everything_else(connect) -> None:
    sandbox = Sandbox(latency=0.2)
    async with connect(sandbox, retry=RetryPolicy(attempts=1)) as pico:
        hasty = pico.with_options(timeout=0.05, priority=Priority.BATCH)
        with pytest.raises(NoAnswerError):
            await hasty.users.get_balances()
        assert hasty.throttle is pico.throttle
        await pico.users.get_balances()
        with pytest.raises(InvalidRequestError, match="timeout"):
            pico.with_options(timeout=-1)
    with pytest.raises(ClientStateError):
        await hasty.users.get_balances()


def test_every_public_name_is_there() -> None:
    for name in picoworkers_async.__all__:
        assert getattr(picoworkers_async, name) is not None


@pytest.mark.parametrize("transport", ["lanes", "client"])
async def test_a_service_that_cannot_be_reached_is_named_by_host_and_port(transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    once = RetryPolicy(attempts=1)
    url = f"http://localhost:{port}/api/"
    async with AsyncPicoworkers("user_id", SECRET, base_url=url, transport=transport, retry=once) as pico:
        with pytest.raises(NotSentError, match=f"never reached the service at localhost:{port} "):
            await pico.users.get_balances()
