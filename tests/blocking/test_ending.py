"""What ends a program, raised in code that a client calls: it comes out where the client was called."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from picoworkers_async import ClientStateError, Journal, Rating, Task
from picoworkers_async.blocking import Picoworkers
from picoworkers_async.events import OUTCOME, REQUEST_DONE, Event
from picoworkers_async.sandbox import Sandbox

Make = Callable[..., Picoworkers]

pytestmark = pytest.mark.timeout(60)

ENDS = pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])


@ENDS
@pytest.mark.parametrize("options", [{}, {"threads": False}, {"deciding": 3}], ids=["one", "in the loop", "three"])
def test_what_ends_a_program_in_decide_ends_the_batch_in_order_and_comes_out(
    pico: Picoworkers, sandbox: Sandbox, job_id: str, tmp_path: Path, kind: type[BaseException], options: dict
) -> None:
    raised = kind("enough")
    asked = []

    def decide(task: Task) -> Rating:
        asked.append(task)
        if len(asked) == 12:
            raise raised
        return Rating.ok(task)

    journal = tmp_path / "ratings.db"
    with pytest.raises(kind) as caught:
        pico.review_all(decide, journal=journal, **options)
    assert caught.value is raised
    assert caught.value.report.rated == len(sandbox.ledger)  # type: ignore[attr-defined]
    # All that was sent had its answer.
    counts = Journal(journal).counts()
    assert counts["rated"] == len(sandbox.ledger)
    assert not counts.get("sent")
    assert pico.ping().ok


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_what_ends_a_program_in_an_async_decide_comes_out_and_the_client_lives(
    pico: Picoworkers, job_id: str, kind: type[BaseException]
) -> None:
    async def decide(task: Task) -> Rating:
        raise kind("enough")

    with pytest.raises(kind, match="enough"):
        pico.review_all(decide)
    assert pico.ping().ok


@ENDS
@pytest.mark.parametrize("name", ["ratings", "tasks"])
def test_what_ends_a_program_in_a_generator_comes_out_with_the_report(
    pico: Picoworkers, sandbox: Sandbox, job_id: str, kind: type[BaseException], name: str
) -> None:
    def given() -> Iterator[Task]:
        yield from list(pico.jobs.iter_unrated_tasks())[:5]
        raise kind("enough")

    def run() -> None:
        if name == "ratings":
            pico.rate_all(map(Rating.ok, given()))
        else:
            pico.review_all(Rating.ok, tasks=given())

    with pytest.raises(kind, match="enough") as caught:
        run()
    assert caught.value.report.rated == len(sandbox.ledger)  # type: ignore[attr-defined]
    assert pico.ping().ok


@ENDS
def test_what_ends_a_program_in_a_plain_iterable_comes_out_of_its_first_step(
    pico: Picoworkers, kind: type[BaseException]
) -> None:
    class Broken:
        def __iter__(self) -> Iterator[Rating]:
            raise kind("enough")

    with pytest.raises(kind, match="enough"):
        pico.rate_all(Broken())
    assert pico.ping().ok


def test_an_async_iterable_may_end_the_program_too(pico: Picoworkers) -> None:
    async def given() -> AsyncIterator[Rating]:
        raise SystemExit("enough")
        yield

    with pytest.raises(SystemExit, match="enough"):
        pico.rate_all(given())
    assert pico.ping().ok


def test_stop_async_iteration_out_of_plain_ratings_is_an_error_and_no_end(pico: Picoworkers, job_id: str) -> None:
    def given() -> Iterator[Rating]:
        yield Rating.ok(next(pico.jobs.iter_unrated_tasks()))
        raise StopAsyncIteration

    with pytest.raises(RuntimeError, match="raised StopAsyncIteration") as caught:
        pico.rate_all(given())
    assert caught.value.report.rated == 1  # type: ignore[attr-defined]


@ENDS
def test_what_ends_a_program_in_on_event_comes_out_of_the_call_that_it_belongs_to(
    blocking: Make, sandbox: Sandbox, job_id: str, tmp_path: Path, kind: type[BaseException]
) -> None:
    on: list[str] = []

    def on_event(event: Event) -> None:
        if event.event in on:
            raise kind("enough")

    journal = tmp_path / "ratings.db"
    with blocking(on_event=on_event) as pico:
        on[:] = [OUTCOME]
        with pytest.raises(kind, match="enough"):
            pico.review_all(Rating.ok, journal=journal)
        counts = Journal(journal).counts()
        assert counts["rated"] == len(sandbox.ledger)
        on[:] = [REQUEST_DONE]
        with pytest.raises(kind, match="enough") as caught:
            pico.wallet.deposit(1000)
        assert "done all the same" in caught.value.__notes__[0]
        on.clear()
        assert pico.ping().ok


@ENDS
def test_what_ends_a_program_in_on_event_comes_out_of_the_block_of_a_batch(
    blocking: Make, sandbox: Sandbox, job_id: str, kind: type[BaseException]
) -> None:
    def on_event(event: Event) -> None:
        if event.event == OUTCOME:
            raise kind("enough")

    with blocking(on_event=on_event) as pico:
        with pytest.raises(kind, match="enough"), pico.review(Rating.ok) as outcomes:
            list(outcomes)
        assert pico.ping().ok


class Deadly(httpx.AsyncBaseTransport):
    def __init__(self, sandbox: Sandbox) -> None:
        self._inner = sandbox.transport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if "rate-" in str(request.url):
            raise SystemExit("dead")
        return await self._inner.handle_async_request(request)


def test_a_client_whose_loop_died_says_so_and_raises_what_it_died_of_when_it_is_closed(
    blocking: Make, sandbox: Sandbox, job_id: str
) -> None:
    before = set(threading.enumerate())

    def work() -> None:
        with blocking(transport=Deadly(sandbox)) as pico:
            with pytest.raises((ClientStateError, BaseExceptionGroup)):
                pico.review_all(Rating.ok)
            with pytest.raises(ClientStateError, match="nothing was sent: the client's thread has ended because"):
                pico.ping()

    with pytest.raises((SystemExit, BaseExceptionGroup)) as caught:
        work()
    assert "dead" in repr(caught.value)
    assert set(threading.enumerate()) <= before


def test_the_changes_that_a_watch_hears_of_may_come_from_a_plain_iterable(
    pico: Picoworkers, sandbox: Sandbox, job_id: str
) -> None:
    class Change:
        def __init__(self, job_id: str) -> None:
            self.job_id = job_id

    changed = threading.Event()

    def changes() -> Iterator[Change]:
        changed.wait(30)
        yield Change("another")
        yield Change(job_id)

    with pico.jobs.watch(job_id, every=3600, changes=changes()) as watch:
        assert next(watch).before is None
        sandbox.set_job_status(job_id, "finished")
        changed.set()
        assert next(watch).after.status == "finished"
