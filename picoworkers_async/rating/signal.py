"""Wake those who wait for something to change, one or all of them."""

from __future__ import annotations

from collections import deque

import anyio


class Signal:
    """Loops wait here. One that is cancelled after it was woken passes that on."""

    def __init__(self) -> None:
        self._waiting: deque[anyio.Event] = deque()

    async def wait(self, until: float | None = None) -> None:
        """Wait to be woken, until this time of the event loop's clock at most."""
        event = anyio.Event()
        self._waiting.append(event)
        try:
            if until is None:
                await event.wait()
            else:
                with anyio.CancelScope(deadline=until):
                    await event.wait()
        except BaseException:
            if event.is_set():
                self.wake()
            raise
        finally:
            if not event.is_set():
                self._waiting.remove(event)

    def wake(self) -> None:
        """Wake the one who has waited longest."""
        if self._waiting:
            self._waiting.popleft().set()

    def wake_all(self) -> None:
        """Wake everybody."""
        while self._waiting:
            self._waiting.popleft().set()
