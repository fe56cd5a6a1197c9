"""What the tests of pacers share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.valkey import Server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a pacer keeps its state: a path, or a URL."""
    if request.param == "sqlite":
        yield str(tmp_path / "pace.db")
    else:
        server = Server(tmp_path)
        server.start()
        yield server.url
        server.stop()
