"""Ratings that wait for a request of their job."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from .pool import Entry

_PATIENCE = 16
_REQUESTS_WAITING = 4


def may_go(
    waiting: int, at_once: int, *, crowded: bool, under_way: int, hurry: bool, reads: int, calm: bool
) -> bool:
    """Whether a request with what waits of one job should leave now.

    `crowded`: no more ratings can be taken in before some leave. `under_way`: requests of this job. `hurry`:
    nothing more is to come for now. `reads`: pages that were read since the first has waited; `calm`: none is
    being read, nor was lately.
    """
    if waiting == 0:
        return False
    if waiting >= at_once or crowded:
        return True
    return not under_way and (hurry or calm or reads >= _PATIENCE)


class Line:
    """The ratings of one job that wait. `under_way` counts its requests, `since` pages read before the first."""

    def __init__(self, job_id: str, lines: Lines) -> None:
        self.job_id = job_id
        self.under_way = 0
        self.since = 0
        self._lines = lines
        self._entries: deque[Entry] = deque()

    def __len__(self) -> int:
        return len(self._entries)

    def append(self, entry: Entry, reads: int) -> None:
        if not self._entries:
            self.since = reads
        self._entries.append(entry)
        self._lines.waiting += 1

    def append_left(self, entry: Entry, reads: int) -> None:
        if not self._entries:
            self.since = reads
        self._entries.appendleft(entry)
        self._lines.waiting += 1

    def take(self, most: int, besides: Sequence[Entry] = ()) -> list[Entry]:
        """Up to so many of them, no task twice, and none that is among `besides`; the others keep their order."""
        taken: list[Entry] = []
        skipped: list[Entry] = []
        tasks = {entry.rating.task_id for entry in besides}
        while self._entries and len(taken) < most:
            entry = self._entries.popleft()
            if entry.rating.task_id in tasks:
                skipped.append(entry)
            else:
                tasks.add(entry.rating.task_id)
                taken.append(entry)
        self._entries.extendleft(reversed(skipped))
        self._lines.waiting -= len(taken)
        return taken


class Lines:
    """One line for each job. `full` says that they hold as much as may wait."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.waiting = 0
        self._jobs: dict[str, Line] = {}

    def __bool__(self) -> bool:
        return self.waiting > 0

    @property
    def full(self) -> bool:
        return self.waiting >= _REQUESTS_WAITING * self.at_once

    def of(self, entry: Entry) -> Line:
        """The line of an entry's job."""
        job_id = entry.rating.job_id
        line = self._jobs.get(job_id)
        if line is None:
            line = self._jobs[job_id] = Line(job_id, self)
        return line

    def by_length(self) -> Iterator[Line]:
        """The lines, the longest first."""
        return iter(sorted(self._jobs.values(), key=len, reverse=True))

    def forget_if_empty(self, line: Line) -> None:
        """Drop the line of a job that nothing waits or is under way of."""
        if not line and not line.under_way:
            self._jobs.pop(line.job_id, None)
