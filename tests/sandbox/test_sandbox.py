"""The sandbox, spoken to without this library's client."""

from __future__ import annotations

import anyio
import httpx
import pytest

from picoworkers_async import PICOWORKERS, SPROUTGIGS, AsyncPicoworkers, InvalidRequestError, ProblemCode
from picoworkers_async.endpoints import ENDPOINTS
from picoworkers_async.sandbox import Faults, Sandbox
from picoworkers_async.sandbox.limiter import Limiter
from tests.support.raw_client import HEADERS
from tests.support.raw_client import raw_client as client

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("row", ENDPOINTS, ids=lambda row: row.name)
async def test_every_endpoint_refuses_an_empty_request_or_answers_it(row) -> None:
    later = row.ability is not None and SPROUTGIGS.can(row.ability)
    sandbox = Sandbox(edition=SPROUTGIGS if later else PICOWORKERS)
    async with client(sandbox) as http:
        content = {"json": {}} if row.method == "POST" else {}
        response = await http.request(row.method, row.path, **content)
    assert response.status_code == 200
    if row.method == "POST":
        assert response.json()["ok"] is False


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"task_rating": "fine"}, "Invalid value for task_rating."),
        ({"task_rating": "ok", "task_satisfaction": "spam"}, "The satisfaction does not match the rating."),
        ({"task_rating": "not_ok"}, "A comment is required."),
        ({"task_rating": "ok", "task_bonus": "0.10"}, "Invalid value for task_bonus."),
        ({"task_rating": "ok", "task_bonus": 2000}, "Insufficient balance."),
        ({"task_rating": "ok", "mood": "good"}, "Unknown attribute mood."),
        ({"task_rating": "ok", "task_id": "nobody"}, "Task not found."),
        ({"task_rating": "ok", "job_id": "nowhere"}, "Job not found."),
    ],
)
async def test_a_rating_that_breaks_the_document_is_refused_and_pays_nobody(body: dict, message: str) -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job()
    (task_id,) = sandbox.add_tasks(job_id)
    async with client(sandbox) as http:
        response = await http.post("jobs/rate-single-task.php", json={"job_id": job_id, "task_id": task_id} | body)
    assert response.json() == {"ok": False, "message": message}
    assert sandbox.ledger == []


async def test_a_task_is_rated_once_and_the_second_attempt_is_counted() -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job(task_value="0.25")
    (task_id,) = sandbox.add_tasks(job_id)
    body = {"job_id": job_id, "task_id": task_id, "task_rating": "ok", "task_bonus": 0.1}
    async with client(sandbox) as http:
        first = await http.post("jobs/rate-single-task.php", json=body)
        second = await http.post("jobs/rate-single-task.php", json=body)
    assert [first.json()["ok"], second.json()["ok"]] == [True, False]
    assert (str(sandbox.paid), str(sandbox.bonus_paid), str(sandbox.balance)) == ("0.25", "0.1", "999.9")
    assert sandbox.double_ratings == 1


async def test_a_client_that_breaks_the_protocol_is_complained_of() -> None:
    sandbox = Sandbox()
    async with client(sandbox) as http:
        await http.get("jobs/rate-single-task.php")
        await http.post("jobs/job-stop.php", content=b'{"job_id": "x"}')
        await http.get("jobs/get-jobs.php", params={"colour": "red"})
    assert len(sandbox.complaints) == 3


async def test_wrong_credentials_and_unknown_paths_are_answered_as_the_service_does() -> None:
    async with client(Sandbox()) as http:
        wrong = await http.get("users/get-balances.php", headers={"Authorization": "Basic eDp5"})
        lost = await http.get("users/nothing.php")
    assert (wrong.status_code, wrong.json()) == (401, {"message": "Unauthorized"})
    assert lost.status_code == 404
    assert lost.text.startswith("<html>")


@pytest.mark.parametrize(("order", "first"), [("oldest", 0), ("newest", -1)])
async def test_the_listing_keeps_its_order_page_by_page(order, first: int) -> None:
    sandbox = Sandbox(page_size=4, order=order)
    ids = sandbox.add_tasks(sandbox.add_job(), 10)
    listed: list[str] = []
    async with client(sandbox) as http:
        for page in (1, 2, 3):
            answer = (await http.get("jobs/get-unrated-tasks.php", params={"page": page})).json()
            listed += [task["id"] for task in answer["tasks"]]
            assert answer["pages"] == 3
    assert listed == (ids if first == 0 else ids[::-1])


