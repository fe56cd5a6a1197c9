"""When listed tasks pay themselves: a pure state over times, and the order in which they are due."""

from __future__ import annotations

import heapq
import math
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, timedelta
from itertools import count
from typing import NamedTuple

from ..models import Task

DEFAULT_TTR_DAYS = 7
"""The time to rate of a job that does not give one (API document, section 3.4)."""

Waiting = tuple[Task, Awaitable[object] | None]


def due_at(task: Task, ttr: int | None) -> float:
    """When a task is due, in seconds since 1970, in a job with this many days to rate; infinity if unknown."""
    if task.finished_at is None:
        return math.inf
    try:
        due = task.finished_at + timedelta(days=DEFAULT_TTR_DAYS if ttr is None else ttr)
        return due.astimezone(UTC).timestamp()
    except OverflowError:
        # A date beyond the year 9999.
        return math.inf


class Due(NamedTuple):
    """A task in one revision, and when it is due, in seconds since 1970."""

    at: float
    task_id: str
    revision: int
    job_id: str


class DueTasks:
    """The tasks that are listed and not rated: about 400 bytes each. Times are in seconds since 1970.

    Those that are due `within` this many seconds are reported, each once.
    """

    def __init__(self, within: float) -> None:
        self._within = within
        self._tasks: dict[str, Due] = {}
        # Ordered by time. What is not in `_tasks` any more is passed over when it comes first.
        self._all: list[Due] = []
        self._untold: list[Due] = []

    def __len__(self) -> int:
        return len(self._tasks)

    def add(self, due: Due) -> None:
        """A task was met, or met again in another revision."""
        self._tasks[due.task_id] = due
        heapq.heappush(self._all, due)
        heapq.heappush(self._untold, due)
        if len(self._all) > 2 * len(self._tasks) + 64:
            self._all = sorted(self._tasks.values())
            self._untold = [one for one in sorted(self._untold) if self._tasks.get(one.task_id) is one]

    def drop(self, task_id: str) -> None:
        """A task was rated, or has otherwise ended."""
        self._tasks.pop(task_id, None)

    def forget(self, is_listed: Callable[[str], bool]) -> None:
        """Drop the tasks that are no longer listed."""
        for task_id in [task_id for task_id in self._tasks if not is_listed(task_id)]:
            del self._tasks[task_id]

    def soonest(self) -> float | None:
        """When the first of them is due; None without any."""
        first = self._first(self._all)
        return None if first is None else first.at

    def newly_due(self, now: float) -> list[Due]:
        """Those that are due soon, and were not reported before."""
        found = []
        while (first := self._first(self._untold)) is not None and first.at - self._within <= now:
            found.append(heapq.heappop(self._untold))
        return found

    def next_at(self) -> float | None:
        """When the next one is to be reported; None without any."""
        first = self._first(self._untold)
        return None if first is None else first.at - self._within

    def _first(self, heap: list[Due]) -> Due | None:
        while heap and self._tasks.get(heap[0].task_id) is not heap[0]:
            heapq.heappop(heap)
        return heap[0] if heap else None


class SoonestFirst:
    """Tasks that wait to be decided, by when they are due; used like a deque."""

    def __init__(self, when: Callable[[Task], float]) -> None:
        self._when = when
        self._numbers = count()
        self._heap: list[tuple[float, int, Waiting]] = []

    def __len__(self) -> int:
        return len(self._heap)

    def __iter__(self) -> Iterator[Waiting]:
        return (waiting for _, _, waiting in self._heap)

    def append(self, waiting: Waiting) -> None:
        """Add one."""
        heapq.heappush(self._heap, (self._when(waiting[0]), next(self._numbers), waiting))

    def popleft(self) -> Waiting:
        """Take the one that is due first; of equals, the one that was added first."""
        return heapq.heappop(self._heap)[-1]

    def clear(self) -> None:
        """Drop all."""
        self._heap.clear()
