"""The event loop's clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import anyio

_running_loop = asyncio.get_running_loop


def event_loop_clock() -> Callable[[], float]:
    """What tells the time of the running event loop, as `anyio.current_time` does.

    That finds out at each call which loop runs, which takes it a microsecond; this does so once.
    """
    if anyio.get_cancelled_exc_class() is asyncio.CancelledError:
        return asyncio.get_running_loop().time
    return anyio.current_time


def loop_time() -> float:
    """The time of the event loop that runs now, for what may meet several loops, without `anyio`'s microsecond."""
    try:
        return _running_loop().time()
    except RuntimeError:
        return anyio.current_time()