FAULTS = {
    "cut_before": ("RemoteProtocolError", False),
    "cut_after": ("RemoteProtocolError", True),
    "half_answer": ("RemoteProtocolError", True),
    "slow": ("ReadTimeout", True),
    "html_503": (503, False),
    "error_500_before": (500, False),
    "error_500_after": (500, True),
    "too_many": (429, False),
    "reset_idle": (200, True),
}


@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_shows_as_it_should_and_the_ledger_tells_the_truth(fault: str, real: bool) -> None:
    shows, processed = FAULTS[fault]
    sandbox = Sandbox(faults=Faults(**{fault: 1.0}, slow_seconds=3.0))
    job_id = sandbox.add_job()
    (task_id,) = sandbox.add_tasks(job_id)
    body = {"job_id": job_id, "task_id": task_id, "task_rating": "ok"}

    async def rate(http: httpx.AsyncClient) -> httpx.Response:
        return await http.post("jobs/rate-single-task.php", json=body, timeout=1.0, headers=HEADERS)

    async def check(http: httpx.AsyncClient) -> None:
        if isinstance(shows, int):
            assert (await rate(http)).status_code == shows
        else:
            with pytest.raises((getattr(httpx, shows), httpx.ReadError)):
                await rate(http)

    if real:
        async with sandbox.serve() as url, httpx.AsyncClient(base_url=url) as http:
            await check(http)
    else:
        async with client(sandbox) as http:
            await check(http)
    assert len(sandbox.ledger) == processed
    assert sandbox.requests[0].fault == fault


async def test_an_idle_connection_that_is_reset_is_replaced() -> None:
    sandbox = Sandbox(faults=Faults(reset_idle=1.0))
    async with sandbox.serve() as url, httpx.AsyncClient(base_url=url, headers=HEADERS) as http:
        for _ in range(3):
            assert (await http.get("users/get-balances.php")).status_code == 200
            await anyio.sleep(0.05)


async def test_the_truth_is_told_to_other_processes() -> None:
    sandbox = Sandbox()
    sandbox.add_tasks(sandbox.add_job(), 2)
    async with sandbox.serve() as url, httpx.AsyncClient() as http:
        truth = (await http.get(url.replace("/api/", "/_sandbox/ledger"))).json()
    assert truth["unrated"] == sandbox.unrated()
    assert truth["double_ratings"] == 0


def test_the_limit_is_held_by_arrival_and_one_too_many_silences_the_account() -> None:
    limiter = Limiter(2.0, cooldown=10.0)
    assert [limiter.admit(now) for now in (0.0, 0.1, 1.0, 1.1)] == [0.0] * 4
    assert limiter.admit(1.5) == 10.0
    assert limiter.admit(11.0) == pytest.approx(0.5)
    assert limiter.admit(11.5) == 0.0


async def test_over_the_limit_the_answer_is_429_with_the_seconds_to_wait() -> None:
    sandbox = Sandbox(requests_per_second=1, cooldown=10)
    async with client(sandbox) as http:
        statuses = [(await http.get("users/get-balances.php")).status_code for _ in range(3)]
        last = await http.get("users/get-balances.php")
    assert statuses == [200, 429, 429]
    assert 9 <= int(last.headers["retry-after"]) <= 11
    assert sandbox.rate_limited == 3


def test_probabilities_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="cut_after"):
        Faults(cut_after=1.1)
    with pytest.raises(ValueError, match="more than 1"):
        Faults(cut_after=0.6, cut_before=0.6)


@pytest.mark.parametrize(
    ("name", "value"),
    [("order", "random"), ("titles", "trim"), ("odd_fields", 1.5), ("page_lies", -0.1), ("lag_share", 2.0)],
)
def test_a_setting_out_of_range_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        Sandbox(**{name: value})
    with pytest.raises(ValueError, match=name):
        setattr(Sandbox(), name, value)


def test_a_task_is_handed_in_again_only_after_it_was_sent_back() -> None:
    sandbox = Sandbox()
    (task_id,) = sandbox.add_tasks(sandbox.add_job())
    with pytest.raises(ValueError, match="a task that was sent back"):
        sandbox.resubmit(task_id)


def test_the_fixture_gives_a_fresh_sandbox(picoworkers_sandbox: Sandbox) -> None:
    assert picoworkers_sandbox.requests == []


