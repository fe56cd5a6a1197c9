"""A lagging replica: every change of the account reaches it later."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import attrs

from .store import JobRow, Store, TaskRow


def _copy(value: Any) -> Any:
    return attrs.evolve(value) if isinstance(value, JobRow | TaskRow) else value


class Replica:
    """A second store, which begins as the account is now and learns of each change when its time is asked for."""

    def __init__(self, origin: Store) -> None:
        self._store = Store(origin.balance)
        self._store.earned = origin.earned
        for job in origin.jobs.values():
            self._store.put_job(_copy(job))
        for task in origin.tasks.values():
            if task.verdict is not None:
                self._store.put_task(_copy(task))
        for task in origin.unrated.values():
            self._store.put_task(_copy(task))
        self._coming: deque[tuple[float, Callable[[Store, Any], object], Any]] = deque()

    def note(self, now: float, change: Callable[[Store, Any], object], value: object) -> None:
        """Keep a change of the account at `now`."""
        self._coming.append((now, change, _copy(value)))

    def as_of(self, moment: float) -> Store:
        """The account as it was at this moment, which must not be before one asked for already."""
        while self._coming and self._coming[0][0] <= moment:
            _, change, value = self._coming.popleft()
            change(self._store, value)
        return self._store
