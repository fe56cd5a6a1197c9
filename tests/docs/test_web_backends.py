"""The web backend of the manual: its worker processes share the account's limit through one pacer's file."""

from __future__ import annotations

import bisect
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import httpx
import pytest

from picoworkers_async.sandbox import Sandbox

from .pages import ROOT, programs

pytestmark = [pytest.mark.anyio, pytest.mark.story]
WORKERS, REQUESTS, CALLERS = 4, 100, 10
PROGRAM, _ = programs("docs/how-to/web-backends.md")  # tests/test_fastapi.py runs the other one
# Which worker it was is only for the test to know.
TOLD = """
@app.middleware("http")
async def tell_worker(request, call_next):
    answer = await call_next(request)
    answer.headers["worker"] = str(os.getpid())
    return answer
"""
# Each worker for itself would be over the limit; together they stay below it even on a machine that is busy.
RATE, LIMIT = 25.0, 40.0


def environment(service: str) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PICOWORKERS_USER_ID": "user_id",
        "PICOWORKERS_API_SECRET": "api_secret",
        "PICOWORKERS_BASE_URL": service,
    }


@contextmanager
def serving(folder: Path, service: str) -> Iterator[str]:
    """uvicorn with its workers, on a socket of ours that is open before they are."""
    assert "REQUESTS_PER_SECOND = 1\n" in PROGRAM
    program = PROGRAM.replace("REQUESTS_PER_SECOND = 1\n", f"REQUESTS_PER_SECOND = {RATE}\n")
    (folder / "web.py").write_text(f"import os\n{program}{TOLD}")
    paced = {"PICOWORKERS_PACER_FOLDER": str(folder)}
    with socket.create_server(("127.0.0.1", 0), backlog=2 * REQUESTS) as listener:
        options = ["--fd", str(listener.fileno()), "--workers", str(WORKERS), "--log-level", "warning"]
        command = [sys.executable, "-m", "uvicorn", "web:app", *options]
        server = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(service) | paced,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            # It began a session, so that its workers end with it whatever happened.
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def apart(url: str) -> httpx.AsyncClient:
    """A browser that opens a connection for each request, so that any worker may take it."""
    return httpx.AsyncClient(base_url=url, timeout=60, limits=httpx.Limits(max_keepalive_connections=0))


async def all_workers(url: str) -> set[str]:
    """The workers, when every one of them answers."""
    found: set[str] = set()
    with anyio.fail_after(60):
        async with apart(url) as browser:
            while len(found) < WORKERS:
                found.add((await browser.get("/docs")).headers["worker"])
    return found


def most_in_a_second(times: list[float]) -> int:
    ordered = sorted(times)
    return max(bisect.bisect_left(ordered, at + 1.0) - place for place, at in enumerate(ordered))


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_four_uvicorn_workers_answer_everybody_and_together_stay_within_the_limit(tmp_path: Path) -> None:
    sandbox = Sandbox(requests_per_second=LIMIT, latency=0.02)
    answers: list[httpx.Response] = []
    async with sandbox.serve() as service:
        with serving(tmp_path, service) as url:
            workers = await all_workers(url)

            async def browse(browser: httpx.AsyncClient, count: int) -> None:
                answers.extend([await browser.get("/balance") for _ in range(count)])

            async with apart(url) as browser, anyio.create_task_group() as group:
                for _ in range(CALLERS):
                    group.start_soon(browse, browser, REQUESTS // CALLERS)
    assert [answer.status_code for answer in answers] == [200] * REQUESTS
    assert sandbox.rate_limited == 0
    assert len(sandbox.requests) == REQUESTS
    assert most_in_a_second([request.time for request in sandbox.requests]) <= LIMIT
    took_part = Counter(answer.headers["worker"] for answer in answers)
    assert set(took_part) == workers, took_part


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_client_that_is_made_before_the_workers_are_forked_works_in_each_of_them(tmp_path: Path) -> None:
    sandbox = Sandbox(requests_per_second=LIMIT)
    module = "tests.support.preloading_program"
    command = [sys.executable, "-m", module, str(tmp_path / "pace.db"), str(RATE), str(WORKERS), "8"]
    async with sandbox.serve() as service:
        with anyio.fail_after(60):
            done = await anyio.run_process(command, env=environment(service), check=False)
    assert done.returncode == 0, done.stderr
    assert sandbox.rate_limited == 0
    assert len(sandbox.requests) == WORKERS * 8
