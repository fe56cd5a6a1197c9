"""Which event loop runs here, and whether something belongs to it."""

from __future__ import annotations

import os
import sys
import threading


def running_loop() -> object | None:
    """What runs here: an asyncio event loop, or a token for a trio run; None if nothing does."""
    # A program that uses only one of the two need not load the other. Trio says through sniffio that it runs, also
    # as the guest of an event loop of asyncio's.
    sniffio = sys.modules.get("sniffio")
    if sniffio is not None and sniffio.thread_local.name == "trio":
        return sys.modules["trio.lowlevel"].current_trio_token()  # type: ignore[no-any-return]
    asyncio = sys.modules.get("asyncio.events")
    return None if asyncio is None else asyncio._get_running_loop()


class _Forks:
    """How many forks are between the first process and this one. Cheaper to get than a process's id."""

    count = 0


def _forked() -> None:
    _Forks.count += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


class Home:
    """The process and the event loop in which connections were opened, and to which they belong."""

    def __init__(self) -> None:
        self._forks, self._process = _Forks.count, os.getpid()
        self._loop = running_loop()
        self._name = _described(self._loop)

    def is_of_parent(self) -> bool:
        """Whether the process has forked since, and this is the child."""
        return self._forks != _Forks.count

    def elsewhere(self) -> str | None:
        """What is wrong with using it here; None if nothing is."""
        if self.is_of_parent():
            return (
                f"the client was entered in process {self._process}, and this one ({os.getpid()}) was forked from "
                "it since: make a new client here"
            )
        loop = running_loop()
        if loop is self._loop:
            return None
        return (
            f"the client was entered in {self._name}, and is used in {_described(loop)}: make a client in each "
            "event loop; they may share one Throttle"
        )


def _described(loop: object | None) -> str:
    thread = f"thread {threading.current_thread().name!r}"
    if loop is None:
        return f"{thread} without an event loop"
    kind = "trio's" if type(loop).__name__ == "TrioToken" else "asyncio's"
    return f"{kind} event loop {id(loop):#x} of {thread}"
