"""A receiver killed between a body and its answer: what was noted is there, what was not comes again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import httpx
import pytest

from picoworkers_async.webhooks import Receiver
from picoworkers_async.webhooks.submitted import Submitted
from tests.support.receiving import EXAMPLE, IDS, changed, durable_changes, durable_ids

ROOT = Path(__file__).parents[2]
CHANGED = changed("j", ("paused", "2026-05-01 10:00:00"), ("running", "2026-05-01 10:00:01"))


@contextmanager
def receiving(file: Path, moment: str) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.support.killed_receiver", str(file), moment]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/"
        finally:
            process.kill()


@pytest.mark.parametrize("moment", ["commit", "answer"])
def test_killed_between_a_body_and_its_answer_it_loses_nothing_and_doubles_nothing(
    tmp_path: Path, moment: str
) -> None:
    file = tmp_path / "submitted.db"
    Submitted(file).begin()
    for body in (EXAMPLE, CHANGED):
        with receiving(file, moment) as url, pytest.raises(httpx.TransportError):
            httpx.post(url, json=body, trust_env=False, timeout=30)
    noted = moment == "answer"
    assert durable_ids(file) == (IDS if noted else set())
    assert len(durable_changes(file)) == (2 if noted else 0)

    with receiving(file, "never") as url:
        for body in (EXAMPLE, CHANGED, CHANGED):
            assert httpx.post(url, json=body, trust_env=False, timeout=30).status_code == 200
    assert durable_ids(file) == IDS
    assert len(durable_changes(file)) == 2
    assert anyio.run(statuses_given_out, file) == ["paused", "running"]


async def statuses_given_out(file: Path) -> list[str]:
    async with Receiver(file).job_changes() as changes:
        with anyio.fail_after(10):
            return [str((await anext(changes)).status) for _ in range(2)]
