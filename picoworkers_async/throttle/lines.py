"""One line for each event loop that waits at the gate, and whose turn it is.

The leader of a line admits only its own loop's callers: nothing is handed to a loop that may be stuck. Within a
line the order is that of `FairQueue`. Between lines, the one whose head has the higher priority goes first, then
the one whose head came first; a loop that does not take its turn is skipped until it responds.
"""

from __future__ import annotations

import enum
import itertools
import math
from collections.abc import Callable, Hashable

import anyio
import attrs

from .departures import Departures, Permit
from .loops import PASSED_OVER_AFTER_SECONDS, Loop, Wait
from .queue import FairQueue, Place, Priority
from .shared_pace import SharedSlot


@attrs.define(eq=False, repr=False)
class Caller:
    """One caller waiting at the gate. Its event says that it may go, or that it now leads the others.

    `number` says who came first, in whichever loop.
    """

    priority: Priority
    number: int
    # Looked up when it is made: anyio loads its parts when they are first named.
    event: anyio.Event = attrs.field(factory=lambda: anyio.Event())
    permit: Permit | None = None


@attrs.define(eq=False, repr=False)
class Line:
    """The callers that wait in one loop, their leader, and the slot of a pacer that waits for the first."""

    loop: Loop
    queue: FairQueue[Caller] = attrs.field(factory=FairQueue)
    leader: Caller | None = None
    slot: SharedSlot | None = None

    def hand_over(self) -> None:
        """The leader leaves; the next in line, if there is one, leads from here."""
        self.leader = None
        if self.queue:
            self.leader = self.queue.peek()
            self.leader.event.set()

    def rank(self) -> tuple[int, int]:
        """The lowest goes first."""
        head = self.queue.peek()
        return head.priority, head.number


class Next(enum.Enum):
    """What the leader of a line does if there is nothing to wait for."""

    LOOK_AGAIN = enum.auto()
    RESERVE_SLOT = enum.auto()


class Lines:
    """All lines of a throttle. `room` is how many requests may be in flight for a caller to be admitted.

    Everything here is one step under the lock of the loops.
    """

    def __init__(self, departures: Departures, room: Callable[[Priority], float]) -> None:
        self._departures = departures
        self._room = room
        self._lines: dict[Loop, Line] = {}
        self._numbers = itertools.count()

    def __len__(self) -> int:
        """How many wait."""
        waiting = 0
        for line in self._lines.values():
            if not line.loop.gone:
                waiting += len(line.queue)
        return waiting

    def waiting(self, priority: Priority) -> int:
        """How many wait with this priority."""
        return sum(line.queue.waiting(priority) for line in self._lines.values() if not line.loop.gone)

    def join(self, priority: Priority, group: Hashable) -> tuple[Line, Caller, Place[Caller]]:
        """Wait in the line of the running loop, and lead it if nobody does."""
        loop = self._departures.loops.here()
        line = self._lines.get(loop)
        if line is None:
            self._lines = {known: line for known, line in self._lines.items() if not known.gone}
            self._lines[loop] = line = Line(loop)
        caller = Caller(priority, next(self._numbers))
        place = line.queue.push(caller, priority, group)
        if line.leader is None:
            line.leader = caller
        else:
            self._departures.loops.notify()
        return line, caller, place

    def leave(self, line: Line, place: Place[Caller]) -> None:
        """A caller gives up."""
        line.queue.remove(place)
        self._departures.loops.notify()

    def step(self, line: Line) -> Wait | Next:
        """Admit the first of a line, if it is its turn; otherwise what its leader has to wait for."""
        departures, loops, loop = self._departures, self._departures.loops, line.loop
        priority = line.queue.peek().priority
        if departures.in_flight >= self._room(priority):
            departures.look_after_others(loop)
            if departures.in_flight >= self._room(priority):
                return loops.wait(loop, math.inf)
        first = self._first(line)
        slot = departures.pace.next_slot
        if departures.shared is not None:
            if line.slot is None and first is line:
                return Next.RESERVE_SLOT
            slot = -math.inf if first.slot is None else first.slot.at
        wait = max(slot, departures.pace.silent_until) - loop.now()
        if wait > 0:
            return loops.wait(loop, wait)
        if first is not line:
            loops.ring(first.loop)
            return Next.LOOK_AGAIN if first.loop.gone else loops.wait(loop, PASSED_OVER_AFTER_SECONDS)
        caller = line.queue.pop()
        caller.permit = departures.admit(loop, line.slot)
        line.slot = None
        caller.event.set()
        if len(self._lines) > 1:
            loops.notify()
        return Next.LOOK_AGAIN

    def forget_slots(self) -> None:
        """A 429 came: the slots that were reserved fall into its cooldown."""
        for line in self._lines.values():
            line.slot = None

    def forget(self) -> None:
        """In a child process, no caller of its parent waits."""
        self._lines = {}

    def _first(self, line: Line) -> Line:
        """The line whose turn it is."""
        first = line
        if len(self._lines) > 1:
            for other in tuple(self._lines.values()):
                if other is line or not other.queue:
                    continue
                if other.loop.silent_for(PASSED_OVER_AFTER_SECONDS):
                    self._departures.loops.ring(other.loop)
                elif not other.loop.gone and other.rank() < first.rank():
                    first = other
                if other.loop.gone:
                    del self._lines[other.loop]
        return first
