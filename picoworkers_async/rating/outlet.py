"""Where the outcomes of a batch leave it: to whoever iterates, or straight into a sum."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from .outcome import Outcome


class Outlet:
    """Holds up to `size` outcomes for a reader; a slow one holds back the batch.

    With a sink, outcomes go there at once, and nobody has to be woken for them.
    """

    def __init__(self, size: int) -> None:
        self._send, self._receive = anyio.create_memory_object_stream[Outcome](size)
        self._sink: Callable[[Outcome], None] | None = None

    async def put(self, outcome: Outcome) -> None:
        """Hand an outcome out, when there is room."""
        if self._sink is not None:
            self._sink(outcome)
            return
        try:
            self._send.send_nowait(outcome)
        except anyio.WouldBlock:
            await self._send.send(outcome)

    async def take(self) -> Outcome:
        """The next outcome. Raises `anyio.EndOfStream` after the last."""
        try:
            return self._receive.receive_nowait()
        except anyio.WouldBlock:
            return await self._receive.receive()

    async def pour(self, sink: Callable[[Outcome], None]) -> None:
        """Give all outcomes to the sink, those that wait first, until the last."""
        self._sink = sink
        while True:
            try:
                sink(await self._receive.receive())
            except anyio.EndOfStream:
                return

    def end(self) -> None:
        """There are no more."""
        self._send.close()

    def close(self) -> None:
        """Nobody takes any more."""
        self._receive.close()
