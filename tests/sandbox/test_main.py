"""`python -m picoworkers_async.sandbox`, for programs in other processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.raw_client import HEADERS

ROOT = Path(__file__).parents[2]


@contextmanager
def served(*options: str) -> Iterator[httpx.Client]:
    command = [sys.executable, "-m", "picoworkers_async.sandbox", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            with httpx.Client(base_url=url, headers=HEADERS) as http:
                yield http
        finally:
            process.terminate()


def truth(http: httpx.Client) -> dict:
    answer: dict = http.get(str(http.base_url).replace("/api/", "/_sandbox/ledger")).json()
    return answer


def rate(http: httpx.Client, task: dict) -> httpx.Response:
    body = {"job_id": task["job_id"], "task_id": task["id"], "task_rating": "ok"}
    return http.post("jobs/rate-single-task.php", json=body)


def tasks(http: httpx.Client) -> list[dict]:
    found: list[dict] = http.get("jobs/get-unrated-tasks.php").json()["tasks"]
    return found


def test_it_lags_and_pays_repeats_when_told_to() -> None:
    with served("--tasks", "2", "--read-lag", "3600", "--pays-repeats") as http:
        assert tasks(http) == []

    with served("--tasks", "2", "--pays-repeats") as http:
        task = tasks(http)[0]
        assert [rate(http, task).json()["ok"] for _ in range(2)] == [True, True]
        found = truth(http)
    assert (found["ratings"], found["repeats"], found["unrated"]) == (2, 1, [found["unrated"][0]])


def test_it_acts_late_when_told_to() -> None:
    with served("--tasks", "1", "--late", "1", "--late-seconds", "3600") as http:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            tasks(http)
        assert (truth(http)["pending"], truth(http)["requests"]) == (1, 1)


def test_it_listens_where_it_is_told_and_tells_where_that_is_reached_from_here() -> None:
    with served("--tasks", "1", "--host", "0.0.0.0") as http:
        assert http.base_url.host == "127.0.0.1"
        assert len(tasks(http)) == 1
