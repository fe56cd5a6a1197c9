"""The pytest fixture `picoworkers_sandbox`: a fresh sandbox for each test that names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .sandbox import Sandbox


@pytest.fixture
def picoworkers_sandbox() -> Sandbox:
    """The service in memory, empty; see `picoworkers_async.sandbox.Sandbox`."""
    from .sandbox import Sandbox

    return Sandbox()
