"""Sending ratings one by one, several requests at once."""

from __future__ import annotations

from collections.abc import Sequence

import anyio

from .. import codec, endpoints
from ..call import Call
from ..errors import AuthenticationError, CallError
from ..session import Session
from .pool import Answered, Entry, Note, Pool, Settle


class Singles:
    """The sender of an edition that rates one task in a request (section 3.10)."""

    def __init__(self, session: Session, note: Note, settle: Settle, *, journaled: bool) -> None:
        self._session = session
        self._note = note
        self._settle = settle
        concurrency = session.throttle.batch_concurrency
        # While one rating's sending becomes durable, another may be on the wire.
        self._senders = 2 * concurrency if journaled else concurrency
        self._pool = Pool(2 * concurrency)
        self._sending = 0
        self._ended = anyio.Event()

    async def run(self) -> None:
        async with anyio.create_task_group() as group:
            for _ in range(self._senders):
                group.start_soon(self._send_until_closed)

    async def put(self, entry: Entry) -> None:
        await self._pool.put(entry)

    def put_back(self, entries: Sequence[Entry]) -> None:
        self._pool.put_back(entries)

    async def hold(self) -> None:
        self._pool.pause()
        while self._sending:
            await self._ended.wait()

    def resume(self) -> None:
        self._pool.resume()

    def hurry(self, on: bool) -> None:
        """Nothing ever waits for more to come."""

    def close(self) -> None:
        self._pool.close()

    async def _send_until_closed(self) -> None:
        while (entry := await self._pool.take()) is not None:
            self._sending += 1
            try:
                for noted in await self._note([entry]):
                    await self._settle([await self._send(noted)])
            finally:
                self._sending -= 1
                if self._ended.statistics().tasks_waiting:
                    self._ended.set()
                    self._ended = anyio.Event()

    async def _send(self, entry: Entry) -> Answered:
        call = Call(endpoints.RATE_SINGLE_TASK, codec.read_ack, body=codec.write_rating(entry.rating))
        try:
            async with self._session.slot() as permit:
                ack = await self._session.exchange(call, permit)
        except AuthenticationError:
            raise
        except CallError as error:
            return Answered(entry, error=error)
        return Answered(entry, ack.message)
