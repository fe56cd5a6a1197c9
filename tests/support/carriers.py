"""A client for each way in which requests are carried: our own over each transport, and those of the user's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import httpx2
import pytest

from picoworkers_async import AsyncPicoworkers, RetryPolicy
from tests.support.packages import without_httpx

CARRIERS = ("lanes-asyncio", "lanes-trio", "fast-asyncio", "transport-asyncio", "httpx-asyncio", "httpx-trio")
CARRIERS += ("lanes2-asyncio", "transport2-asyncio", "httpx2-asyncio", "httpx2-trio")

# A test marked with this runs over each of them, on the backend that its name ends with.
over_each_carrier = pytest.mark.parametrize(
    ("carrier", "anyio_backend"), [(name, name.rpartition("-")[2]) for name in CARRIERS], ids=CARRIERS
)


@asynccontextmanager
async def carried(
    carrier: str, url: str, monkeypatch: pytest.MonkeyPatch, **options: Any
) -> AsyncIterator[AsyncPicoworkers]:
    """A client of `url` whose requests go the way that the name before the dash says, each of them once."""
    kind = carrier.partition("-")[0]
    options.setdefault("retry", RetryPolicy(attempts=1))
    if kind.startswith("lanes"):
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    if kind == "lanes2":
        without_httpx(monkeypatch)
    if kind.startswith("transport"):
        options["transport"] = (httpx2 if kind.endswith("2") else httpx).AsyncHTTPTransport()
    shared = {"httpx": httpx.AsyncClient, "httpx2": httpx2.AsyncClient}.get(kind)
    if shared is None:
        async with AsyncPicoworkers("user_id", "api_secret", base_url=url, **options) as pico:
            yield pico
        return
    async with shared() as client:
        pico = AsyncPicoworkers("user_id", "api_secret", base_url=url, http_client=client, **options)
        async with pico:
            yield pico
