"""Posting a job to a service that answers in other shapes than the document's, or with nothing at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import anyio
import attrs
import httpx
import pytest

from picoworkers_async import (
    SPROUTGIGS,
    AsyncPicoworkers,
    Effect,
    InvalidResponseError,
    OutcomeUnknownError,
    Proof,
    RetryPolicy,
    Throttle,
    classify,
)
from picoworkers_async.listings.posted import LOOK_SECONDS
from picoworkers_async.sandbox import Faults, Sandbox
from tests.support.vectors import DRAFT

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


def posts(sandbox: Sandbox) -> int:
    return sum(request.path.endswith("post-job.php") for request in sandbox.requests)


@pytest.mark.parametrize("answer", ["url", "job_id", "job", "data"])
async def test_a_post_whose_answer_names_the_job_is_one_request(connect, edition, answer: str) -> None:
    sandbox = Sandbox(edition=edition, post_answer=answer)
    async with connect(sandbox) as pico:
        posted = await pico.jobs.post_job(DRAFT)
    assert posted.job_id in sandbox.store.jobs
    assert posted.note is None
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize("answer", ["unnamed", "without_ok", "empty"])
async def test_a_job_that_the_answer_does_not_name_is_found_by_reading(connect, edition, answer: str) -> None:
    sandbox = Sandbox(edition=edition, post_answer=answer, page_size=2)
    for _ in range(5):
        sandbox.add_job(title=DRAFT.title, created_at="2021-10-25T07:42:35Z")
    async with connect(sandbox) as pico:
        posted = await pico.jobs.post_job(DRAFT)
    assert posted.job_id == list(sandbox.store.jobs)[-1]
    assert "was not known before" in (posted.note or "")
    assert (posts(sandbox), len(sandbox.ledger)) == (1, 1)


async def test_several_posts_alike_in_a_row_each_get_their_own_job(connect) -> None:
    sandbox = Sandbox(post_answer="empty")
    async with connect(sandbox) as pico:
        posted = [(await pico.jobs.post_job(DRAFT)).job_id for _ in range(3)]
    assert posted == list(sandbox.store.jobs)


async def test_of_two_posts_alike_at_once_neither_gets_the_job_of_the_other(connect) -> None:
    sandbox = Sandbox(post_answer="empty", latency=0.1)
    posted = []

    async def post() -> None:
        posted.append(await pico.jobs.post_job(DRAFT))

    async with connect(sandbox) as pico, anyio.create_task_group() as group:
        group.start_soon(post)
        group.start_soon(post)
    assert [one.job_id for one in posted] == [None, None]
    assert all("before you post it again" in (one.note or "") for one in posted)
    assert posts(sandbox) == 2


async def test_what_a_proxy_swallowed_is_no_job_and_no_error_and_never_posted_again(connect, edition) -> None:
    sandbox = Sandbox(edition=edition, post_answer="swallowed")
    sandbox.add_job(title="another", created_at="2021-10-25T07:42:35Z")
    async with connect(sandbox) as pico:
        posted = await pico.jobs.post_job(DRAFT)
    assert posted.job_id is None
    assert (posted.note or "").startswith("the service answered the post with success, but said nothing; ")
    assert "before you post it again" in (posted.note or "")
    assert (posts(sandbox), sandbox.ledger) == (1, [])


async def test_a_job_alike_of_somebody_elses_is_not_taken_for_it(connect) -> None:
    sandbox = Sandbox(post_answer="swallowed")
    fields = {"title": DRAFT.title, "category_id": DRAFT.category_id, "task_value": DRAFT.task_value}
    sandbox.add_job(**fields, num_tasks=25, created_at="2021-10-25T07:42:35Z")
    async with connect(sandbox) as pico:
        assert (await pico.jobs.post_job(DRAFT)).job_id is None


@pytest.mark.parametrize(("title", "other"), [("Watch me", "watch  ME "), ("A &amp; B", "A & B")])
async def test_of_two_posts_whose_titles_come_back_alike_neither_gets_the_job_of_the_other(
    connect, title: str, other: str
) -> None:
    sandbox = Sandbox(post_answer="empty", latency=0.1)
    posted = []

    async def post(title: str) -> None:
        posted.append(await pico.jobs.post_job(attrs.evolve(DRAFT, title=title)))

    async with connect(sandbox) as pico, anyio.create_task_group() as group:
        group.start_soon(post, title)
        group.start_soon(post, other)
    assert [one.job_id for one in posted] == [None, None]


def service_is_ahead(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """Have the sandbox's clock be ahead of that of this machine."""

    def now() -> datetime:
        return datetime.now(UTC) + by

    monkeypatch.setattr("picoworkers_async.sandbox.account.timestamp", lambda: f"{now():%Y-%m-%dT%H:%M:%SZ}")
    monkeypatch.setattr(
        "picoworkers_async.sandbox.transport.formatdate", lambda usegmt: format_datetime(now(), usegmt)
    )


