"""Single calls and listings through a blocking client: in one thread, in many, and in the wrong one."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from picoworkers_async import (
    AsyncPicoworkers,
    ClientStateError,
    Edition,
    Effect,
    InvalidRequestError,
    Job,
    NotFoundError,
    OutcomeUnknownError,
    Rating,
    RefusedError,
    RetryPolicy,
    Throttle,
    sheets,
)
from picoworkers_async.blocking import Jobs, Picoworkers
from picoworkers_async.events import Event
from picoworkers_async.sandbox import Faults, Sandbox

Make = Callable[..., Picoworkers]


def test_calls_give_the_models_of_the_asynchronous_client(pico: Picoworkers, job_id: str) -> None:
    job = pico.jobs.get_job(job_id)
    assert type(job) is Job
    assert job.id == job_id
    assert isinstance(pico.jobs, Jobs)
    assert pico.users.get_balances().spendable == Decimal(1000)
    assert pico.ping().ok
    assert type(pico.edition) is Edition
    assert type(pico.throttle) is Throttle
    assert pico.request("GET", "jobs/get-job.php", {"job_id": job_id})["id"] == job_id


def test_an_async_function_runs_in_its_loop_and_gives_what_it_returns(
    pico: Picoworkers, job_id: str, tmp_path: Path
) -> None:
    async def title_of(inner: AsyncPicoworkers, job_id: str, *, end: str) -> str:
        return (await inner.jobs.get_job(job_id)).title + end

    assert pico.call(title_of, job_id, end="!") == pico.jobs.get_job(job_id).title + "!"
    assert pico.call(sheets.export, tmp_path / "tasks.csv", job_id=job_id).rows == 30
    with pytest.raises(NotFoundError):
        pico.call(title_of, "nowhere", end="")


def test_what_needs_the_asynchronous_client_says_so_at_once(pico: Picoworkers, tmp_path: Path) -> None:
    sheet = tmp_path / "tasks.csv"
    with pytest.raises(InvalidRequestError, match=r"pico\.call\(sheets\.export, \.\.\.\)"):
        sheets.export(pico, sheet)  # type: ignore[arg-type]
    sheet.write_text("JOB_ID,TASK_ID,SATISFIED\nj,t,x\n")
    with pytest.raises(InvalidRequestError, match=r"pico\.call\(sheets\.compare, \.\.\.\)"):
        sheets.compare(pico, sheets.read(sheet))  # type: ignore[arg-type]


def test_listings_are_iterators(pico: Picoworkers, sandbox: Sandbox, job_id: str) -> None:
    assert {task.id for task in pico.jobs.iter_unrated_tasks(job_id=job_id)} == set(sandbox.unrated())
    assert len(pico.jobs.iter_unrated_tasks().collect()) == 30
    assert [len(page.items) for page in pico.jobs.iter_unrated_tasks().pages()] == [20, 10]


def test_a_loop_over_pages_that_is_left_early_has_closed_the_generator_by_the_next_call(
    pico: Picoworkers, job_id: str
) -> None:
    pages = pico.jobs.iter_unrated_tasks().pages()
    inner = None
    for _ in pages:
        inner = pages.gi_frame.f_locals["items"]  # type: ignore[attr-defined]
        break
    pages.close()  # type: ignore[attr-defined]
    assert pico.ping().ok
    assert inner.ag_frame is None


def test_options_are_shared_with_the_block(pico: Picoworkers, job_id: str) -> None:
    other = pico.with_options(timeout=5)
    assert other.jobs.get_job(job_id).id == job_id
    assert type(other) is Picoworkers
    with pytest.raises(ClientStateError, match="many threads at once"):
        other.__enter__()


def test_a_class_of_ones_own_stays_what_it_is(sandbox: Sandbox) -> None:
    class Ours(Picoworkers):
        def money(self) -> Decimal:
            return self.users.get_balances().spendable

    with Ours("user_id", "api_secret", transport=sandbox.transport()) as pico:
        assert pico.with_options(timeout=5).money() == Decimal(1000)


def test_the_environment_makes_a_blocking_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICOWORKERS_USER_ID", "from_env")
    monkeypatch.setenv("PICOWORKERS_API_SECRET", "api_secret")
    pico = Picoworkers.from_env(timeout=3)
    assert type(pico) is Picoworkers
    assert repr(pico).startswith("Picoworkers(user_id='from_env'")


def test_bad_arguments_are_refused_as_by_the_asynchronous_client() -> None:
    with pytest.raises(InvalidRequestError, match="timeout"):
        Picoworkers("user_id", "api_secret", timeout=-1)


def test_an_error_comes_with_its_class_and_its_traceback(pico: Picoworkers) -> None:
    with pytest.raises(NotFoundError) as caught:
        pico.jobs.get_job("missing")
    assert isinstance(caught.value, RefusedError)
    frames = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert frames[0] == "test_an_error_comes_with_its_class_and_its_traceback"
    assert {"get_job", "exchange"} <= set(frames)


def test_a_lost_answer_can_be_settled(blocking: Make, sandbox: Sandbox) -> None:
    with blocking(settle_after=0.1, retry=RetryPolicy(attempts=1)) as pico:
        pico.users.get_balances()
        sandbox.faults = Faults(cut_after=1.0)
        with pytest.raises(OutcomeUnknownError) as caught:
            pico.wallet.deposit(1000)
        sandbox.faults = Faults()
        assert pico.settle(caught.value).effect is Effect.TOOK_EFFECT


def test_the_thread_ends_with_the_block(blocking: Make) -> None:
    before = set(threading.enumerate())
    with blocking() as pico:
        assert len(set(threading.enumerate()) - before) == 1
    assert set(threading.enumerate()) <= before
    with pytest.raises(ClientStateError, match="the client is closed; make a new Picoworkers, and use it inside"):
        pico.ping()
    with pytest.raises(ClientStateError, match="this one is closed: make a new Picoworkers"):
        pico.__enter__()
    pico.close()


def test_before_its_block_a_client_says_how_to_use_it(blocking: Make) -> None:
    pico = blocking()
    with pytest.raises(ClientStateError, match=r"inside `with Picoworkers\(...\) as pico:`"):
        pico.ping()
    pico.close()
    with pytest.raises(ClientStateError, match="this one is closed"):
        pico.__enter__()


def test_eight_threads_use_one_client(sandbox: Sandbox, url: str, job_id: str) -> None:
    throttle = Throttle(max_concurrency=4)
    with (
        Picoworkers("user_id", "api_secret", base_url=url, throttle=throttle) as pico,
        ThreadPoolExecutor(8) as threads,
    ):

        def work(_: int) -> int:
            assert pico.jobs.get_job(job_id).id == job_id
            return sum(1 for _ in pico.jobs.iter_unrated_tasks(job_id=job_id))

        assert list(threads.map(work, range(24))) == [30] * 24
    assert sandbox.peak_concurrency <= 4


def test_it_works_where_an_event_loop_runs(blocking: Make, job_id: str, anyio_backend_name: str) -> None:
    async def notebook() -> str:
        with blocking() as pico:
            assert pico.review_all(Rating.ok, tasks=iter(list(pico.jobs.iter_unrated_tasks()))).rated == 30
            return pico.jobs.get_job(job_id).id

    assert anyio.run(notebook, backend=anyio_backend_name) == job_id


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend_name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_a_call_from_its_own_thread_raises_at_once(blocking: Make, sandbox: Sandbox) -> None:
    errors = []

    def on_event(event: Event) -> None:
        for call in (pico.ping, pico.close):
            try:
                call()
            except ClientStateError as error:
                errors.append(error)

    with blocking(on_event=on_event) as pico:
        pico.users.get_balances()
    assert len(errors) == 2
    assert "would wait for itself" in str(errors[0])


def test_what_is_under_way_when_the_client_is_closed_says_what_became_of_it(
    blocking: Make, sandbox: Sandbox, job_id: str
) -> None:
    sandbox.latency = 30.0
    errors: dict[str, Exception] = {}

    def call(name: str, function: Callable[[], object]) -> None:
        try:
            function()
        except Exception as error:
            errors[name] = error

    with blocking() as pico:
        calls = {"read": lambda: pico.jobs.get_job(job_id), "money": lambda: pico.wallet.deposit(1000)}
        threads = [threading.Thread(target=call, args=named) for named in calls.items()]
        for thread in threads:
            thread.start()
        while sandbox.peak_concurrency < 2:
            pass
    for thread in threads:
        thread.join(30)
    assert type(errors["read"]) is ClientStateError
    assert isinstance(errors["money"], OutcomeUnknownError)
    assert errors["money"].sent is not None
    assert "closed while this was under way" in str(errors["money"])


def test_a_watch_gives_what_changed(pico: Picoworkers, sandbox: Sandbox, job_id: str) -> None:
    updates = iter(pico.jobs.watch(job_id, every=0.01))
    assert next(updates).before is None
    sandbox.set_job_status(job_id, "finished")
    assert next(updates).after.status == "finished"
    assert list(updates) == []


def test_a_watch_is_a_block_too(pico: Picoworkers, job_id: str) -> None:
    with pico.jobs.watch(job_id) as watch:
        assert next(watch).after.id == job_id


def test_the_asynchronous_client_is_not_touched() -> None:
    assert AsyncPicoworkers.__name__ == "AsyncPicoworkers"
    assert "__enter__" not in vars(AsyncPicoworkers)
