"""The `async with` block of a client: whether it is open, in which event loop, and by which clock."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from .errors import ClientStateError
from .running import Home


class Block:
    """The block of a client, which all its views share.

    `clock` is that of the event loop in which it was entered. `answered` is whether the service has ever
    answered in it as documented, refusals aside.
    """

    def __init__(self) -> None:
        self.clock: Callable[[], float] = anyio.current_time
        self.answered: bool = False
        self._state = "new"
        self._home: Home | None = None

    def enter(self) -> None:
        """Begin the block. Raises `ClientStateError` if it has begun before."""
        if self._state != "new":
            raise ClientStateError(_ENTERED_BEFORE[self._state])
        from .clock import event_loop_clock  # loads asyncio, which a trio program never needs

        self._state, self._home = "open", Home()
        self.clock = event_loop_clock()

    def not_entered(self) -> None:
        """Entering failed: the block may be entered again, unless it was closed meanwhile."""
        if self._state == "open":
            self._state, self._home = "new", None

    def close(self) -> bool:
        """End the block; returns whether its connections are to be closed here. May be repeated.

        Raises `ClientStateError` in an event loop other than the one in which it was entered. In a child process
        the connections are its parent's, which alone ends them.
        """
        if self._home is not None and self._home.elsewhere() is not None:
            if self._state == "open" and not self._home.is_of_parent():
                self.require_home("aclose")
            self._state = "closed"
            return False
        self._state = "closed"
        return True

    def require_open(self, what: str) -> None:
        """Raises `ClientStateError` outside the block, and anywhere else than where it was entered."""
        if self._state != "open":
            raise ClientStateError(f"{what}: nothing was sent, the client is {_NOT_OPEN[self._state]}")
        self.require_home(what)

    def require_home(self, what: str) -> None:
        """Raises `ClientStateError` in an event loop other than the client's, and in a child process."""
        if self._home is not None and (problem := self._home.elsewhere()) is not None:
            raise ClientStateError(f"{what}: nothing was sent, {problem}")

    def require_process(self) -> None:
        """Raises `ClientStateError` in a child process.

        A batch that went on in one would send what its parent sends, too.
        """
        if self._home is not None and self._home.is_of_parent():
            self.require_home("a request")


_NOT_OPEN = {
    "new": "not open yet; use it inside `async with AsyncPicoworkers(...) as pico:`",
    "closed": "closed; make a new AsyncPicoworkers, and use it inside its `async with` block",
}
_ENTERED_BEFORE = {
    "open": "a client is entered once, and this one is open already: it may be used in many tasks at once",
    "closed": (
        "a client is entered once, and this one is closed: make a new AsyncPicoworkers for another block. "
        "With throttle=pico.throttle it goes on with the pace of this one"
    ),
}
