"""Which tasks to ask about again, and when: a pure state, without a clock."""

from __future__ import annotations

import math
from collections.abc import Callable

import attrs

from ..models import Rating, Task

LONGEST_RETRY_SECONDS = 3600.0
"""The longest time after a failure until `decide` is asked again, unless `retry_failed` itself is longer."""

_MOST_DOUBLINGS = 32


@attrs.define(eq=False)
class _PutOff:
    revision: int
    due_at: float
    look: int
    failures: int = 0


class PutOffTasks:
    """Tasks that were put off, and those whose `decide` failed: one entry each, about 150 bytes.

    `retry_failed` is how many seconds after a first failure a task is asked about again; that doubles with each
    further one.
    """

    def __init__(self, retry_failed: float) -> None:
        self._retry_failed = retry_failed
        self._tasks: dict[str, _PutOff] = {}
        self._asked = 0
        self._look = 0

    def begin_look(self) -> None:
        """Another sweep of the listing begins: what was put off before may be asked about again in it."""
        self._look += 1

    def __len__(self) -> int:
        """How many wait to be asked about again."""
        return len(self._tasks) - self._asked

    def later(self, task: Task, now: float, seconds: float) -> None:
        """It is to be asked about again, this many seconds from now."""
        self.decided(task)
        self._tasks[task.id] = _PutOff(task.revision_number, now + seconds, self._look)

    def failed(self, task: Task, now: float) -> None:
        """`decide` failed: it is asked again, later each time."""
        known = self._drop(task.id)
        failures = known.failures if known is not None and known.revision == task.revision_number else 0
        longest = max(LONGEST_RETRY_SECONDS, self._retry_failed)
        pause = min(longest, self._retry_failed * 2.0 ** min(failures, _MOST_DOUBLINGS))
        self._tasks[task.id] = _PutOff(task.revision_number, now + pause, self._look, failures + 1)

    def is_due(self, task: Task, now: float) -> bool:
        """Whether it is time to ask about this task again: never twice in the same sweep."""
        known = self._tasks.get(task.id)
        if known is None or known.revision != task.revision_number:
            return False
        return known.due_at <= now and known.look != self._look

    def take(self, task: Task, now: float) -> bool:
        """Whether it is time to ask about this task again. If so, it is not due until put off again."""
        if not self.is_due(task, now):
            return False
        self._tasks[task.id].due_at = math.inf
        self._asked += 1
        return True

    def decided(self, task: Task) -> None:
        """It need not be asked about again."""
        self._drop(task.id)

    def forget(self, is_listed: Callable[[str], bool]) -> None:
        """Drop the tasks that are not listed any more."""
        for task_id in [task_id for task_id in self._tasks if not is_listed(task_id)]:
            self._drop(task_id)

    def _drop(self, task_id: str) -> _PutOff | None:
        known = self._tasks.pop(task_id, None)
        self._asked -= known is not None and known.due_at == math.inf
        return known


class LeftRatings:
    """Ratings that exceeded a limit, and are to be sent once it may allow them: each with the time for that."""

    def __init__(self) -> None:
        self._ratings: dict[str, tuple[Rating, float]] = {}

    def __len__(self) -> int:
        return len(self._ratings)

    def add(self, rating: Rating, due_at: float) -> None:
        """It is to be sent at this time or later."""
        self._ratings[rating.task_id] = rating, due_at

    def take(self, task: Task, now: float) -> Rating | None:
        """The rating of this task, if it is time to send it."""
        rating, due_at = self._ratings.get(task.id, (None, math.inf))
        if rating is None or rating.revision_number != task.revision_number or due_at > now:
            return None
        del self._ratings[task.id]
        return rating

    def forget(self, is_listed: Callable[[str], bool]) -> None:
        """Drop those of tasks that are not listed any more."""
        self._ratings = {name: left for name, left in self._ratings.items() if is_listed(name)}
