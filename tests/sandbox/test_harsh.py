"""A service that pays twice, refuses a bulk whole, answers errors after acting, and asks for odd pauses."""

from __future__ import annotations

from decimal import Decimal

import httpx
import pytest

from picoworkers_async import SPROUTGIGS
from picoworkers_async.sandbox import Faults, Sandbox
from tests.support.raw_client import HEADERS, rate, rate_many, raw_client

pytestmark = pytest.mark.anyio


def seeded(count: int, **options) -> tuple[Sandbox, str, list[str]]:
    sandbox = Sandbox(edition=SPROUTGIGS, **options)
    job_id = sandbox.add_job(task_value="0.25")
    return sandbox, job_id, sandbox.add_tasks(job_id, count)


async def test_a_service_that_pays_repeats_pays_the_worker_again() -> None:
    sandbox, job_id, (task_id,) = seeded(1, pays_repeats=True)
    async with sandbox.serve() as url, httpx.AsyncClient(base_url=url, headers=HEADERS) as http:
        for _ in range(3):
            assert (await rate(http, job_id, task_id, task_bonus=0.1)).json()["ok"] is True
        await rate_many(http, job_id, [task_id])
        truth = (await http.get(url.replace("/api/", "/_sandbox/ledger"))).json()
    assert [(entry.task_id, entry.revision, entry.verdict) for entry in sandbox.ledger] == [(task_id, 0, "ok")] * 4
    assert (sandbox.paid, sandbox.bonus_paid, sandbox.balance) == (
        Decimal("1.00"),
        Decimal("0.3"),
        Decimal("999.7"),
    )
    assert sandbox.double_ratings == 3
    assert sandbox.decisions() == {(task_id, 0): ("ok", 0)}
    assert (truth["ratings"], truth["repeats"], truth["double_ratings"]) == (4, 3, 3)


async def test_a_repeat_may_change_the_verdict_where_repeats_are_paid() -> None:
    sandbox, job_id, (task_id,) = seeded(1, pays_repeats=True)
    async with raw_client(sandbox) as http:
        await rate(http, job_id, task_id)
        await rate(http, job_id, task_id, task_rating="not_ok", task_comment="no")
        (task,) = (await http.get("jobs/get-rated-tasks.php")).json()["tasks"]
    assert task["status"] == "NOK"
    assert [entry.verdict for entry in sandbox.ledger] == ["ok", "not_ok"]


async def test_a_bulk_with_a_refused_task_in_it_is_refused_whole() -> None:
    sandbox, job_id, ids = seeded(4)
    sandbox.refuse_bulk_with = {ids[2]}
    async with raw_client(sandbox) as http:
        whole, alone = await rate_many(http, job_id, ids), await rate_many(http, job_id, [ids[2]])
        single = await rate(http, job_id, ids[2])
        for refused in (whole, alone, single):
            assert refused.status_code == 200
            assert refused.json() == {"ok": False, "message": "Invalid tasks."}
        assert sandbox.ledger == []
        assert len((await rate_many(http, job_id, ids[:2])).json()["tasks"]) == 2
    assert [entry.task_id for entry in sandbox.ledger] == ids[:2]


@pytest.mark.parametrize("real", [True, False])
async def test_an_error_of_json_says_no_although_the_request_was_processed(real: bool) -> None:
    sandbox, job_id, ids = seeded(60, faults=Faults(error_json=1.0))
    statuses = set()

    async def story(http: httpx.AsyncClient) -> None:
        for task_id in ids:
            response = await rate(http, job_id, task_id)
            assert response.json()["ok"] is False
            statuses.add(response.status_code)

    if real:
        async with sandbox.serve() as url, httpx.AsyncClient(base_url=url, headers=HEADERS) as http:
            await story(http)
    else:
        async with raw_client(sandbox) as http:
            await story(http)
    assert statuses == {408, 409, 425, 499, 500, 502, 503, 504}
    assert [entry.task_id for entry in sandbox.ledger] == ids


@pytest.mark.parametrize("value", ["0", "315360000", "soon"])
async def test_a_429_asks_for_the_pause_that_it_was_told_to(value: str) -> None:
    sandbox = Sandbox(requests_per_second=1, retry_after=value)
    async with raw_client(sandbox) as http:
        answers = [await http.get("users/get-balances.php") for _ in range(2)]
        sandbox.faults, sandbox.retry_after = Faults(too_many=1.0), None
    assert [answer.headers.get("retry-after") for answer in answers] == [None, value]


async def test_the_429_of_a_fault_asks_for_it_too() -> None:
    sandbox = Sandbox(faults=Faults(too_many=1.0), retry_after="7")
    async with raw_client(sandbox) as http:
        assert (await http.get("users/get-balances.php")).headers["retry-after"] == "7"


def test_every_fault_together_fits_at_five_percent() -> None:
    faults = Faults.all(0.05, late_seconds=0.1)
    assert faults.late == faults.answer_late_504 == faults.error_json == 0.05
    assert faults.late_seconds == 0.1
    assert faults.total() <= 1
