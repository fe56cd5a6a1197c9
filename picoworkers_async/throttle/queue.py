"""Who goes next: by priority, then fairly between groups, then first come, first served."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Priority(enum.IntEnum):
    """How urgent a call is. A lower number goes first."""

    INTERACTIVE = 0
    BATCH = 1


class FairQueue(Generic[T]):
    """A queue of waiting callers.

    Within one priority the groups (one for each batch) take turns, so a batch with many callers cannot starve
    one with few; within a group the order is first come, first served.
    """

    def __init__(self) -> None:
        self._lines: dict[Priority, dict[Hashable, deque[T]]] = {priority: {} for priority in Priority}
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def waiting(self, priority: Priority) -> int:
        """How many wait with this priority."""
        return sum(map(len, self._lines[priority].values()))

    def push(self, item: T, priority: Priority, group: Hashable) -> None:
        self._lines[priority].setdefault(group, deque()).append(item)
        self._size += 1

    def pop(self) -> T:
        """Take the one whose turn it is; its group goes to the back of its priority's line."""
        for groups in self._lines.values():
            for group in groups:
                line = groups.pop(group)
                item = line.popleft()
                if line:
                    groups[group] = line
                self._size -= 1
                return item
        raise IndexError("nobody is waiting")

    def peek(self) -> T:
        """Who would be next."""
        for groups in self._lines.values():
            for line in groups.values():
                return line[0]
        raise IndexError("nobody is waiting")

    def remove(self, item: T, priority: Priority, group: Hashable) -> None:
        """Take out one that gave up; everybody behind it moves up."""
        line = self._lines[priority][group]
        line.remove(item)
        if not line:
            del self._lines[priority][group]
        self._size -= 1
