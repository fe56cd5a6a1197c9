"""Ratings that wait for a request of their job."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from .pool import Entry

_MOST_READS = 16
_REQUESTS_WAITING = 4


def may_go(
    waiting: int,
    at_once: int,
    *,
    crowded: bool,
    under_way: int,
    hurry: bool,
    reads: int,
    calm: bool,
    pouring: bool,
) -> bool:
    """Whether a request with what waits of one job should leave now.

    `crowded`: no more ratings can be taken in before some leave. `under_way`: requests of this job. `hurry`:
    nothing more is to come for now. `reads`: pages that were read since the first has waited; `calm`: none is
    being read, nor was lately. `pouring`: more came just now, and the first has not waited for long.
    """
    if waiting == 0:
        return False
    if waiting >= at_once or crowded:
        return True
    if under_way:
        return False
    return hurry or (not pouring and (calm or reads >= _MOST_READS))


class Line:
    """The ratings of one job that wait.

    `under_way` counts its requests; `reads_before` is how many pages had been read when the first came,
    `first_at` the time of that.
    """

    def __init__(self, job_id: str, lines: Lines) -> None:
        self.job_id = job_id
        self.under_way = 0
        self.reads_before = 0
        self.first_at = 0.0
        self._lines = lines
        self._entries: deque[Entry] = deque()

    def __len__(self) -> int:
        return len(self._entries)

    def append(self, entry: Entry, reads: int, now: float) -> None:
        """Add one that comes after `reads` pages, at this time."""
        self._note(reads, now)
        self._entries.append(entry)

    def append_left(self, entry: Entry, reads: int, now: float) -> None:
        """Put one back."""
        self._note(reads, now)
        self._entries.appendleft(entry)

    def _note(self, reads: int, now: float) -> None:
        if not self._entries:
            self.reads_before, self.first_at = reads, now
        self._lines.waiting += 1
        self._lines.last_at = now

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
    """One line for each job. `full` says that they hold as much as may wait; the last came in at `last_at`."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.waiting = 0
        self.last_at = 0.0
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
