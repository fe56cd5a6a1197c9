"""A coordinator dies, sleeps or loses its database, and another one stands by: each task is rated once."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from picoworkers_async import PICOWORKERS, Journal, Task
from tests.support.judge import judge
from tests.support.postgres import Server
from tests.support.served import served, truth

pytestmark = pytest.mark.story

TASKS = 60
ROOT = Path(__file__).parents[2]
LEASE = 3.0


class Coordinator:
    """A program that reviews everything, and tells of each rating it sends."""

    def __init__(self, url: str, address: str) -> None:
        command = [sys.executable, "-m", "tests.support.killed_worker", url, address, PICOWORKERS.name]
        # Slow enough that it is between two requests nearly all of the time.
        command += ["15", str(LEASE)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)

    def wait_for(self, event: str, times: int = 1) -> None:
        """Read on until it has told this so many times more."""
        assert self.process.stdout is not None
        while times:
            line = self.process.stdout.readline()
            assert line, f"it ended before {event}"
            times -= line.startswith(event)

    def stands_by(self) -> bool:
        """Whether the first that it tells is that another one has the journal."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().startswith("standby_waiting")

    def rest(self) -> list[list[str]]:
        """What else it tells until its end, in words."""
        assert self.process.stdout is not None
        lines = [line.split() for line in self.process.stdout.read().splitlines()]
        self.process.wait()
        return lines

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.communicate()


@contextmanager
def coordinators(url: str, address: str, count: int) -> Iterator[list[Coordinator]]:
    """The first has the journal, the others stand by."""
    all_of_them = [Coordinator(url, address) for _ in range(count)]
    try:
        yield sorted(all_of_them, key=Coordinator.stands_by)
    finally:
        for one in all_of_them:
            one.end()


def check(url: str, address: str, expected: dict[str, tuple[str, Decimal]]) -> None:
    """The ledger equals the decisions, and so does the journal."""
    found = truth(url)
    assert {task_id: (verdict, Decimal(bonus)) for task_id, _, verdict, bonus in found["decisions"]} == expected
    assert (found["ratings"], found["double_ratings"], found["unrated"]) == (len(expected), 0, [])
    assert Journal(address).counts() == {"rated": len(expected)}
    assert Journal(address).bonus_paid() == Decimal(found["bonus_paid"])


def decisions(url: str) -> dict[str, tuple[str, Decimal]]:
    ratings = {task_id: judge(Task(task_id, "any")) for task_id in truth(url)["unrated"]}
    return {name: (rating.verdict.value, rating.bonus) for name, rating in ratings.items() if rating is not None}


@pytest.fixture
def service() -> Iterator[str]:
    with served(PICOWORKERS, TASKS, "--latency", "0.01") as url:
        yield url


def test_one_that_stands_by_goes_on_where_a_killed_one_stopped(service: str, address: str) -> None:
    expected = decisions(service)
    with coordinators(service, address, 2) as (first, second):
        first.wait_for("request_done", 10)
        first.process.kill()
        second.wait_for("batch_began")
        assert second.rest()[-1][1:] == ["0", "0", "0"]
    check(service, address, expected)


def test_one_that_was_only_asleep_writes_and_sends_nothing_more(service: str, address: str) -> None:
    expected = decisions(service)
    with coordinators(service, address, 2) as (first, second):
        first.wait_for("request_done", 10)
        first.process.send_signal(signal.SIGSTOP)
        second.wait_for("batch_began")
        second.wait_for("request_done", 3)
        first.process.send_signal(signal.SIGCONT)
        woken_at = time.monotonic()
        told = first.rest()
        assert told[-1] == ["JournalTakenError"]
        assert first.process.returncode == 3
        assert [words for words in told[:-1] if float(words[1]) > woken_at] == []
        assert second.rest()[-1][1:] == ["0", "0", "0"]
    check(service, address, expected)


def test_a_server_that_is_started_again_is_waited_for_while_nothing_is_sent(service: str) -> None:
    expected = decisions(service)
    server = Server()
    try:
        server.start()
        address = server.url("postgres")
        with coordinators(service, address, 1) as (only,):
            only.wait_for("request_done", 10)
            server.stop()
            stopped_at = time.monotonic()
            # Whatever left when the server went has arrived by then.
            time.sleep(1.0)
            rated = truth(service)["ratings"]
            time.sleep(1.0)
            assert truth(service)["ratings"] == rated
            server.start()
            started_at = time.monotonic()
            told = only.rest()
            assert told[-1] == [str(len(expected)), "0", "0", "0"]
            left = [float(words[1]) for words in told if words[0] == "request_done"]
            assert [at for at in left if stopped_at + 0.5 < at < started_at - 0.5] == []
        check(service, address, expected)
    finally:
        server.remove()
