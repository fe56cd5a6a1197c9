"""Blocking programs in real processes: interrupted by Ctrl-C, forked, and left open at their end."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from picoworkers_async import Journal
from picoworkers_async.sandbox import Sandbox

pytestmark = pytest.mark.story

ROOT = Path(__file__).parents[2]
SECONDS = 60.0


def python(*command: str) -> subprocess.Popen[str]:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, *command], text=True, cwd=ROOT, **pipes)


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    try:
        out, err = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    return process.returncode, out, err


def worker(url: str, journal: Path, wait: str) -> subprocess.Popen[str]:
    return python("-m", "tests.support.interrupted_worker", url, str(journal), wait)


@pytest.mark.parametrize("wait", ["report", "iterate"])
def test_a_batch_that_ctrl_c_ends_leaves_in_order_and_goes_on_with_its_journal(
    sandbox: Sandbox, url: str, job_id: str, tmp_path: Path, wait: str
) -> None:
    journal = tmp_path / "ratings.db"
    sandbox.latency = 0.05
    with worker(url, journal, wait) as process:
        assert process.stdout is not None
        process.stdout.readline()
        while len(sandbox.decisions()) < 4:
            pass
        process.send_signal(signal.SIGINT)
        code, _, err = ended(process)
    assert code == -signal.SIGINT
    assert "KeyboardInterrupt" in err
    assert "never retrieved" not in err
    # The grace sufficed: what was sent was learned.
    assert Journal(journal).counts()["rated"] == len(sandbox.decisions())

    with worker(url, journal, "report") as process:
        code, _, err = ended(process)
    assert (code, err) == (0, "")
    assert sandbox.unrated() == []
    assert sandbox.double_ratings == 0
    assert len(sandbox.ledger) == 30


def test_a_call_for_money_that_ctrl_c_cuts_off_says_that_it_may_have_taken_effect(
    sandbox: Sandbox, url: str, tmp_path: Path
) -> None:
    sandbox.latency = 20.0
    with worker(url, tmp_path / "unused", "deposit") as process:
        while not sandbox.peak_concurrency:
            pass
        process.send_signal(signal.SIGINT)
        code, _, err = ended(process)
    assert code == -signal.SIGINT
    assert "OutcomeUnknownError: deposit: may have taken effect (interrupted while it was sent)" in err
    assert err.rstrip().endswith("KeyboardInterrupt")


def run(program: str, *arguments: str) -> Sequence[str]:
    code, out, err = ended(python("-W", "ignore", "-c", program, *arguments))
    assert (code, err) == (0, "")
    return out.splitlines()


FORKED = """
import os, sys
from picoworkers_async import ClientStateError, Throttle
from picoworkers_async.blocking import Picoworkers

def client():
    return Picoworkers("user_id", "api_secret", base_url=sys.argv[1], throttle=Throttle())

unopened = client()
with client() as pico:
    batch = pico.rate([])
    if child := os.fork():
        assert os.waitpid(child, 0)[1] == 0
        print(pico.ping().ok)
        sys.exit()
    for call in (pico.ping, batch.__enter__):
        try:
            call()
        except ClientStateError as error:
            print(error)
    with unopened as own:
        print(own.ping().ok)
sys.stdout.flush()
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="this system cannot fork")
def test_a_client_that_a_fork_brought_along_says_so(sandbox: Sandbox, url: str) -> None:
    *errors, own, parents = run(FORKED, url)
    assert len(errors) == 2
    assert all("opened before the process was forked" in error for error in errors)
    assert (own, parents) == ("True", "True")


LEFT_OPEN = """
import sys
from picoworkers_async.blocking import Picoworkers

pico = Picoworkers("user_id", "api_secret", base_url=sys.argv[1]).__enter__()
print(pico.ping().ok)
"""


def test_a_program_that_leaves_its_client_open_ends_all_the_same(url: str) -> None:
    assert run(LEFT_OPEN, url) == ["True"]


ALARMED = """
import signal, sys
from picoworkers_async import Throttle
from picoworkers_async.blocking import Picoworkers

class SoftTimeLimitExceeded(Exception): ...

def too_long(*_):
    raise SoftTimeLimitExceeded

signal.signal(signal.SIGALRM, too_long)
with Picoworkers("user_id", "api_secret", base_url=sys.argv[1], throttle=Throttle()) as pico:
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        pico.jobs.get_zones()
    except SoftTimeLimitExceeded:
        loop = pico._thread
        print(loop.run_plain(lambda: len(loop._serving._tasks)))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="this system has no alarms")
def test_what_a_signal_handler_raises_ends_the_call_and_nothing_goes_on_behind_it(
    sandbox: Sandbox, url: str
) -> None:
    sandbox.latency = 20.0
    assert run(ALARMED, url) == ["1"]  # that which counts


UNBEGUN = """
import signal, sys, threading, time
from picoworkers_async import Throttle
from picoworkers_async.blocking import Picoworkers

def too_long(*_):
    raise TimeoutError

signal.signal(signal.SIGALRM, too_long)
with Picoworkers("user_id", "api_secret", base_url=sys.argv[1], throttle=Throttle()) as pico:
    held = threading.Event()

    def hold():
        held.set()
        time.sleep(2)

    thread = threading.Thread(target=pico._thread.run_plain, args=[hold])
    thread.start()
    held.wait()
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        pico.wallet.deposit(1000)
    except TimeoutError as error:
        print(error.__cause__)
    thread.join()
    print(pico.users.get_balances().spendable)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="this system has no alarms")
def test_a_call_that_is_interrupted_before_it_began_is_never_made(sandbox: Sandbox, url: str) -> None:
    assert run(UNBEGUN, url) == ["None", "1000.0000"]
    assert [request.path for request in sandbox.requests] == ["/api/users/get-balances.php"]
