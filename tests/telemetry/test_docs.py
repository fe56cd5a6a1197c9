"""The program of docs/how-to/telemetry.md runs as it stands, and serves what it says."""

from __future__ import annotations

import os
import re
import socket
import sys
from pathlib import Path

import anyio
import pytest

from picoworkers_async.sandbox import Sandbox

from ..docs.pages import ROOT, programs

pytestmark = pytest.mark.anyio

(PROGRAM,) = programs("docs/how-to/telemetry.md")
SCRAPE = """
import anyio, urllib.request
anyio.run(main)
with urllib.request.urlopen("http://127.0.0.1:9464/metrics") as page:
    print(page.read().decode())
"""


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_program_of_the_docs_serves_its_metrics(tmp_path: Path) -> None:
    sandbox = Sandbox()
    sandbox.add_tasks(sandbox.add_job(), 5)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "program.py").write_text((PROGRAM + SCRAPE).replace("9464", str(port)))
    async with sandbox.serve() as url:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PICOWORKERS_USER_ID": "user_id",
            "PICOWORKERS_API_SECRET": "api_secret",
            "PICOWORKERS_BASE_URL": url,
        }
        with anyio.fail_after(60):
            done = await anyio.run_process([sys.executable, "program.py"], cwd=tmp_path, env=environment)
    assert re.search(r'^picoworkers_rating_outcomes_total\{.*"rated"\} 5\.0$', done.stdout.decode(), re.MULTILINE)
