"""What importing the package brings along: nothing that a program may never use."""

import subprocess
import sys

import pytest

import picoworkers_async

PROGRAM = "import sys, picoworkers_async; print(*sys.modules)"


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The modules of a new interpreter that has imported the package."""
    command = [sys.executable, "-c", PROGRAM]
    return set(subprocess.run(command, capture_output=True, check=True, text=True).stdout.split())


@pytest.mark.parametrize(
    "heavy",
    [
        "anyio.lowlevel",
        "asyncio",
        "cattrs",
        "httpx",
        "httpx2",
        "platformdirs",
        "pyreqwest",
        "redis",
        "sqlite3",
        "starlette",
        "tenacity",
        "trio",
        "typing_extensions",
        "picoworkers_async.blocking",
        "picoworkers_async.cli",
        "picoworkers_async.console",
        "picoworkers_async.event_log",
        "picoworkers_async.events",
        "picoworkers_async.rating.pipeline",
        "picoworkers_async.sandbox",
        "picoworkers_async.sheets",
        "picoworkers_async.webhooks",
    ],
)
def test_what_is_heavy_is_loaded_when_it_is_first_used(loaded: set[str], heavy: str) -> None:
    assert heavy not in loaded


def test_the_client_is_loaded_with_the_package(loaded: set[str]) -> None:
    assert "picoworkers_async.client" in loaded


def test_every_public_name_is_there_and_nothing_else_looks_public() -> None:
    modules = {"client", "models", "rating", "throttle", "transport"}
    found = {name for name in vars(picoworkers_async) if not name.startswith("_")} | {"__version__"}
    assert set(picoworkers_async.__all__) <= found
    assert modules <= found
