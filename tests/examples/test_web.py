"""examples/web: four worker processes, one budget, and ratings that are safe to ask for again."""

from __future__ import annotations

import bisect
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import anyio
import httpx
import pytest

from picoworkers_async.sandbox import Faults, Sandbox

from .programs import ENOUGH_SECONDS, command_of, copy_of, environment

pytestmark = [pytest.mark.anyio, pytest.mark.story, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

# Each worker for itself would be over the limit; together they stay below it even on a machine that is busy.
RATE, LIMIT = 15.0, 24.0


@contextmanager
def serving(folder: Path, service: str, workers: int = 4) -> Iterator[str]:
    """The example with its workers, on a socket of ours that is open before they are."""
    command = command_of("web")
    command[command.index("--workers") + 1] = str(workers)
    place = command.index("--port")
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        command[place : place + 2] = ["--fd", str(listener.fileno())]
        env = environment(service, folder, REQUESTS_PER_SECOND=str(RATE))
        pass_fds = [listener.fileno()]
        server = subprocess.Popen(command, cwd=folder, env=env, pass_fds=pass_fds, start_new_session=True)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            # It began a session, so that its workers end with it whatever happened.
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def browser_of(url: str) -> httpx.AsyncClient:
    """One that opens a connection for each request, so that any worker may take it."""
    return httpx.AsyncClient(
        base_url=url, timeout=ENOUGH_SECONDS, limits=httpx.Limits(max_keepalive_connections=0)
    )


async def rated(browser: httpx.AsyncClient, url: str, body: dict[str, str]) -> list[httpx.Response]:
    """Every answer, until one is not "ask again"."""
    answers = [await browser.put(url, json=body)]
    while answers[-1].status_code == 202:
        await anyio.sleep(0.2)
        answers.append(await browser.put(url, json=body))
    return answers


async def test_who_asks_is_told_to_ask_again_and_after_a_kill_the_next_who_asks_learns_what_became_of_it(
    tmp_path: Path,
) -> None:
    folder = copy_of("web", tmp_path)
    program = (folder / "web.py").read_text(encoding="utf-8")
    assert "ANSWER_WITHIN_SECONDS = 10\n" in program
    (folder / "web.py").write_text(program.replace("WITHIN_SECONDS = 10\n", "WITHIN_SECONDS = 1\n"), "utf-8")
    sandbox = Sandbox(edition="sproutgigs")
    job_id = sandbox.add_job(task_value="0.10")
    slow, killed = (f"/ratings/{job_id}/{task_id}/0" for task_id in sandbox.add_tasks(job_id, 2))
    async with sandbox.serve() as service:
        with serving(folder, service, workers=1) as url:
            async with browser_of(url) as browser:
                sandbox.faults = Faults(slow=1.0, slow_seconds=3, only="rate_multiple_tasks")
                first, *_, last = await rated(browser, slow, {"verdict": "ok"})
                assert (first.status_code, first.headers["retry-after"], last.status_code) == (202, "5", 200)
                too_long_for_a_file = f"/ratings/{job_id}/x/{'9' * 250}"
                assert (await browser.get(too_long_for_a_file)).status_code == 422
                sandbox.faults = Faults(slow=1.0, slow_seconds=600, only="rate_multiple_tasks")
                assert (await browser.put(killed, json={"verdict": "ok"})).status_code == 202
        sandbox.faults = Faults()
        with serving(folder, service, workers=1) as url:
            async with browser_of(url) as browser:
                assert (await rated(browser, killed, {"verdict": "ok"}))[-1].status_code == 200
    assert (len(sandbox.ledger), sandbox.double_ratings) == (2, 0)


def most_in_a_second(times: list[float]) -> int:
    ordered = sorted(times)
    return max(bisect.bisect_left(ordered, at + 1.0) - place for place, at in enumerate(ordered))


async def test_four_workers_keep_one_pace_and_pay_a_rating_once_however_often_it_is_asked_for(
    tmp_path: Path,
) -> None:
    folder = copy_of("web", tmp_path)
    sandbox = Sandbox(edition="sproutgigs", requests_per_second=LIMIT)
    job_id = sandbox.add_job(task_value="0.10")
    sandbox.add_tasks(job_id, 5)
    async with sandbox.serve() as service:
        with serving(folder, service, workers=1) as url:
            async with browser_of(url) as browser:
                statuses: list[int] = []

                async def look() -> None:
                    statuses.append((await browser.get("/balance")).status_code)

                async with anyio.create_task_group() as group:
                    for _ in range(40):
                        group.start_soon(look)
                assert statuses == [200] * 40

                tasks = (await browser.get(f"/jobs/{job_id}/tasks")).json()["items"]
                paths = [f"/ratings/{job_id}/{task['id']}/{task['revision_number']}" for task in tasks]
                assert (await browser.get(paths[0])).status_code == 404
                good = {"verdict": "ok", "bonus": "0.05"}

                # Many times at once, of whichever workers.
                asked: list[list[httpx.Response]] = []

                async def ask() -> None:
                    asked.append(await rated(browser, paths[0], good))

                async with anyio.create_task_group() as group:
                    for _ in range(8):
                        group.start_soon(ask)
                assert [answers[-1].status_code for answers in asked] == [200] * 8
                assert (await browser.get(paths[0])).json()["state"] == "rated"
                assert len(sandbox.ledger) == 1
                *_, other = await rated(browser, paths[0], {"verdict": "not_ok", "comment": "A copy"})
                assert (other.status_code, other.json()["stands"]["verdict"]) == (409, "ok")

                # The service acts, and its answer is lost.
                sandbox.faults = Faults(cut_after=1.0, only={"rate_multiple_tasks", "rate_single_task"})
                assert (await rated(browser, paths[1], good))[-1].status_code == 200
                sandbox.faults = Faults()

                sandbox.refuse(tasks[2]["id"], "Not this one.")
                *_, refused = await rated(browser, paths[2], good)
                assert (refused.status_code, refused.json()["error"]) == (409, "Not this one.")
                *_, wrong = await rated(browser, paths[3], {"verdict": "not_ok"})
                assert (wrong.status_code, wrong.json()["detail"][0]["loc"]) == (422, ["body", "comment"])
                gone = await browser.get("/jobs/000000000000/tasks")
                assert gone.status_code == 404
                assert (await browser.put("/ratings/..%2F..%2Fx/y/0", json=good)).status_code in (404, 422)
    assert (sandbox.bonus_paid, sandbox.double_ratings) == (Decimal("0.10"), 0)
    assert sandbox.rate_limited == 0
    assert most_in_a_second([request.time for request in sandbox.requests]) <= LIMIT
