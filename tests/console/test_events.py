"""News for a viewer: the newest, whole or in part, and nothing kept for one that reads slowly."""

from __future__ import annotations

import json
from contextlib import aclosing
from typing import Any

import anyio
import pytest

from picoworkers_async.console.events import EVERY_SECONDS, Shared, messages

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


class Changing:
    """Something that is asked, and how often it was."""

    def __init__(self) -> None:
        self.value = 0
        self.asked = 0

    async def parts(self, page: int = 1) -> dict[str, Any]:
        self.asked += 1
        return {"value": self.value, "fixed": "x"}


async def never() -> bool:
    return False


def read(message: bytes) -> Any:
    return json.loads(message.removeprefix(b"data: "))


async def test_who_reads_slowly_gets_the_newest_and_nothing_was_made_meanwhile() -> None:
    changing = Changing()
    async with aclosing(messages(changing.parts, never)) as news:
        assert await anext(news) == b"retry: 1000\n\n"
        assert read(await anext(news)) == {"value": 0, "fixed": "x"}
        for changing.value in range(1, 1001):
            await anyio.sleep(1)
        assert changing.asked == 1
        assert read(await anext(news)) == {"value": 1000}
        assert changing.asked == 2


async def test_a_viewer_is_told_four_times_a_second_at_most() -> None:
    changing = Changing()
    began, told = anyio.current_time(), 0
    async with aclosing(messages(changing.parts, never)) as news:
        async for message in news:
            told += message.startswith(b"data: ")
            changing.value += 1
            if told == 9:
                break
    assert anyio.current_time() - began >= 8 * EVERY_SECONDS


async def test_the_news_end_when_it_is_over() -> None:
    async def at_once() -> bool:
        return True

    assert [message async for message in messages(Changing().parts, at_once)] == [b"retry: 1000\n\n"]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.virtual_time(False)
async def test_viewers_share_what_is_shown() -> None:
    changing = Changing()
    shared = Shared(changing.parts)
    async with anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(shared.parts, 1)
    assert changing.asked == 1
    for page in range(2, 40):
        await shared.parts(page)
    assert changing.asked == 39
