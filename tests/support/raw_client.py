"""The sandbox, spoken to without this library's client."""

from __future__ import annotations

from typing import Any

import httpx

from picoworkers_async.sandbox import Sandbox
from picoworkers_async.transport.package import package_of

HEADERS = {"Authorization": "Basic dXNlcl9pZDphcGlfc2VjcmV0"}


def raw_client(sandbox: Sandbox) -> httpx.AsyncClient:
    """A plain client of httpx, or of httpx2 where the sandbox's transport is, with the sandbox's credentials."""
    transport = sandbox.transport()
    package = package_of(transport, "AsyncBaseTransport")
    return package.AsyncClient(transport=transport, base_url="https://picoworkers.com/api/", headers=HEADERS)


async def rate(http: httpx.AsyncClient, job_id: str, task_id: str, **fields: Any) -> httpx.Response:
    """Rate one task, ok unless the fields say otherwise."""
    body = {"job_id": job_id, "task_id": task_id, "task_rating": "ok", **fields}
    return await http.post("jobs/rate-single-task.php", json=body)


async def rate_many(http: httpx.AsyncClient, job_id: str, task_ids: list[str]) -> httpx.Response:
    """Rate tasks ok in one request."""
    tasks = [{"id": task_id, "rating": "ok"} for task_id in task_ids]
    return await http.post("jobs/rate-multiple-tasks.php", json={"job_id": job_id, "tasks": tasks})


async def listed(http: httpx.AsyncClient, **query: Any) -> list[str]:
    """The ids of one page of unrated tasks."""
    answer = (await http.get("jobs/get-unrated-tasks.php", params=query)).json()
    return [task["id"] for task in answer["tasks"]]
