"""The event loop's clock."""

from __future__ import annotations

from collections.abc import Callable

import anyio


def event_loop_clock() -> Callable[[], float]:
    """A function that returns the time of the running event loop, as `anyio.current_time` does.

    That finds out at each call which loop runs, which takes a microsecond; this does so once.
    """
    import asyncio  # 10 ms of the time to import us, and loaded already where an event loop of it runs

    if anyio.get_cancelled_exc_class() is asyncio.CancelledError:
        return asyncio.get_running_loop().time
    return anyio.current_time
