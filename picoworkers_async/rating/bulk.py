"""Sending many ratings of a job in one request, gathered without keeping anybody waiting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

import anyio

from .. import codec, endpoints
from ..call import Call
from ..errors import (
    AuthenticationError,
    CallError,
    InvalidResponseError,
    OutcomeUnknownError,
    RefusedError,
)
from ..models import RatingAck
from ..session import Session
from ..throttle import Permit
from .lines import Line, Lines, may_go
from .pool import Answered, Entry, Note, Settle
from .reads import Reads

_LEAST_CALM = 0.02
_POURING = 0.005
_POURING_AT_MOST = 0.1


class Bulk:
    """The sender of an edition that rates up to so many tasks of a job in a request (2024, rate-multiple-tasks).

    A request leaves when it is full. A smaller one leaves only when no other of its job is under way, not while
    more pours in (5 ms, for 0.1 s at most), and not while the batch is reading, since that is what fills it; but
    it waits no longer than 16 pages, or one interval of the rate limit after the last. What comes while it waits
    at the gate still goes with it.
    """

    def __init__(self, session: Session, note: Note, settle: Settle, reads: Reads) -> None:
        self._session = session
        self._note = note
        self._settle = settle
        self._reads = reads
        self._lines = Lines(session.edition.ratings_at_once)
        rate = session.throttle.requests_per_second
        self._calm = max(_LEAST_CALM, 1 / rate if rate else 0.0)
        self._sending = 0
        self._paused = self._closed = self._hurry = False
        self._changed = anyio.Event()

    async def run(self) -> None:
        async with anyio.create_task_group() as group:
            while (line := await self._next()) is not None:
                entries = line.take(self._lines.at_once)
                line.under_way += 1
                self._sending += 1
                self._notify()
                try:
                    slot = AsyncExitStack()
                    permit = await self._enter(line, entries, slot)
                except BaseException:
                    self._done(line)
                    raise
                if permit is not None:
                    group.start_soon(self._send, line, entries, permit, slot)
                else:
                    self._done(line)

    async def put(self, entry: Entry) -> None:
        while self._lines.full:
            await self._changed.wait()
        self._lines.of(entry).append(entry, self._reads.done, anyio.current_time())
        self._notify()

    def put_back(self, entries: Sequence[Entry]) -> None:
        now = anyio.current_time()
        for entry in reversed(entries):
            self._lines.of(entry).append_left(entry, self._reads.done, now)
        self._notify()

    async def hold(self) -> None:
        self._paused = True
        while self._sending:
            await self._changed.wait()

    def resume(self) -> None:
        self._paused = False
        self._notify()

    def hurry(self, on: bool) -> None:
        self._hurry = on
        self._notify()

    def close(self) -> None:
        self._closed = True
        self._notify()

    async def _next(self) -> Line | None:
        """The line whose request should leave next, when there is one; None after the last."""
        while True:
            now = anyio.current_time()
            if not self._paused:
                for line in self._lines.by_length():
                    if self._may_go(line, now):
                        return line
            if self._closed:
                return None
            changed = self._changed
            with anyio.move_on_after(self._look_again(now) if self._lines and not self._paused else None):
                await changed.wait()

    def _look_again(self, now: float) -> float:
        """When time alone may have let a request go."""
        if now - self._lines.last_at < _POURING:
            return _POURING
        quiet = self._reads.quiet(now)
        return max(self._calm - quiet, _POURING) if quiet < self._calm else self._calm

    def _may_go(self, line: Line, now: float) -> bool:
        return may_go(
            len(line),
            self._lines.at_once,
            crowded=self._lines.full,
            under_way=line.under_way,
            hurry=self._hurry,
            reads=self._reads.done - line.reads_before,
            calm=self._reads.quiet(now) >= self._calm,
            pouring=now - self._lines.last_at < _POURING and now - line.first_at < _POURING_AT_MOST,
        )

    async def _enter(self, line: Line, entries: list[Entry], slot: AsyncExitStack) -> Permit | None:
        """Wait at the gate, and take along what has come meanwhile. Without anything to send, nothing is held."""
        entries[:] = await self._note(entries)
        if not entries:
            return None
        permit = await slot.enter_async_context(self._session.slot())
        try:
            more = line.take(self._lines.at_once - len(entries), besides=entries)
            if more:
                self._notify()
                entries += await self._note(more)
        except BaseException:
            await slot.aclose()
            raise
        return permit

    async def _send(self, line: Line, entries: list[Entry], permit: Permit, slot: AsyncExitStack) -> None:
        try:
            async with slot:
                answers = await self._exchange(entries, permit)
            await self._settle(answers)
        finally:
            self._done(line)

    async def _exchange(self, entries: list[Entry], permit: Permit) -> list[Answered]:
        body = codec.write_ratings([entry.rating for entry in entries])
        call = Call(endpoints.RATE_MULTIPLE_TASKS, codec.read_rating_acks, body=body)
        try:
            acks = await self._session.exchange(call, permit)
        except AuthenticationError:
            raise
        except CallError as error:
            return [Answered(entry, error=error) for entry in entries]
        return [answered(entry, acks) for entry in entries]

    def _done(self, line: Line) -> None:
        line.under_way -= 1
        self._sending -= 1
        self._lines.forget_if_empty(line)
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


def answered(entry: Entry, acks: Mapping[str, RatingAck]) -> Answered:
    """What the answer to a bulk rating says of one task. Nothing said is nothing known."""
    call = endpoints.RATE_MULTIPLE_TASKS.call
    ack = acks.get(entry.rating.task_id)
    if ack is None or ack.ok is None:
        silent = InvalidResponseError(call, f"the answer does not say what became of task {entry.rating.task_id}")
        return Answered(entry, error=OutcomeUnknownError(call, silent))
    if not ack.ok:
        return Answered(entry, error=RefusedError(call, ack.message or "it gave no reason"))
    return Answered(entry, ack.message)
