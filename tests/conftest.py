"""What all tests share."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import httpx
import httpx2
import hypothesis
import pytest

from picoworkers_async import AsyncPicoworkers, Edition, RetryPolicy, Throttle
from picoworkers_async.editions import EDITIONS
from picoworkers_async.sandbox import Sandbox
from tests.support.packages import without_httpx
from tests.support.virtual_time import virtual

# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("busy", deadline=None)
hypothesis.settings.load_profile("busy")


PACKAGES = {"httpx": httpx, "httpx2": httpx2}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--http",
        choices=tuple(PACKAGES),
        default="httpx",
        help="the package that every test's clients and transports are of; those marked each_package run on both",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    # A carrier says by its name what it is of.
    if metafunc.definition.get_closest_marker("each_package") and "carrier" not in metafunc.fixturenames:
        metafunc.parametrize("http_package", PACKAGES, indirect=True)


@pytest.fixture(autouse=True)
def http_package(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The HTTP package of a test: of our own clients, of sandboxes in process, and its module's name `httpx`."""
    package = PACKAGES[getattr(request, "param", request.config.getoption("--http"))]
    if package is httpx2:
        without_httpx(monkeypatch)
        if hasattr(request.module, "httpx"):
            monkeypatch.setattr(request.module, "httpx", httpx2)
    return package


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Both backends; on virtual time for tests marked `virtual_time`, unless marked `virtual_time(False)`."""
    marker = request.node.get_closest_marker("virtual_time")
    if marker is None or marker.args == (False,):
        yield request.param
        return
    with virtual(request.param) as backend:
        yield backend


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test looks up a host beyond this machine, whatever went wrong in it."""
    look_up = socket.getaddrinfo

    def guarded(host, *arguments, **options):
        name = host.decode() if isinstance(host, bytes) else host
        if name not in ("127.0.0.1", "localhost", "::1", None):
            raise AssertionError(f"a test tried to reach {name}")
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", guarded)


@pytest.fixture(params=["picoworkers", "sproutgigs"])
def edition(request: pytest.FixtureRequest) -> Edition:
    """Each edition of the service: one that rates task by task, and one that rates many at once."""
    return EDITIONS[request.param]


@pytest.fixture
def connect():
    """A client of a sandbox in process, that does not wait long before it tries again."""

    def make(sandbox: Sandbox, **options) -> AsyncPicoworkers:
        options.setdefault("retry", RetryPolicy(initial=0.001, maximum=0.01))
        options.setdefault("throttle", Throttle())
        options.setdefault("edition", sandbox.edition)
        return AsyncPicoworkers("user_id", "api_secret", transport=sandbox.transport(), **options)

    return make
