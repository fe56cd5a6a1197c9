"""A FastAPI backend over the client, in one process: no network."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

import picoworkers_async
from picoworkers_async import AsyncPicoworkers, CallError, Job, JobDraft, Page, RetryPolicy, json_converter
from picoworkers_async.sandbox import Faults, Sandbox
from tests.support.fastapi_program import make_app
from tests.support.vectors import DRAFT

pytestmark = pytest.mark.anyio
DOCS = (Path(__file__).parent.parent / "docs" / "how-to" / "web-backends.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```", DOCS, re.DOTALL | re.MULTILINE)


@asynccontextmanager
async def backend(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    """A browser's client of the backend, which is a client of the sandbox."""
    async with AsyncPicoworkers("user_id", "api_secret", transport=sandbox.transport()) as pico:
        transport = httpx.ASGITransport(make_app(pico))
        async with httpx.AsyncClient(transport=transport, base_url="http://backend") as browser:
            yield browser


async def test_a_draft_is_posted_and_is_listed_then() -> None:
    sandbox = Sandbox(balance=1000)
    async with backend(sandbox) as browser:
        posted = await browser.post("/jobs", json=DRAFT.to_dict())
        assert posted.status_code == 201, posted.text
        job_id = posted.json()["job_id"]

        listed = (await browser.get("/jobs", params={"page": 1})).json()
        (job,) = json_converter().structure(listed, Page[Job]).items
        assert (job.id, job.title, job.task_value) == (job_id, DRAFT.title, DRAFT.task_value)
        assert Decimal(listed["items"][0]["task_value"]) == DRAFT.task_value
        assert isinstance(listed["items"][0]["task_value"], str)


async def test_what_no_draft_can_be_made_of_is_answered_with_every_field() -> None:
    sandbox = Sandbox()
    async with backend(sandbox) as browser:
        fields = {**DRAFT.to_dict(), "num_tasks": "25", "proofs": [{"type": "text"}], "titel": "x"}
        answer = await browser.post("/jobs", json=fields)
    assert answer.status_code == 422
    assert sandbox.requests == []
    assert answer.json() == {
        "detail": [
            {
                "type": "required",
                "loc": ["body", "proofs", 0, "description"],
                "msg": "required",
                "input": None,
            },
            {"type": "type", "loc": ["body", "num_tasks"], "msg": "a whole number; this is a text", "input": "25"},
            {
                "type": "unknown",
                "loc": ["body", "titel"],
                "msg": "there is no such field of a job draft; did you mean title?",
                "input": "x",
            },
        ]
    }


async def test_a_draft_beyond_the_limits_is_answered_alike() -> None:
    sandbox = Sandbox()
    async with backend(sandbox) as browser:
        fields = {**DRAFT.to_dict(), "num_tasks": 9, "proofs": [{"description": "x", "type": "video"}]}
        answer = await browser.post("/jobs", json=fields)
        own = await browser.post("/jobs", json=["not", "a", "draft"])
    assert answer.status_code == own.status_code == 422
    detail = answer.json()["detail"]
    assert [(problem["type"], problem["loc"]) for problem in detail] == [
        ("range", ["body", "num_tasks"]),
        ("choice", ["body", "proofs", 0, "type"]),
    ]
    assert set(detail[0]) == set(own.json()["detail"][0]), "the shape is FastAPI's own"
    assert sandbox.requests == []


async def test_hostile_names_and_values_are_answered_like_any_other() -> None:
    body = b'{"\\ud800": 1e999, "title": "\\ud800", "notes": %s}' % (b"[" * 90 + b"]" * 90)
    async with backend(Sandbox()) as browser:
        answer = await browser.post("/jobs", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert [(problem["type"], problem["loc"][1]) for problem in answer.json()["detail"]] == [
        ("unknown", "\\ud800"),
        ("type", "notes"),
        ("required", "category_id"),
        ("required", "task_value"),
        ("required", "zone_id"),
        ("format", "title"),
    ]


async def test_the_body_may_be_what_a_draft_says_of_itself() -> None:
    draft = JobDraft.from_dict({**DRAFT.to_dict(), "task_value": 0.15, "notes": "ünïcode"})
    async with backend(Sandbox(balance=1000)) as browser:
        assert (await browser.post("/jobs", json=draft.to_dict())).status_code == 201
        (job,) = (await browser.get("/jobs")).json()["items"]
    assert (job["task_value"], job["notes"]) == ("0.15", "ünïcode")


@asynccontextmanager
async def documented(sandbox: Sandbox) -> AsyncIterator[tuple[httpx.AsyncClient, AsyncPicoworkers]]:
    """The backend of docs/how-to/web-backends.md that answers errors, and its client."""
    (program,) = [block for block in PROGRAMS if "exception_handler" in block]
    names: dict = {"__name__": "docs"}
    exec(compile(program, "docs/how-to/web-backends.md", "exec"), names)
    async with sandbox.client(retry=RetryPolicy(attempts=1), settle_after=0.01) as pico:

        async def served(scope: Any, receive: Any, send: Any) -> None:
            """The application, with what its lifespan would have given it."""
            await names["app"]({**scope, "state": {"pico": pico}}, receive, send)

        transport = httpx.ASGITransport(served)
        async with httpx.AsyncClient(transport=transport, base_url="http://backend") as browser:
            yield browser, pico


async def test_the_backend_of_the_docs_settles_a_lost_answer_after_it_has_answered(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sandbox = Sandbox(faults=Faults(cut_after=1.0, only="post_job"))
    async with documented(sandbox) as (browser, pico):
        assert await pico.jobs.iter_jobs().collect() == []
        answer = await browser.post("/jobs", json=DRAFT.to_dict())
    assert answer.status_code == 202
    (job_id,) = sandbox.store.jobs
    assert f"TOOK_EFFECT {job_id} " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("faults", "status", "fate"),
    [
        (Faults(cut_before=1.0, only="post_job"), 202, None),
        (Faults(too_many=1.0), 503, "NOT_PROCESSED"),
    ],
)
async def test_the_backend_of_the_docs_answers_every_error_by_what_became_of_the_call(
    faults: Faults, status: int, fate: str | None
) -> None:
    async with documented(Sandbox(faults=faults)) as (browser, _):
        answer = await browser.post("/jobs", json=DRAFT.to_dict())
    assert (answer.status_code, answer.json().get("fate")) == (status, fate)


def test_the_docs_name_what_to_answer_for_every_error_of_a_call() -> None:
    table = DOCS[DOCS.index("### Which status to answer") :]
    kinds = {
        kind for kind in vars(picoworkers_async).values() if isinstance(kind, type) and issubclass(kind, CallError)
    }
    assert {kind.__name__ for kind in kinds - {CallError}} <= set(re.findall(r"`(\w+Error)`", table))
