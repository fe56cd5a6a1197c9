"""A program that reviews what is posted to it, ended by SIGTERM under uvicorn."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections import Counter
from pathlib import Path

import anyio
import httpx
import pytest

from picoworkers_async import SPROUTGIGS, Journal, JournalState
from picoworkers_async.sandbox import Sandbox

pytestmark = [pytest.mark.anyio, pytest.mark.story]

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "tests" / "support" / "webhook_program.py"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_webhook_example_in_good_order(number: signal.Signals, tmp_path: Path) -> None:
    """More jobs than can be rated at one request a second: some are rated, the others wait for the next run."""
    sandbox = Sandbox(edition=SPROUTGIGS, balance=10**6, page_size=100)
    for _ in range(30):
        sandbox.add_tasks(sandbox.add_job(num_tasks=100), 2)
    port = free_port()
    async with sandbox.serve() as url:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PICOWORKERS_USER_ID": "user_id",
            "PICOWORKERS_API_SECRET": "api_secret",
            "PICOWORKERS_BASE_URL": url,
        }
        command = [sys.executable, str(PROGRAM), str(port)]
        async with await anyio.open_process(command, cwd=tmp_path, env=environment, stderr=None) as process:
            with anyio.fail_after(60):
                await post(f"http://127.0.0.1:{port}/hooks/a-segment-nobody-guesses", sandbox)
                assert process.stdout is not None
                said = b""
                while b"rated" not in said:
                    said += await process.stdout.receive()
                process.send_signal(number)
                said += b"".join([part async for part in process.stdout])
                assert await process.wait() == 0
    rows = list(Journal(tmp_path / "ratings.db").rows())
    counts = Counter(row.state for row in rows)
    assert set(counts) <= {JournalState.RATED, JournalState.DECIDED}
    assert counts[JournalState.RATED] == len(sandbox.ledger) > 0
    assert sandbox.double_ratings == 0


async def post(url: str, sandbox: Sandbox) -> None:
    """Post the ids of all tasks, as the service does, as soon as the program listens."""
    body = {job: list(sandbox.store.unrated_of(job)) for job in sandbox.store.jobs}
    async with httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                response = await client.post(url, json=body)
            except httpx.ConnectError:
                await anyio.sleep(0.05)
                continue
            assert response.status_code == 200
            return
