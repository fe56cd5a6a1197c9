"""The pytest fixture `picoworkers_sandbox`: a fresh sandbox for each test that names it.

pytest loads this module in every run of every program that has the package installed, so it imports nothing else
until the fixture is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .sandbox import Sandbox


@pytest.fixture
def picoworkers_sandbox() -> Sandbox:
    """The service in memory, empty; see `picoworkers_async.sandbox.Sandbox`."""
    try:
        from .sandbox import Sandbox
    except ImportError as error:
        pytest.fail(f"The fixture picoworkers_sandbox: {error}", pytrace=False)
    return Sandbox()
