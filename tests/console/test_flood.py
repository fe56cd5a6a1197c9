"""Too many viewers, viewers that never read, and pages of other sites."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from picoworkers_async.console.site import MOST_VIEWERS, PATIENCE_SECONDS, Site
from picoworkers_async.sandbox import Sandbox
from picoworkers_async.sandbox.board import SandboxBoard

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]
EVENTS = "/_console/events"


def a_site() -> Site:
    return Site(SandboxBoard(Sandbox()._delivery))


def asked(path: str, method: str = "GET", **headers: str) -> dict[str, Any]:
    pairs = {"host": "127.0.0.1", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in pairs.items()],
        "server": ("127.0.0.1", 80),
    }


async def status_of(site: Site, request: dict[str, Any]) -> int:
    """That of an answer which comes to its end."""
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    with anyio.fail_after(5):
        await site(request, anyio.sleep_forever, send)
    return told[0]["status"]


async def test_of_many_viewers_who_come_at_once_no_more_get_in_than_there_is_room_for() -> None:
    site, told = a_site(), []

    async def send(message: Any) -> None:
        await anyio.lowlevel.checkpoint()
        if message["type"] == "http.response.start":
            told.append(message["status"])

    async with anyio.create_task_group() as group:
        for _ in range(100):
            group.start_soon(site, asked(EVENTS), anyio.sleep_forever, send)
        await anyio.sleep(1)
        assert sorted(told) == [200] * MOST_VIEWERS + [503] * (100 - MOST_VIEWERS)
        site.close()
    assert site._viewers == 0


async def test_a_viewer_that_never_reads_makes_room_for_another() -> None:
    site, began = a_site(), anyio.current_time()

    async def stuck(message: Any) -> None:
        if message.get("body"):
            await anyio.sleep_forever()

    async with anyio.create_task_group() as group:
        for _ in range(MOST_VIEWERS):
            group.start_soon(site, asked(EVENTS), anyio.sleep_forever, stuck)
        await anyio.sleep(1)
        assert await status_of(site, asked(EVENTS)) == 503
    assert anyio.current_time() - began == pytest.approx(PATIENCE_SECONDS, abs=1)
    assert site._viewers == 0


async def test_who_asks_for_the_headers_of_the_news_keeps_no_place() -> None:
    site = a_site()
    assert await status_of(site, asked(EVENTS, "HEAD")) == 404
    assert site._viewers == 0


@pytest.mark.parametrize("site_of_it", ["cross-site", "same-site"])
async def test_pages_of_other_sites_cannot_fetch_anything_but_link_here(site_of_it: str) -> None:
    site = a_site()
    for path in ("/", EVENTS, "/_console/console.js"):
        for mode, dest in (("cors", "empty"), ("no-cors", "image"), ("navigate", "iframe")):
            headers = {"sec_fetch_site": site_of_it, "sec_fetch_mode": mode, "sec_fetch_dest": dest}
            assert await status_of(site, asked(path, **headers)) == 403
    by_link = {"sec_fetch_site": site_of_it, "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert await status_of(site, asked("/", **by_link)) == 200
    assert await status_of(site, asked("/", sec_fetch_site="none")) == 200
