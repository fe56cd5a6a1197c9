"""Ctrl-C wherever it may come: at any line of the blocking client, twice, and from outside."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest

from picoworkers_async import OutcomeUnknownError, Rating
from picoworkers_async.blocking import Picoworkers
from picoworkers_async.sandbox import Sandbox
from tests.blocking.test_processes import SECONDS, python

Make = Callable[..., Picoworkers]

pytestmark = pytest.mark.timeout(60)


def interrupted_at(number: int, function: Callable[[], object]) -> tuple[str | None, BaseException | None]:
    """Call this with a KeyboardInterrupt at its line of this number: where that was, and what it raised."""
    seen, where = 0, None

    def of_line(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal seen, where
        if event == "line":
            seen += 1
            if seen == number:
                where = f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"
                sys.settrace(None)
                raise KeyboardInterrupt
        return of_line

    def of_call(frame: FrameType, event: str, argument: Any) -> Any:
        inside = f"{os.sep}picoworkers_async{os.sep}blocking{os.sep}" in frame.f_code.co_filename
        return of_line(frame, event, argument) if inside else None

    before = sys.gettrace()
    sys.settrace(of_call)
    try:
        function()
    except BaseException as error:
        return where, error
    finally:
        sys.settrace(before)
    return where, None


def nothing_is_left(before: set[threading.Thread]) -> bool:
    # A thread that was told not to begin before it had begun is there for a moment.
    for thread in set(threading.enumerate()) - before:
        thread.join(20)
    return set(threading.enumerate()) <= before


def test_an_interrupt_at_any_line_of_entering_leaves_a_client_that_can_be_closed(blocking: Make) -> None:
    before = set(threading.enumerate())
    for number in range(1, 1000):
        pico = blocking()
        where, error = interrupted_at(number, pico.__enter__)
        pico.close()
        assert nothing_is_left(before), where
        if where is None:
            break
        assert isinstance(error, KeyboardInterrupt), where
    assert number > 20


def test_an_interrupt_at_any_line_of_closing_leaves_nothing_that_hangs(blocking: Make) -> None:
    before = set(threading.enumerate())
    for number in range(1, 1000):
        pico = blocking().__enter__()
        where, error = interrupted_at(number, pico.close)
        pico.close()
        assert nothing_is_left(before), where
        if where is None:
            break
        assert isinstance(error, KeyboardInterrupt), where
    assert number > 20


def test_an_interrupt_at_any_line_of_a_paid_call_says_what_became_of_it(blocking: Make, sandbox: Sandbox) -> None:
    job_id = sandbox.add_job(num_tasks=100)
    with blocking() as pico:
        for number in range(1, 1000):
            (task_id,) = sandbox.add_tasks(job_id, 1)
            rating = Rating.ok(next(task for task in pico.jobs.iter_unrated_tasks() if task.id == task_id))
            where, error = interrupted_at(number, lambda given=rating: pico.jobs.rate_single_task(given))
            if where is None:
                break
            assert isinstance(error, KeyboardInterrupt), where
            told = isinstance(error.__cause__, OutcomeUnknownError) or getattr(error, "__notes__", None)
            if task_id in sandbox.unrated():
                pico.jobs.rate_single_task(rating)
            else:
                assert told, where
    assert number > 20


ENTERING = """
import time
from picoworkers_async.blocking import Picoworkers
pico = Picoworkers("user_id", "api_secret")
print("go", flush=True)
try:
    with pico:
        time.sleep(20)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="this system sends no Ctrl-C to a process")
def test_a_program_that_ctrl_c_meets_while_a_client_is_entered_ends() -> None:
    waits = (0.005, 0.02, 0.035, 0.05)
    processes = [python("-c", ENTERING) for _ in waits]
    try:
        for process, wait in zip(processes, waits, strict=True):
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(wait)
            process.send_signal(signal.SIGINT)
        for process in processes:
            process.communicate(timeout=SECONDS / 4)
    finally:
        for process in processes:
            process.kill()


class SlowToCancel(httpx.AsyncBaseTransport):
    """Acts on ratings at once, answers them late, and cannot be cancelled meanwhile."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._inner = sandbox.transport()
        self.acted = threading.Event()
        self.may_answer = threading.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        if "rate-" in str(request.url):
            self.acted.set()
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self.may_answer.wait, 30)
        return response


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="this system cannot signal a thread")
def test_a_paid_call_that_is_interrupted_twice_says_that_it_may_have_taken_effect(
    blocking: Make, sandbox: Sandbox, job_id: str
) -> None:
    transport = SlowToCancel(sandbox)

    def interrupt() -> None:
        transport.acted.wait(30)
        for _ in range(2):
            time.sleep(0.2)
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)  # type: ignore[arg-type]

    with blocking(transport=transport) as pico:
        rating = Rating.ok(next(iter(pico.jobs.iter_unrated_tasks())))
        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt) as caught:
            pico.jobs.rate_single_task(rating)
        thread.join()
        transport.may_answer.set()
    assert isinstance(caught.value.__cause__, OutcomeUnknownError)
    assert caught.value.__cause__.sent is not None


def test_whoever_closes_a_client_too_returns_when_it_is_closed(
    blocking: Make, sandbox: Sandbox, job_id: str
) -> None:
    transport = SlowToCancel(sandbox)
    ended = []

    def rate(rating: Rating) -> None:
        with contextlib.suppress(OutcomeUnknownError):
            pico.jobs.rate_single_task(rating)
        ended.append("call")

    def close() -> None:
        pico.close()
        ended.append("close")

    pico = blocking(transport=transport).__enter__()
    rating = Rating.ok(next(iter(pico.jobs.iter_unrated_tasks())))
    threads = [threading.Thread(target=rate, args=[rating])]
    threads[0].start()
    transport.acted.wait(30)
    threads += [threading.Thread(target=close) for _ in range(3)]
    for thread in threads[1:]:
        thread.start()
    for thread in threads[1:]:
        thread.join(0.2)
    assert ended == []
    transport.may_answer.set()
    for thread in threads:
        thread.join(30)
    assert sorted(ended) == ["call", "close", "close", "close"]


COLLECTED = """
import gc, threading
from picoworkers_async.blocking import Picoworkers
from picoworkers_async.sandbox import Sandbox

class Node: ...

def leave(pico):
    node = Node()
    node.pages, node.me = pico.jobs.iter_jobs().pages(), node
    next(node.pages)
    return node.pages.gi_frame.f_locals["items"]

sandbox = Sandbox()
for _ in range(60):
    sandbox.add_job(num_tasks=10)
gc.disable()
with Picoworkers("user_id", "api_secret", transport=sandbox.transport()) as pico:
    inner = leave(pico)
    lock = threading.Lock()

    def in_its_thread():
        with lock:
            print("not deaf")

    with lock:
        thread = threading.Thread(target=pico._thread.run_plain, args=[in_its_thread])
        thread.start()
        while not thread.is_alive():
            pass
        import time
        time.sleep(0.3)
        gc.collect()
    thread.join()
print(inner.ag_frame)
"""


def test_an_iterator_that_the_garbage_collector_finds_is_closed_without_a_wait() -> None:
    with python("-c", COLLECTED) as process:
        try:
            out, err = process.communicate(timeout=SECONDS / 4)
        finally:
            process.kill()
    assert (out.split("\n"), err) == (["not deaf", "None", ""], "")
