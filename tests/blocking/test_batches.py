"""Batches as plain context managers and iterators; `decide` and generators that block."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from picoworkers_async import (
    ClientStateError,
    InvalidRequestError,
    Job,
    Journal,
    OutcomeStatus,
    ProblemCode,
    Rating,
    SharedTransport,
    Task,
)
from picoworkers_async.blocking import Picoworkers
from picoworkers_async.sandbox import Sandbox

Make = Callable[..., Picoworkers]


def test_a_batch_is_a_block_and_an_iterator(pico: Picoworkers, sandbox: Sandbox, job_id: str) -> None:
    ratings = [Rating.ok(task) for task in pico.jobs.iter_unrated_tasks()]
    with pico.rate(ratings) as outcomes:
        statuses = [outcome.status for outcome in outcomes]
        assert outcomes.progress().rated == 30
        assert outcomes.spend().ratings == 30
        assert outcomes.report().rated == 30
    assert statuses == [OutcomeStatus.RATED] * 30
    assert sandbox.unrated() == []


def test_ratings_may_come_from_a_generator_that_uses_the_client(
    pico: Picoworkers, sandbox: Sandbox, job_id: str
) -> None:
    threads = set()

    def judged() -> Iterator[Rating]:
        for task in list(pico.jobs.iter_unrated_tasks()):
            threads.add(threading.current_thread())
            yield Rating.ok(task)

    assert pico.rate_all(judged()).rated == 30
    assert threading.main_thread() not in threads
    assert sandbox.double_ratings == 0


def test_what_a_generator_raises_comes_out_with_the_report(pico: Picoworkers, job_id: str) -> None:
    def broken() -> Iterator[Rating]:
        yield Rating.ok(next(pico.jobs.iter_unrated_tasks()))
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more") as caught:
        pico.rate_all(broken())
    assert caught.value.report.rated == 1  # type: ignore[attr-defined]


def test_a_plain_decide_may_block_and_use_the_client_and_is_called_once_at_a_time(
    pico: Picoworkers, sandbox: Sandbox, job_id: str
) -> None:
    running = threading.Lock()

    def decide(task: Task, job: Job) -> Rating:
        assert running.acquire(blocking=False)
        try:
            assert pico.jobs.get_job(job.id).id == job_id
            return Rating.ok(task)
        finally:
            running.release()

    assert pico.review_all(decide).rated == 30
    assert sandbox.unrated() == []


def test_with_deciding_a_plain_decide_is_called_for_so_many_tasks_at_once(pico: Picoworkers, job_id: str) -> None:
    together = threading.Barrier(3)

    def decide(task: Task) -> Rating:
        together.wait(30)
        return Rating.ok(task)

    assert pico.review_all(decide, deciding=3).rated == 30


def test_a_decide_may_be_async_or_asked_for_in_the_loop(pico: Picoworkers, job_id: str) -> None:
    async def decide(task: Task) -> Rating | None:
        return Rating.ok(task) if int(task.id, 16) % 2 else None

    def at_once(task: Task) -> Rating:
        with pytest.raises(ClientStateError, match="client's own thread"):
            pico.ping()
        return Rating.ok(task)

    first = pico.review_all(decide)
    second = pico.review_all(at_once, threads=False)
    assert first.rated + second.rated == 30


def test_tasks_may_come_from_a_generator_that_uses_the_client(pico: Picoworkers, job_id: str) -> None:
    tasks = (task for task in list(pico.jobs.iter_unrated_tasks())[:7])
    assert pico.review_all(Rating.ok, tasks=tasks).rated == 7


def test_a_batch_is_stopped_from_its_decide(pico: Picoworkers, sandbox: Sandbox, job_id: str) -> None:
    asked = 0

    def decide(task: Task) -> Rating:
        nonlocal asked
        asked += 1
        if asked == 5:
            outcomes.stop()
        return Rating.ok(task)

    with pico.review(decide) as outcomes:
        seen = list(outcomes)
    assert len(seen) <= 5
    assert len(sandbox.unrated()) == 30 - len(seen)


def test_a_batch_that_is_left_early_leaves_nothing_behind(
    blocking: Make, sandbox: Sandbox, job_id: str, tmp_path: Path
) -> None:
    journal = tmp_path / "ratings.db"
    before = set(threading.enumerate())
    with blocking() as pico:
        with pico.review(Rating.ok, journal=journal) as outcomes:
            for _ in outcomes:
                break
        assert Journal(journal).counts()["rated"] == len(sandbox.ledger)
        pico.review_all(Rating.ok, journal=journal)
    assert len(sandbox.ledger) == 30
    # The worker threads in which tasks were decided end with the loop.
    for thread in set(threading.enumerate()) - before:
        # Told to end by then; it may take the machine a moment.
        thread.join(10)
    assert set(threading.enumerate()) <= before
    assert sandbox.double_ratings == 0


def test_what_ends_the_block_comes_out_as_it_is(pico: Picoworkers, job_id: str) -> None:
    error = LookupError("mine")
    with pytest.raises(LookupError) as caught, pico.review(Rating.ok):
        raise error
    assert caught.value is error
    assert pico.ping().ok


def test_a_batch_is_used_inside_its_block_and_says_so_in_words_that_block(pico: Picoworkers) -> None:
    batch = pico.rate([])
    with pytest.raises(ClientStateError, match=r"`with pico\.rate") as caught:
        list(batch)
    assert "async" not in str(caught.value)
    with batch, pytest.raises(ClientStateError, match="entered once"):
        batch.__enter__()


def test_a_batch_whose_client_is_closed_has_a_right_journal(
    blocking: Make, sandbox: Sandbox, job_id: str, tmp_path: Path
) -> None:
    journal = tmp_path / "ratings.db"

    def work(pico: Picoworkers) -> None:
        with pico.review(Rating.ok, journal=journal) as outcomes:
            next(outcomes)
            pico.close()
            with pytest.raises(ClientStateError, match="is closed"):
                next(outcomes)

    with blocking() as pico, pytest.raises(ClientStateError, match="closed while this was under way"):
        work(pico)
    assert Journal(journal).counts()["rated"] == len(sandbox.ledger)
    with blocking(transport=sandbox.transport()) as pico:
        pico.review_all(Rating.ok, journal=journal)
    assert len(sandbox.ledger) == 30
    assert sandbox.double_ratings == 0


def test_the_report_is_known_after_the_blocks_were_interrupted(
    blocking: Callable[..., Picoworkers], sandbox: Sandbox, job_id: str
) -> None:
    try:
        with blocking() as pico, pico.review(Rating.ok, grace=0) as batch:
            for _ in batch:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        report = batch.report()
        progress = batch.progress()
    assert report.rated == progress.rated > 0
    assert batch.spend().bonus == report.bonus
    assert batch.report() == report, "its time stands still"


def test_a_batch_that_was_never_entered_says_how_to_report_in_blocking_words(
    blocking: Callable[..., Picoworkers],
) -> None:
    with blocking() as pico:
        batch = pico.rate([])
    for ask in (batch.report, batch.progress):
        with pytest.raises(ClientStateError, match=r"inside the block: `with pico\.rate"):
            ask()


def test_a_shared_transport_is_refused_when_a_blocking_client_is_made() -> None:
    with pytest.raises(InvalidRequestError, match="not for the blocking client") as caught:
        Picoworkers("user_id", "api_secret", transport=SharedTransport())
    (problem,) = caught.value.problems
    assert (problem.field, problem.code) == ("transport", ProblemCode.CONFLICT)
    trace = caught.value.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.endswith("making.py"):
            assert "api_secret" not in str(trace.tb_frame.f_locals)
        trace = trace.tb_next
