"""An interpreter ends cleanly, whatever its client went over: `benchmarks/exits.py` shows it for 200 of each."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

pytestmark = pytest.mark.story

STARTS = 5
PROGRAM = """
import asyncio, sys
from picoworkers_async import AsyncPicoworkers, NotSentError, RetryPolicy

async def main(url, transport):
    options = {"base_url": url, "transport": transport, "retry": RetryPolicy(attempts=1)}
    async with AsyncPicoworkers("user_id", "api_secret", **options) as pico:
        try:
            await pico.request("POST", "jobs/rate-single-task.php", {})
        except NotSentError:
            print("refused")

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("transport", ["fast", "lanes", "client"])
def test_a_program_whose_connection_was_refused_exits_cleanly(transport: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}/"
    command = [sys.executable, "-W", "default", "-c", PROGRAM, url, transport]
    pipe = subprocess.PIPE
    programs = [subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) for _ in range(STARTS)]
    ends = [(*program.communicate(timeout=120), program.returncode) for program in programs]
    assert ends == [("refused\n", "", 0)] * STARTS
