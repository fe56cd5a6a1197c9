"""Errors come out of a real Celery worker as what they were; or as less than that, and never as a lie."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from picoworkers_async import AsyncPicoworkers, Effect, Fate, OutcomeUnknownError, PicoworkersError
from picoworkers_async.sandbox import Faults, Sandbox
from tests.support import celery_program
from tests.support.valkey import Server
from tests.test_pickling import attributes

pytestmark = [pytest.mark.anyio, pytest.mark.story]
ROOT = Path(__file__).parent.parent
SECONDS = 60


@contextmanager
def working(folder: Path, serializer: str, pool: str) -> Iterator[Any]:
    """An application, and a worker of it in other processes."""
    server = Server(folder)
    server.start()
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "C_FORCE_ROOT": "1",
        celery_program.BROKER: server.url,
        celery_program.SERIALIZER: serializer,
    }
    options = ["--concurrency", "2", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    command = [sys.executable, "-m", "celery", "-A", celery_program.__name__, "worker", "--pool", pool, *options]
    with (folder / "worker.log").open("w") as log:
        worker = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    app = celery_program.make_app(server.url, serializer)
    try:
        yield app
    finally:
        # It began a session, so that its pool ends with it whatever happened.
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        app.close()
        server.stop()


def raised(result: Any) -> BaseException:
    """What a task raised, as the process that asked for it gets to see it."""
    got = result.get(timeout=SECONDS, propagate=False)
    assert isinstance(got, BaseException)
    return got


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_with_pickled_results_every_error_is_what_it_was_and_a_lost_post_can_be_settled(
    tmp_path: Path,
) -> None:
    sandbox = Sandbox(balance=1000, faults=Faults(cut_after=1.0))
    with working(tmp_path, "pickle", "prefork") as app:
        async with sandbox.serve() as url:
            lost = app.tasks["post_job"].delay(url)
            results = {kind: app.tasks["fail"].delay(kind) for kind in celery_program.KINDS}
            for kind, result in results.items():
                ours, there = celery_program.KINDS[kind], await anyio.to_thread.run_sync(raised, result)
                assert type(there) is type(ours)
                assert (str(there), there.fate) == (str(ours), ours.fate)
                assert attributes(there) == attributes(ours)
            error = await anyio.to_thread.run_sync(raised, lost)
            assert isinstance(error, OutcomeUnknownError)
            assert error.fate is Fate.UNKNOWN
            sandbox.faults = Faults()
            async with AsyncPicoworkers("user_id", "api_secret", base_url=url) as pico:
                assert (await pico.settle(error)).effect is Effect.TOOK_EFFECT
    assert len(sandbox.ledger) == 1


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_with_results_in_json_an_error_may_lose_its_class_never_its_text_and_never_claims_more_than_it_knew(
    tmp_path: Path,
) -> None:
    sandbox = Sandbox(balance=1000, faults=Faults(cut_after=1.0))
    kept = set()
    with working(tmp_path, "json", "solo") as app:
        async with sandbox.serve() as url:
            lost = app.tasks["post_job"].delay(url)
            results = {kind: app.tasks["fail"].delay(kind) for kind in celery_program.KINDS}
            for kind, result in results.items():
                ours, there = celery_program.KINDS[kind], await anyio.to_thread.run_sync(raised, result)
                if isinstance(there, PicoworkersError):
                    kept.add(kind)
                    assert (type(there), str(there)) == (type(ours), str(ours))
                    assert there.fate in (ours.fate, Fate.UNKNOWN)
                else:
                    assert type(there) is Exception
                    assert f"{type(ours).__module__}.{kind}" in str(there)
                    assert repr(str(ours)) in str(there)
            error = await anyio.to_thread.run_sync(raised, lost)
    fleets = {"BrokerError", "DeciderError"}
    assert kept == {"PicoworkersError", "ClientStateError", "PacerError", "SubmittedError"} | fleets
    assert "OutcomeUnknownError" in str(error)
    assert "may have taken effect" in str(error)
    assert not hasattr(error, "fate")
