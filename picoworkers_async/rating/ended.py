"""Tasks that were rated a moment ago: a listing that still shows them is certainly stale."""

from __future__ import annotations

from collections import deque

_MOST = 16_384


class LatelyEnded:
    """Remembers the tasks rated in the last `seconds`, at most 16,384."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._entries: deque[tuple[float, str]] = deque()
        self._by_job: dict[str, deque[str]] = {}
        self._forgot_until = float("-inf")

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, job_id: str, task_id: str, now: float) -> None:
        """A task of this job was rated, and is off the listing."""
        self._entries.append((now, job_id))
        self._by_job.setdefault(job_id, deque()).append(task_id)
        while self._entries[0][0] < now - self._seconds:
            self._forget_first()
        if len(self._entries) > _MOST:
            self._forgot_until = self._forget_first() + self._seconds

    def of_job(self, job_id: str, now: float) -> frozenset[str] | None:
        """Those of a job; None if not all of them are remembered."""
        if now <= self._forgot_until:
            return None
        return frozenset(self._by_job.get(job_id, ()))

    def _forget_first(self) -> float:
        """Forget the one that was rated first; returns when that was."""
        when, job_id = self._entries.popleft()
        # Those of a job are in the same order as those of all.
        of_job = self._by_job[job_id]
        of_job.popleft()
        if not of_job:
            del self._by_job[job_id]
        return when
