"""A journal of each kind: in a file, and in a real PostgreSQL that the first test of a process starts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import Server

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A server; each journal in it has a name of its own."""
    server = Server()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def address(postgres: Server) -> str:
    """The address of a journal that is not there yet."""
    return f"{postgres.url('postgres')}?journal=journal_{next(_NUMBERS)}"


@pytest.fixture(params=["a file", "PostgreSQL"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """What names a journal of either kind that is not there yet."""
    return str(tmp_path / "ratings.db") if request.param == "a file" else request.getfixturevalue("address")
