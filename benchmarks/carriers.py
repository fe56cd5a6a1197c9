"""The libraries that the fast adapter could have been built on, each as a context that gives `send`.

`send(method, url)` sends one request with the body of a rating (a POST) or none, and reads its answer. A way other
than `ours` and `aiohttp` needs its package: `pyreqwest`, `wreq`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from ratings import body_of, ratings

from picoworkers_async.credentials import credentials
from picoworkers_async.throttle import Throttle
from picoworkers_async.transport.asyncio_adapter import AsyncioAdapter

CONTENT = json.dumps(body_of(ratings(1)[0]), separators=(",", ":")).encode()
HEADERS = {
    "Authorization": credentials("user_id", "api_secret").authorization(),
    "Content-Type": "application/json",
}

Send = Callable[[str, str], Awaitable[Any]]


@asynccontextmanager
async def ours(url: str) -> AsyncIterator[Send]:
    """With a permit for each request, as a call has one."""
    login, throttle = credentials("user_id", "api_secret"), Throttle(1 << 20)
    adapter = AsyncioAdapter(url, login, user_agent="benchmark", timeout=30.0, max_bytes=1 << 20)

    async def send(method: str, url: str) -> Any:
        permit = await throttle.acquire()
        try:
            response = await adapter.send(method, url, CONTENT if method == "POST" else None, permit)
        finally:
            permit.release()
        return json.loads(response.body)

    try:
        yield send
    finally:
        await adapter.aclose()


@asynccontextmanager
async def aiohttp(_: str) -> AsyncIterator[Send]:
    import aiohttp

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        headers=HEADERS, connector=connector, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:

        async def send(method: str, url: str) -> Any:
            async with session.request(method, url, data=CONTENT if method == "POST" else None) as answer:
                return json.loads(await answer.read())

        yield send


@asynccontextmanager
async def pyreqwest(_: str) -> AsyncIterator[Send]:
    from pyreqwest.client import ClientBuilder

    async with ClientBuilder().build() as client:

        async def send(method: str, url: str) -> Any:
            request = client.request(method, url).headers(HEADERS)
            if method == "POST":
                request = request.body_bytes(CONTENT)
            return json.loads(bytes(await (await request.build().send()).bytes()))

        yield send


@asynccontextmanager
async def wreq(_: str) -> AsyncIterator[Send]:
    from wreq import Client, Method

    client = Client()

    async def send(method: str, url: str) -> Any:
        body = {"body": CONTENT} if method == "POST" else {}
        answer = await client.request(getattr(Method, method), url, headers=HEADERS, **body)
        return json.loads(bytes(await answer.bytes()))

    yield send


WAYS: dict[str, Callable[[str], AbstractAsyncContextManager[Send]]] = {
    way.__name__: way for way in (ours, aiohttp, pyreqwest, wreq)
}
