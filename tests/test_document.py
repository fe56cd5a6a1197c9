"""The examples of the API document, one by one, on the wire."""

from __future__ import annotations

import json

import httpx
import pytest

from picoworkers_async import PICOWORKERS, SPROUTGIGS, AsyncPicoworkers, InvalidRequestError
from picoworkers_async.endpoints import ENDPOINTS
from picoworkers_async.transport.lanes import Lanes
from tests.support.answering import answering
from tests.support.examples_2024 import EXAMPLES_2024
from tests.support.later_vectors import LATER_VECTORS
from tests.support.vectors import DRAFT, VECTORS, Vector

pytestmark = [pytest.mark.anyio, pytest.mark.each_package]


def client(**options) -> AsyncPicoworkers:
    """A client whose requests respx can answer: it stands in for httpcore, which the fast adapter does not use."""
    return AsyncPicoworkers("user_id", "api_secret", transport=Lanes(1), **options)


def test_every_endpoint_of_the_document_has_an_example() -> None:
    sections = {row.section for row in ENDPOINTS if row.ability is None or PICOWORKERS.can(row.ability)}
    assert len(sections) == 18
    assert {vector.section for vector in VECTORS} == sections


def test_every_endpoint_of_today_has_an_example() -> None:
    later = {row.path for row in ENDPOINTS if row.ability is not None and SPROUTGIGS.can(row.ability)}
    shown = {httpx.URL(vector.url).path.removeprefix("/api/") for vector in EXAMPLES_2024}
    assert later <= shown


@pytest.mark.parametrize(
    "vector",
    [*VECTORS, *EXAMPLES_2024, *LATER_VECTORS],
    ids=lambda vector: f"{vector.section}-{vector.name}",
)
async def test_an_example_is_sent_and_read_as_documented(vector: Vector) -> None:
    with answering(httpx, assert_all_called=True) as router:
        route = router.request(vector.method, vector.url)
        route.respond(200, text=vector.answer, headers={"content-type": "application/json"})
        edition = SPROUTGIGS if vector.section == "2024" else PICOWORKERS
        async with client(edition=edition) as pico:
            result = await vector.call(pico)

    sent = route.calls.last.request
    assert str(sent.url) == vector.url
    assert sent.headers["authorization"] == "Basic dXNlcl9pZDphcGlfc2VjcmV0"
    if vector.body is None:
        assert sent.content == b""
    else:
        assert sent.headers["content-type"] == "application/json"
        assert sent.content == json.dumps(vector.body, separators=(",", ":")).encode()
    if callable(vector.read):
        assert vector.read(result)
    else:
        assert result == vector.read


async def test_the_same_is_sent_through_a_client_that_the_user_shares() -> None:
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, text=VECTORS[9].answer)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), auth=("other", "login")) as shared:
        async with AsyncPicoworkers("user_id", "api_secret", http_client=shared) as pico:
            await VECTORS[9].call(pico)
        assert not shared.is_closed
    assert seen[0].headers["authorization"] == "Basic dXNlcl9pZDphcGlfc2VjcmV0"
    assert seen[0].headers["content-type"] == "application/json"
    assert json.loads(seen[0].content) == VECTORS[9].body


async def test_queries_are_written_as_documented() -> None:
    with answering(httpx) as router:
        jobs = router.get("https://picoworkers.com/api/jobs/get-jobs.php")
        jobs.respond(200, json={"current_page": 2, "pages": 2, "jobs": []})
        tasks = router.get("https://picoworkers.com/api/jobs/get-unrated-tasks.php")
        tasks.respond(200, json={"current_page": 3, "pages": 3, "tasks": []})
        async with client() as pico:
            await pico.jobs.get_jobs(page=2, status="PAUSED", unrated_tasks=True)
            await pico.jobs.get_unrated_tasks(page=3, job_id="fc7b3bd10d08")
    assert jobs.calls.last.request.url.query == b"page=2&status=paused&unrated_tasks=1"
    assert tasks.calls.last.request.url.query == b"page=3&job_id=fc7b3bd10d08"


async def test_posting_in_test_mode_asks_for_a_test_and_reads_an_answer_without_a_url() -> None:
    with answering(httpx) as router:
        route = router.post("https://picoworkers.com/api/jobs/post-job.php")
        route.respond(200, json={"ok": True, "message": "Job is valid"})
        async with client() as pico:
            posted = await pico.jobs.post_job(DRAFT, test=True)
    assert json.loads(route.calls.last.request.content)["test"] == 1
    assert posted.job_id is None
    assert posted.message == "Job is valid"


@pytest.mark.parametrize("vector", LATER_VECTORS, ids=lambda vector: vector.name)
async def test_what_an_edition_lacks_is_refused_before_it_is_sent(vector: Vector) -> None:
    """respx answers nothing here: whatever was sent would fail in another way."""
    with answering(httpx):
        async with client() as pico:
            with pytest.raises(InvalidRequestError):
                await vector.call(pico)


async def test_the_deposit_that_today_lacks_is_refused_before_it_is_sent() -> None:
    with answering(httpx):
        async with client(edition=SPROUTGIGS) as pico:
            with pytest.raises(InvalidRequestError, match="edition"):
                await pico.wallet.deposit(1000)
            with pytest.raises(InvalidRequestError, match="edition"):
                await pico.request("POST", "wallet/deposit.php", {"amount": 1000})
