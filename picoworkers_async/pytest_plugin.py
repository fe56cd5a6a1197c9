"""Pytest fixtures: a fresh sandbox of each edition, and a client of it, for each test that names them.

pytest loads this module in every run of every program that has the package installed, so it imports nothing else
until a fixture is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from . import AsyncPicoworkers
    from .sandbox import Sandbox


@pytest.fixture
def picoworkers_sandbox() -> Sandbox:
    """The 2022 edition in memory, empty; see `picoworkers_async.sandbox.Sandbox`."""
    return _sandbox("picoworkers")


@pytest.fixture
def sproutgigs_sandbox() -> Sandbox:
    """Today's edition, SproutGigs, in memory, empty; see `picoworkers_async.sandbox.Sandbox`."""
    return _sandbox("sproutgigs")


# Asynchronous fixtures run with anyio's plugin, and with pytest-asyncio in its mode "auto".
@pytest.fixture
async def picoworkers_client(picoworkers_sandbox: Sandbox) -> AsyncIterator[AsyncPicoworkers]:
    """A client of `picoworkers_sandbox`, entered, without a pace."""
    async with picoworkers_sandbox.client() as pico:
        yield pico


@pytest.fixture
async def sproutgigs_client(sproutgigs_sandbox: Sandbox) -> AsyncIterator[AsyncPicoworkers]:
    """A client of `sproutgigs_sandbox`, entered, without a pace."""
    async with sproutgigs_sandbox.client() as pico:
        yield pico


def _sandbox(edition: str) -> Sandbox:
    try:
        from .sandbox import Sandbox
    except ImportError as error:
        pytest.fail(f"The fixture {edition}_sandbox: {error}", pytrace=False)
    return Sandbox(edition=edition)