async def test_a_task_that_was_sent_back_shows_what_was_handed_in_before_once_it_is_rated() -> None:
    sandbox = Sandbox(edition=SPROUTGIGS)
    job_id = sandbox.add_job()
    (task_id,) = sandbox.add_tasks(job_id, finished_at="2024-03-01T08:15:00Z", proofs=[{"text": "first"}])
    item = {"id": task_id, "rating": "revise", "comment": "which one?"}
    async with client(sandbox) as http:
        await http.post("jobs/rate-multiple-tasks.php", json={"job_id": job_id, "tasks": [item]})
        assert (await http.get("jobs/get-rated-tasks.php")).json()["tasks"] == []
        sandbox.resubmit(task_id, proofs=[{"text": "second"}])
        body = {"job_id": job_id, "tasks": [{"id": task_id, "rating": "ok"}]}
        assert (await http.post("jobs/rate-multiple-tasks.php", json=body)).json()["tasks"][0]["ok"] is True
        query = {"job_id": job_id, "task_ids": f"nobody,{task_id}"}
        (task,) = (await http.get("jobs/get-rated-tasks.php", params=query)).json()["tasks"]
    assert (task["status"], task["revision_number"], task["proofs"]) == ("OK", 1, [{"text": "second"}])
    assert task["previous_proofs"] == [
        {"employer_comment": "which one?", "finished_at": "2024-03-01 08:15:00", "proofs": [{"text": "first"}]}
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"variables": [{"name": "WORD", "values": ["a"]}]},
        {"variables": [{"name": "WORD", "values": ["a", "b"]}, {"name": "CITY", "values": ["c", "d", "e"]}]},
        {"variables": [{"name": "OTHER", "values": ["a", "b"]}]},
        {"start_time": "25:00"},
        {"ttr": 91},
        {"instructions": []},
        {"variables": []},
        {"proofs": []},
        {"proofs": [{"description": "d", "type": "video"}]},
        {"watch_time": -1},
        {"daily_tasks_limit": "5"},
        {"mood": "good"},
    ],
)
async def test_a_job_of_today_is_held_to_its_rules(change: dict) -> None:
    draft = {"zone_id": "arab1", "category_id": "0501", "title": "t", "task_value": 0.1, "ttr": 90}
    draft |= {"instructions": ["Search for {{WORD}}"], "variables": [{"name": "WORD", "values": ["a", "b"]}]}
    draft |= {"proofs": [{"description": "d", "type": "url"}], "watch_time": 0}
    sandbox = Sandbox(edition=SPROUTGIGS)
    async with client(sandbox) as http:
        assert (await http.post("jobs/post-job.php", json=draft)).json()["ok"] is True
        assert (await http.post("jobs/post-job.php", json=draft | change)).json()["ok"] is False


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "::"])
async def test_a_sandbox_is_reached_at_the_url_it_tells_whatever_it_listens_on(host: str) -> None:
    sandbox = Sandbox()
    try:
        async with (
            sandbox.serve(host=host) as url,
            AsyncPicoworkers("user_id", "api_secret", base_url=url) as pico,
        ):
            assert (await pico.users.get_balances()).spendable == sandbox.balance
    except OSError as error:
        if ":" not in host:
            raise
        pytest.skip(f"no IPv6 here: {error}")


def test_a_misspelt_endpoint_of_faults_is_told_with_those_there_are_and_the_nearest() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        Faults(cut_after=1.0, only={"rate_single_taks", "post_job"})
    (problem,) = caught.value.problems
    assert (problem.field, problem.value, problem.code) == ("only", "rate_single_taks", ProblemCode.CHOICE)
    assert "post_job, " in problem.limit
    assert problem.limit.endswith("; did you mean rate_single_task?")


def test_one_endpoint_of_faults_may_be_a_text_and_several_a_list() -> None:
    assert Faults(only="post_job") == Faults(only=["post_job"]) == Faults(only={"post_job"})
    with pytest.raises(InvalidRequestError, match="a set of names of endpoints"):
        Faults(only=5)  # type: ignore[arg-type]


def test_one_attribute_or_one_task_of_a_sandbox_may_be_a_text() -> None:
    sandbox = Sandbox(also_takes="mood", refuse_bulk_with="task")  # type: ignore[arg-type]
    assert (sandbox.also_takes, sandbox.refuse_bulk_with) == ({"mood"}, {"task"})
