"""The event loop's clock."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop


def event_loop_clock() -> Callable[[], float]:
    """What tells the time of the running event loop, as `anyio.current_time` does.

    That finds out at each call which loop runs, which takes it a microsecond; this does so once.
    """
    import asyncio  # 10 ms of the time to import us, and loaded already where an event loop of it runs

    if anyio.get_cancelled_exc_class() is asyncio.CancelledError:
        return asyncio.get_running_loop().time
    return anyio.current_time


def loop_time() -> float:
    """The time of the event loop that runs now, for what may meet several loops, without `anyio`'s microsecond."""
    try:
        return _running_loop()().time()
    except RuntimeError:
        return anyio.current_time()


@functools.cache
def _running_loop() -> Callable[[], AbstractEventLoop]:
    import asyncio  # as above

    return asyncio.get_running_loop
