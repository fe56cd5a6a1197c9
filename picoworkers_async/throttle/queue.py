"""Who goes next: by priority, then fairly between groups, then first come, first served."""

from __future__ import annotations

import enum
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

import attrs

T = TypeVar("T")


class Priority(enum.IntEnum):
    """How urgent a call is. A lower number goes first."""

    INTERACTIVE = 0
    BATCH = 1


@attrs.define(eq=False)
class Place(Generic[T]):
    """One place in a `FairQueue`, and who has it. Each knows its neighbours, so any can be given up at once."""

    item: T
    priority: Priority
    group: Hashable
    before: Place[T] | None = None
    after: Place[T] | None = None


@attrs.define(eq=False)
class _Line(Generic[T]):
    """The callers of one group, from first to last."""

    first: Place[T]
    last: Place[T]


class FairQueue(Generic[T]):
    """A queue of waiting callers.

    Within one priority the groups (one for each batch) take turns, so a batch with many callers cannot starve
    one with few; within a group the order is first come, first served. Each operation takes the same time,
    however many wait.
    """

    def __init__(self) -> None:
        # An ordinary dictionary gets slow at its front when it is used as a queue.
        self._lines: dict[Priority, OrderedDict[Hashable, _Line[T]]] = {
            priority: OrderedDict() for priority in Priority
        }
        self._waiting = dict.fromkeys(Priority, 0)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def waiting(self, priority: Priority) -> int:
        """How many wait with this priority."""
        return self._waiting[priority]

    def push(self, item: T, priority: Priority, group: Hashable) -> Place[T]:
        """Add a caller; returns its place, for `remove`."""
        place = Place(item, priority, group)
        lines = self._lines[priority]
        line = lines.get(group)
        if line is None:
            lines[group] = _Line(place, place)
        else:
            place.before, line.last.after = line.last, place
            line.last = place
        self._size += 1
        self._waiting[priority] += 1
        return place

    def pop(self) -> T:
        """Take the next caller; its group goes to the back of its priority's line."""
        place = self._next()
        self.remove(place)
        lines = self._lines[place.priority]
        if place.group in lines:
            lines.move_to_end(place.group)
        return place.item

    def peek(self) -> T:
        """The next caller."""
        return self._next().item

    def remove(self, place: Place[T]) -> None:
        """Take out a caller that gave up; everybody behind it moves up."""
        lines = self._lines[place.priority]
        line, before, after = lines[place.group], place.before, place.after
        if before is not None:
            before.after = after
        elif after is not None:
            line.first = after
        else:
            del lines[place.group]
        if after is not None:
            after.before = before
        elif before is not None:
            line.last = before
        place.before = place.after = None
        self._size -= 1
        self._waiting[place.priority] -= 1

    def _next(self) -> Place[T]:
        for lines in self._lines.values():
            for line in lines.values():
                return line.first
        raise IndexError("nobody is waiting")
