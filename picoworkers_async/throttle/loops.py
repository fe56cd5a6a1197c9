"""The event loops that share a throttle: one clock for all, and a bell for each.

A throttle's state is changed under one lock, in steps that never wait. Whatever waits does so in its own event
loop, for some time or until its bell is rung. Another loop's bell is posted to it, so its answer also shows that
this loop still runs: one that its program blocks, or that was stopped or closed, must not make others wait for
ever.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any, NamedTuple, Protocol

import anyio

from ..running import running_loop

# A loop that has not answered its bell for so long is passed over until it does.
PASSED_OVER_AFTER_SECONDS = 0.05
# For so long others keep away from a request that a loop without an answer was about to write.
LATE_AFTER_SECONDS = 5.0
# After so long, a request's default timeout, the places of a loop without an answer are given to others.
LOST_AFTER_SECONDS = 30.0
# Who waits for other loops looks after them this often.
_LOOK_EVERY_SECONDS = 1.0
_HEARD_LATELY_SECONDS = 0.5
# Clocks closer to each other than this are the same one, read at different moments of a busy loop.
_SAME_CLOCK_SECONDS = 1.0


class Held(Protocol):
    """Something that a loop holds, to take from it when it is gone."""

    released: bool

    def release(self) -> None: ...


class Wait(NamedTuple):
    """How long to wait, in seconds: less if it may `change` before."""

    seconds: float
    change: anyio.Event | None = None

    async def over(self) -> None:
        if self.change is not None:
            with anyio.move_on_after(self.seconds):
                await self.change.wait()
        elif self.seconds > 0:
            await anyio.sleep(self.seconds)


class Loop:
    """One event loop: its clock, its bell, and the `permits` that it holds.

    `rung_at` is when its bell was rung by another loop and not answered yet, `asked_at` when something was last
    posted to it, `heard_at` when it answered last, all by the machine's clock. `gone` means closed.
    """

    __slots__ = ("_offset", "_time", "asked_at", "changed", "gone", "heard_at", "permits", "post", "rung_at")

    def __init__(self, time: Callable[[], float], offset: float, post: Callable[[Callable[[], Any]], Any]) -> None:
        self._time, self._offset = time, offset
        self.post: Callable[[Callable[[], Any]], Any] = post
        self.permits: set[Held] = set()
        self.changed: anyio.Event | None = None
        self.rung_at: float | None = None
        self.asked_at: float = 0.0
        self.heard_at: float = monotonic()
        self.gone: bool = False

    def now(self) -> float:
        """The time by the clock of all loops; call it where this one runs."""
        return self._time() + self._offset

    def by_its_own_clock(self, time: float) -> float:
        return time - self._offset

    def silent_for(self, seconds: float) -> bool:
        """Whether it has not answered its bell for this long."""
        return self.rung_at is not None and monotonic() - self.rung_at > seconds


class Loops:
    """The loops that use one throttle. All but `here` and `now` are called under the `lock`.

    The first loop's clock is everybody's, so a single loop pays nothing for it. The offset of another is
    measured once, when it is met.
    """

    def __init__(self) -> None:
        # One that may be taken again: the garbage collector may release a lost permit in the middle of a step.
        self.lock: threading.RLock = threading.RLock()
        self._known: dict[object, Loop] = {}
        self._waiting: set[Loop] = set()
        self._ahead: float | None = None

    def here(self) -> Loop:
        """The event loop that runs here."""
        key = running_loop()
        return self._known.get(key) or self._meet(key)

    def now(self) -> float:
        """The time by the clock of all loops, wherever it is asked."""
        loop = self._known.get(running_loop())
        return monotonic() + (self._ahead or 0.0) if loop is None else loop.now()

    def wait(self, loop: Loop, seconds: float) -> Wait:
        """Wait here until something changes, for `seconds` at most; less, if other loops have to be checked."""
        if loop.changed is None or loop.changed.is_set():
            loop.changed = anyio.Event()
        self._waiting.add(loop)
        return Wait(seconds if len(self._known) == 1 else min(seconds, _LOOK_EVERY_SECONDS), loop.changed)

    def notify(self) -> None:
        """Something changed, for everybody who waits for that."""
        if self._waiting:
            here = self._known.get(running_loop())
            for loop in tuple(self._waiting):
                if loop is here:
                    self._wake(loop)
                else:
                    self.ring(loop)

    def ring(self, loop: Loop) -> None:
        """Ring another loop's bell, unless that was done and not answered. One that is closed is dropped.

        One that did not answer may have been closed since, so it is asked again, only to find that out.
        """
        now, answer = monotonic(), _nothing
        if loop.rung_at is None:
            loop.rung_at, answer = now, functools.partial(self._answer, loop)
        elif now - loop.asked_at < PASSED_OVER_AFTER_SECONDS:
            return
        if loop.gone:
            return
        loop.asked_at = now
        try:
            loop.post(answer)
        except RuntimeError:
            self._drop(loop)

    def look_after_others(self, here: Loop) -> None:
        """Take back what loops hold that are closed, or gave no sign of life for long."""
        for loop in tuple(self._known.values()):
            if loop is here:
                continue
            if monotonic() - loop.heard_at > _HEARD_LATELY_SECONDS:
                self.ring(loop)
            if loop.silent_for(LOST_AFTER_SECONDS):
                _take_back(loop)

    def forget(self) -> None:
        """In a child process, none of its parent's loops and threads runs."""
        self.lock = threading.RLock()
        for loop in self._known.values():
            loop.gone = True
            for permit in loop.permits:
                permit.released = True
        self._known = {}
        self._waiting.clear()

    def _meet(self, key: object) -> Loop:
        if key is None:
            raise RuntimeError("a throttle can only be used where an event loop runs")
        time, post = _ways_of(key)
        with self.lock:
            for loop in tuple(self._known.values()):
                # Of those that came and went nothing is kept.
                self.ring(loop)
            ahead = time() - monotonic()
            ahead = 0.0 if abs(ahead) < _SAME_CLOCK_SECONDS else ahead
            if self._ahead is None:
                self._ahead = ahead
            self._known[key] = loop = Loop(time, self._ahead - ahead, post)
            return loop

    def _answer(self, loop: Loop) -> None:
        with self.lock:
            loop.rung_at, loop.heard_at = None, monotonic()
            self._wake(loop)

    def _wake(self, loop: Loop) -> None:
        self._waiting.discard(loop)
        if loop.changed is not None:
            loop.changed.set()

    def _drop(self, loop: Loop) -> None:
        loop.gone = True
        self._known = {key: known for key, known in self._known.items() if known is not loop}
        self._waiting.discard(loop)
        _take_back(loop)


def _ways_of(key: Any) -> tuple[Callable[[], float], Callable[[Callable[[], Any]], Any]]:
    """How to ask the running loop for its time, and how to post something to it from another thread."""
    if hasattr(key, "call_soon_threadsafe"):
        return key.time, key.call_soon_threadsafe
    return sys.modules["trio.lowlevel"].current_clock().current_time, key.run_sync_soon


def _nothing() -> None:
    pass


def _take_back(loop: Loop) -> None:
    for permit in tuple(loop.permits):
        permit.release()
