"""Killed at any moment and started again, against a service that loses answers: paid once, none skipped.

`PICOWORKERS_KILLS` and `PICOWORKERS_TASKS` make the run larger, `PICOWORKERS_SEED` repeats one.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from picoworkers_async import Edition, Journal, Task
from tests.support.judge import judge
from tests.support.served import served, truth

pytestmark = pytest.mark.story

KILLS = int(os.environ.get("PICOWORKERS_KILLS", "5"))
TASKS = int(os.environ.get("PICOWORKERS_TASKS", "240"))
SEED = int(os.environ.get("PICOWORKERS_SEED", random.randrange(10**6)))
ROOT = Path(__file__).parents[2]


@pytest.fixture
def service(edition: Edition) -> Iterator[str]:
    """A sandbox in a process of its own, with every kind of fault at 3%, and reads that lag by half a second."""
    options = ["--late-seconds", "0.3", "--slow-seconds", "1.2", "--faults", "0.03", "--seed", str(SEED)]
    # Where few requests do all the work, each must last for a while to be killed amid.
    options += ["--read-lag", "0.3", "--latency", "0.005" if edition.ratings_at_once == 1 else "0.1"]
    with served(edition, TASKS, *options) as url:
        yield url


def worker(url: str, journal: str, edition: Edition) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.support.killed_worker", url, journal, edition.name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def test_killed_at_random_moments_it_pays_everybody_once_and_to_the_cent(
    service: str, edition: Edition, place: str
) -> None:
    print(f"PICOWORKERS_SEED={SEED} PICOWORKERS_KILLS={KILLS} PICOWORKERS_TASKS={TASKS}")
    journal, rng, kills = place, random.Random(SEED), 0
    expected = {
        task_id: (rating.verdict.value, rating.bonus)
        for task_id in truth(service)["unrated"]
        if (rating := judge(Task(task_id, "any"))) is not None
    }
    # So many requests the whole work takes at least; a worker gets half of its share of them on average.
    share = (TASKS if edition.ratings_at_once == 1 else TASKS / 20) / (KILLS + 1)
    while kills < KILLS:
        with worker(service, journal, edition) as process:
            goal = truth(service)["requests"] + 1 + share * rng.random()
            while process.poll() is None and truth(service)["requests"] < goal:
                pass
            try:
                process.wait(rng.random() * 0.05)
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
            else:
                pytest.fail("the work was done before all kills were")

    for _ in range(5):
        with worker(service, journal, edition) as process:
            assert process.stdout is not None
            line = process.stdout.read()
            assert process.wait() == 0
        if line.split()[2:] == ["0", "0"]:
            break

    found = truth(service)
    ledger = {task_id: (verdict, Decimal(bonus)) for task_id, _, verdict, bonus in found["decisions"]}
    assert ledger == expected
    assert found["ratings"] == len(expected)
    assert found["unrated"] == []
    assert Decimal(found["bonus_paid"]) == sum(bonus for _, bonus in expected.values())
    assert Journal(journal).counts() == {"rated": len(expected)}
    assert Journal(journal).bonus_paid() == Decimal(found["bonus_paid"])
