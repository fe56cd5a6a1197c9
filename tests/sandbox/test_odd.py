"""Answers that nobody documented: odd fields, pages that lie, titles that change."""

from __future__ import annotations

import json

import httpx
import pytest

from picoworkers_async import SPROUTGIGS
from picoworkers_async.sandbox import Sandbox
from tests.support.raw_client import rate, raw_client

pytestmark = pytest.mark.anyio
USUAL = {
    "id": str,
    "job_id": str,
    "worker_id": str,
    "finished_at": str,
    "ip_address": str,
    "country_code": str,
    "revision_number": int,
    "variables": list,
    "proofs": list,
}


async def tasks_of(http: httpx.AsyncClient, name: str = "unrated", **query) -> list[dict]:
    response = await http.get(f"jobs/get-{name}-tasks.php", params=query)
    found: list[dict] = json.loads(response.content, parse_float=str)["tasks"]
    return found


def is_odd(task: dict) -> bool:
    usual = {**USUAL, "status": str, "previous_proofs": list}
    known = set(USUAL) <= set(task) <= set(usual)
    return not known or any(type(task[name]) is not usual[name] for name in task) or task["variables"] != [] or (
        task["proofs"][0]["text"] != "submitted proof"
    ) or task["finished_at"].startswith("1e")  # fmt: skip


@pytest.mark.parametrize("name", ["unrated", "rated"])
async def test_a_share_of_the_tasks_is_odd_in_every_way_but_in_its_id_job_and_revision(name: str) -> None:
    sandbox = Sandbox(edition=SPROUTGIGS, odd_fields=0.5, page_size=1000)
    job_id = sandbox.add_job()
    ids = sandbox.add_tasks(job_id, 400)
    async with raw_client(sandbox) as http:
        if name == "rated":
            for task_id in ids:
                await rate(http, job_id, task_id)
        everything, of_job = await tasks_of(http, name), await tasks_of(http, name, job_id=job_id)
        again = await tasks_of(http, name)
    assert everything == again
    assert [task["id"] for task in everything] == [task["id"] for task in of_job] == ids
    assert {task["job_id"] for task in everything} == {job_id}
    assert {task["revision_number"] for task in everything} == {0}
    assert 140 < sum(map(is_odd, everything)) < 260
    assert any("job_id" not in task for task in of_job)
    text = json.dumps(everything)
    for sign in (
        '"country_code": 404',
        "1e1000000",
        '"proofs": null',
        "\\ud800",
        "[" * 50,
        '"mood"',
        '"worker_id": [',
    ):
        assert sign in text


async def test_no_task_is_odd_unless_asked_for() -> None:
    sandbox = Sandbox(page_size=100)
    job_id = sandbox.add_job()
    sandbox.add_tasks(job_id, 50)
    async with raw_client(sandbox) as http:
        assert not any(map(is_odd, await tasks_of(http, job_id=job_id)))


async def test_which_tasks_are_odd_and_how_depends_on_the_seed() -> None:
    async def odd(seed: int) -> list[int]:
        sandbox = Sandbox(odd_fields=0.3, seed=seed, page_size=100)
        sandbox.add_tasks(sandbox.add_job(), 60)
        async with raw_client(sandbox) as http:
            return [number for number, task in enumerate(await tasks_of(http)) if is_odd(task)]

    assert await odd(1) == await odd(1) != await odd(2)


@pytest.mark.parametrize(
    ("path", "rows"), [("jobs/get-unrated-tasks.php", "tasks"), ("jobs/get-jobs.php", "jobs")]
)
async def test_a_page_that_lies_lists_nothing_or_does_not_say_how_many_there_are(path: str, rows: str) -> None:
    sandbox = Sandbox(page_lies=1.0, page_size=2)
    for _ in range(5):
        sandbox.add_tasks(sandbox.add_job())
    seen = set()
    async with raw_client(sandbox) as http:
        for _ in range(100):
            page = (await http.get(path, params={"page": 2})).json()
            listing = page[rows] if page[rows] is None else len(page[rows])
            seen.add((listing, page.get("pages", "missing")))
    assert seen == {(None, 3), (0, 3), (2, None), (2, 0), (2, "missing")}


async def test_as_many_pages_lie_as_were_asked_for() -> None:
    sandbox = Sandbox(page_lies=0.25)
    sandbox.add_tasks(sandbox.add_job())
    lies = 0
    async with raw_client(sandbox) as http:
        for _ in range(400):
            page = (await http.get("jobs/get-unrated-tasks.php")).json()
            lies += not (page.get("pages") == 1 and page["tasks"])
    assert 60 < lies < 140


@pytest.mark.parametrize(
    ("titles", "shown"),
    [
        ("as_sent", '  Say "hi" & go  '),
        ("trimmed", 'Say "hi" & go'),
        ("escaped", "  Say &quot;hi&quot; &amp; go  "),
        ("both", "Say &quot;hi&quot; &amp; go"),
    ],
)
async def test_titles_come_back_as_asked_for(titles, shown: str) -> None:
    sandbox = Sandbox(titles=titles)
    job_id = sandbox.add_job(title='  Say "hi" & go  ')
    async with raw_client(sandbox) as http:
        job = (await http.get("jobs/get-job.php", params={"job_id": job_id})).json()
        (listed,) = (await http.get("jobs/get-jobs.php")).json()["jobs"]
    assert job["title"] == listed["title"] == shown
