"""What all tests share."""

from __future__ import annotations

import pytest

from picoworkers_async import AsyncPicoworkers, RetryPolicy
from picoworkers_async.sandbox import Sandbox


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def connect():
    """A client of a sandbox in process, that does not wait long before it tries again."""

    def make(sandbox: Sandbox, **options) -> AsyncPicoworkers:
        options.setdefault("retry", RetryPolicy(initial=0.001, maximum=0.01))
        return AsyncPicoworkers("user_id", "api_secret", transport=sandbox.transport(), **options)

    return make
