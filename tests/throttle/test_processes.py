"""One budget for several processes: real files, real servers, real processes that are killed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.valkey import Server

pytestmark = pytest.mark.story

ROOT = Path(__file__).parents[2]
RATE = 20.0
SLOW_RATE = 10.0
PROCESSES = 4


@contextmanager
def sharing(
    store: str, *, limit: float, rate: float, block: float = 0.0
) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A sandbox that enforces its limit, and some processes on one account that call as fast as they may."""
    module = [sys.executable, "-m"]
    command = [*module, "picoworkers_async.sandbox", "--requests-per-second", str(limit), "--latency", "0.02"]
    with ExitStack() as stack:
        service = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        stack.callback(service.terminate)
        assert service.stdout is not None
        url = service.stdout.readline().strip()
        workers = []
        for _ in range(PROCESSES):
            worker = stack.enter_context(
                subprocess.Popen(
                    [*module, "tests.support.paced_worker", url, store, str(rate), str(block)], cwd=ROOT
                )
            )
            stack.callback(worker.kill)
            workers.append(worker)
        until(lambda: truth(url)["requests"] >= 30)
        yield url, workers


def until(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def truth(url: str) -> dict:
    answer: dict = httpx.get(url.replace("/api/", "/_sandbox/ledger")).json()
    return answer


def rate_over(url: str, seconds: float) -> float:
    """Requests a second that arrive, over a while."""
    before, started = truth(url)["requests"], time.monotonic()
    time.sleep(seconds)
    return (truth(url)["requests"] - before) / (time.monotonic() - started)


def test_several_processes_keep_one_pace_together_and_go_on_without_one_that_is_killed(store: str) -> None:
    """Their pace is half of the limit, so a busy machine does not matter; each for itself would be over it."""
    with sharing(store, limit=2 * SLOW_RATE, rate=SLOW_RATE) as (url, workers):
        workers[0].kill()
        before = truth(url)["requests"]
        until(lambda: truth(url)["requests"] >= before + 20)
        assert truth(url)["rate_limited"] == 0


@pytest.mark.soak
def test_several_processes_use_the_whole_limit_and_never_more(store: str) -> None:
    with sharing(store, limit=RATE, rate=RATE) as (url, workers):
        rate = rate_over(url, 10.0)
        assert truth(url)["rate_limited"] == 0
        assert 0.97 * RATE <= rate <= RATE
        workers[0].kill()
        assert rate_over(url, 5.0) >= (5.0 * RATE - 1) / 5.0 * 0.96
        assert truth(url)["rate_limited"] == 0


@pytest.mark.soak
@pytest.mark.parametrize("block", [0.2, 0.8])
def test_several_processes_that_block_their_loops_are_never_told_429(store: str, block: float) -> None:
    with sharing(store, limit=10.0, rate=10.0, block=block) as (url, _):
        rate = rate_over(url, 30.0)
        assert truth(url)["rate_limited"] == 0
        assert rate >= 4.0


@pytest.mark.soak
def test_when_the_server_is_lost_and_comes_back_the_limit_is_never_exceeded(server: Server) -> None:
    with sharing(server.url, limit=RATE, rate=RATE) as (url, _):
        server.stop()
        while_lost = rate_over(url, 3.0)
        server.start()
        time.sleep(13.0)
        after = rate_over(url, 2.0)
        assert truth(url)["rate_limited"] == 0
    assert 0.8 * RATE < while_lost <= RATE
    assert after >= 0.9 * RATE