AHEAD = [timedelta(minutes=5), timedelta(hours=1), -timedelta(hours=1)]


@pytest.mark.parametrize("by", AHEAD, ids=str)
async def test_with_a_clock_that_is_wrong_no_older_job_of_somebody_elses_is_taken_for_it(
    connect, monkeypatch, by: timedelta
) -> None:
    service_is_ahead(monkeypatch, by)
    sandbox = Sandbox(post_answer="swallowed")
    fields = {"title": DRAFT.title, "category_id": DRAFT.category_id, "task_value": DRAFT.task_value}
    made = datetime.now(UTC) + by - timedelta(minutes=1)
    sandbox.add_job(**fields, num_tasks=DRAFT.num_tasks, created_at=f"{made:%Y-%m-%dT%H:%M:%SZ}")
    async with connect(sandbox) as pico:
        posted = await pico.jobs.post_job(DRAFT)
    assert posted.job_id is None
    assert "and perhaps the one that was posted: job" in (posted.note or "")


@pytest.mark.parametrize("by", AHEAD, ids=str)
async def test_with_a_clock_that_is_wrong_the_job_is_found_all_the_same(connect, monkeypatch, by) -> None:
    service_is_ahead(monkeypatch, by)
    sandbox = Sandbox(post_answer="empty")
    async with connect(sandbox) as pico:
        posted = await pico.jobs.post_job(DRAFT)
    assert posted.job_id in sandbox.store.jobs


async def test_a_service_that_does_not_tell_the_time_leaves_the_id_unknown() -> None:
    sandbox = Sandbox(post_answer="empty")
    inner = sandbox.transport()

    async def without_date(request: httpx.Request) -> httpx.Response:
        response = await inner.handle_async_request(request)
        del response.headers["date"]
        return response

    transport = httpx.MockTransport(without_date)
    async with AsyncPicoworkers("user_id", "api_secret", transport=transport) as pico:
        posted = await pico.jobs.post_job(DRAFT)
    assert posted.job_id is None
    assert "and perhaps the one that was posted: job" in (posted.note or "")


@pytest.mark.parametrize("answer", ["unnamed", "empty"])
async def test_jobs_that_cannot_be_read_leave_the_id_unknown_and_say_so(connect, answer: str) -> None:
    sandbox = Sandbox(post_answer=answer, faults=Faults(error_500_before=1.0, only={"get_jobs"}))
    async with connect(sandbox) as pico:
        posted = await pico.jobs.post_job(DRAFT)
    assert posted.job_id is None
    assert "could not be read (jobs.get_jobs" in (posted.note or "")


async def test_looking_for_the_job_takes_a_bounded_time(connect) -> None:
    sandbox = Sandbox(post_answer="empty", page_size=1, latency=1.0)
    for _ in range(100):
        sandbox.add_job()
    async with connect(sandbox) as pico:
        began = anyio.current_time()
        posted = await pico.jobs.post_job(DRAFT)
        assert anyio.current_time() - began <= LOOK_SECONDS + 1.5
    assert "took too long" in (posted.note or "")


async def test_a_job_that_was_not_found_is_not_taken_for_that_of_a_later_post(connect) -> None:
    sandbox = Sandbox(post_answer="unnamed", faults=Faults(error_500_before=1.0, only={"get_jobs"}))
    async with connect(sandbox) as pico:
        assert (await pico.jobs.post_job(DRAFT)).job_id is None
        sandbox.faults = Faults(cut_before=1.0, only={"post_job"})
        with pytest.raises(OutcomeUnknownError) as caught:
            await pico.jobs.post_job(DRAFT)
        assert (await pico.settle(caught.value)).effect is Effect.CANNOT_TELL


