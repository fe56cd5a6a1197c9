"""Blocking clients of a sandbox: in process, or over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from anyio.from_thread import start_blocking_portal

from picoworkers_async import RetryPolicy, Throttle
from picoworkers_async.blocking import Picoworkers
from picoworkers_async.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture
def job_id(sandbox: Sandbox) -> str:
    """A job with 30 tasks that wait to be rated."""
    job_id = sandbox.add_job(num_tasks=100)
    sandbox.add_tasks(job_id, 30)
    return job_id


@pytest.fixture
def blocking(sandbox: Sandbox) -> Callable[..., Picoworkers]:
    """Makes clients of the sandbox in process, still to be entered."""

    def make(**options) -> Picoworkers:
        options.setdefault("throttle", Throttle())
        options.setdefault("transport", sandbox.transport())
        options.setdefault("retry", RetryPolicy(initial=0.001, maximum=0.01))
        return Picoworkers("user_id", "api_secret", **options)

    return make


@pytest.fixture
def pico(blocking: Callable[..., Picoworkers]) -> Iterator[Picoworkers]:
    with blocking() as pico:
        yield pico


@pytest.fixture
def url(sandbox: Sandbox) -> Iterator[str]:
    """Where the sandbox is served over real HTTP."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(sandbox.serve()) as url:
        yield url