async def answered(status: int, body: bytes, *, test: bool = False) -> tuple[Any, int]:
    """What becomes of a post that is answered so, where no job is listed: its result or error, and how often it
    was sent."""
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.path)
        if request.method == "GET":
            return httpx.Response(200, json={"current_page": 1, "pages": 1, "jobs": []})
        return httpx.Response(status, content=body)

    transport = httpx.MockTransport(answer)
    retry = RetryPolicy(initial=0.001, maximum=0.01)
    async with AsyncPicoworkers(
        "user_id", "api_secret", transport=transport, throttle=Throttle(), retry=retry
    ) as pico:
        try:
            result: object = await pico.jobs.post_job(DRAFT, test=test)
        except Exception as error:
            result = error
    return result, sent.count("/api/jobs/post-job.php")


@pytest.mark.parametrize("status", [200, 201, 202, 204])
@pytest.mark.parametrize("body", [b"", b" \r\n"])
async def test_a_success_with_nothing_in_it_is_no_error(status: int, body: bytes) -> None:
    result, sent = await answered(status, body)
    assert result.job_id is None
    assert "none of the 0 jobs listed was made since" in result.note
    assert sent == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b""), (408, b""), (504, b""), (302, b""), (400, b""), (200, b"<html>"), (200, b"[]"), (200, b'{"a'),
     (200, b"null"), (200, b'{"message": "posted"}')],
)  # fmt: skip
async def test_everything_else_without_an_acknowledgement_stays_of_unknown_outcome(
    status: int, body: bytes
) -> None:
    result, sent = await answered(status, body)
    assert isinstance(result, OutcomeUnknownError)
    assert not classify.accepted_in_silence(result)
    assert sent == 1


async def test_in_test_mode_an_answer_with_nothing_in_it_does_not_say_that_the_draft_is_valid() -> None:
    result, sent = await answered(200, b"", test=True)
    assert isinstance(result, InvalidResponseError)
    assert result.empty
    assert "it is empty" in str(result)
    assert sent > 1


async def test_an_empty_answer_to_any_other_call_that_costs_money_stays_of_unknown_outcome() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200))
    async with AsyncPicoworkers("user_id", "api_secret", transport=transport) as pico:
        for call in (
            lambda: pico.jobs.add_positions("j1", 5),
            lambda: pico.request("POST", "jobs/post-job.php", {"title": "t"}),
        ):
            with pytest.raises(OutcomeUnknownError, match="it is empty"):
                await call()


@pytest.mark.virtual_time(False)
@pytest.mark.parametrize("head", ["Content-Length: 50", "Transfer-Encoding: chunked"])
async def test_an_answer_that_was_cut_before_its_body_is_not_an_empty_one(head: str) -> None:
    async def serve(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode())

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    url = f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}/api/"
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        async with AsyncPicoworkers("user_id", "api_secret", base_url=url) as pico:
            with pytest.raises(OutcomeUnknownError) as caught:
                await pico.jobs.post_job(DRAFT)
        assert not classify.accepted_in_silence(caught.value)
        group.cancel_scope.cancel()


async def test_a_field_of_the_low_level_call_may_have_any_shape() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json={"ok": True}))
    async with AsyncPicoworkers("user_id", "api_secret", transport=transport) as pico:
        assert await pico.request("POST", "jobs/x.php", {"job_id": ["j1"], "positions": 5}) == {"ok": True}


async def test_what_was_only_seen_and_what_nobody_knows_is_carried_as_it_is(connect) -> None:
    sandbox = Sandbox(edition=SPROUTGIGS, also_takes=frozenset({"mood", "job_id", "positions"}))
    draft = attrs.evolve(
        DRAFT,
        proofs=[Proof("the address", "url")],
        watch_time=0,
        daily_tasks_limit=50,
        hourly_tasks_limit=5,
        extra={"mood": {"now": ["good", None]}, "job_id": ["j1"], "positions": 5},
    )
    async with connect(sandbox) as pico:
        posted = await pico.jobs.post_job(draft)
        await pico.jobs.add_positions(posted.job_id, 1)
    assert sandbox.complaints == []
    sent = sandbox.requests[0].body
    assert (sent["proofs"][0]["type"], sent["watch_time"], sent["hourly_tasks_limit"]) == ("url", 0, 5)
    assert (sent["mood"], sent["job_id"], sent["positions"]) == ({"now": ["good", None]}, ["j1"], 5)
