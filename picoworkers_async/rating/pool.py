"""Ratings that wait to be sent: bounded, grouped by job, and handed out as many at a time as a request takes."""

from __future__ import annotations

import math
from collections import deque

import anyio
import attrs

from ..models import Rating, Task


@attrs.define(eq=False)
class Entry:
    """One rating on its way. `attempts` counts the requests that certainly did not arrive.

    `looks` counts how often its fate was unknown; `refusal` is the service's answer to a repeat, which may
    only mean that the first request had taken effect.
    """

    rating: Rating
    task: Task | None = None
    attempts: int = 0
    looks: int = 0
    refusal: str | None = None


class Pool:
    """Where deciding hands over to sending.

    `size` bounds what waits, so that a slow service slows the reading of input; `per_request` is how many
    ratings of one job go into one request. Senders `claim` a request before they wait at the gate and `take`
    what is there when their turn comes, so ratings that arrive meanwhile go along.
    """

    def __init__(self, size: int, per_request: int) -> None:
        self._size = size
        self._per_request = per_request
        self._jobs: dict[str, deque[Entry]] = {}
        self._waiting = 0
        self._requests = 0
        self._claims = 0
        self._closed = False
        self._paused = False
        self._changed = anyio.Event()

    @property
    def waiting(self) -> int:
        """How many ratings wait."""
        return self._waiting

    async def put(self, entry: Entry) -> None:
        """Add a rating, when there is room."""
        while self._waiting >= self._size:
            await self._changed.wait()
        self._add(entry, first=False)

    def put_back(self, entries: list[Entry]) -> None:
        """Return ratings that were not sent: they are the next of their job."""
        for entry in reversed(entries):
            self._add(entry, first=True)

    async def claim(self) -> bool:
        """Wait until there is a request to send that no other sender has claimed; False when none will come."""
        while self._paused or self._requests <= self._claims:
            if self._closed and not self._waiting:
                return False
            await self._changed.wait()
        self._claims += 1
        return True

    def take(self) -> list[Entry]:
        """The ratings for one claimed request, all of one job: a full one if a job has that many."""
        self._claims -= 1
        if not self._waiting or self._paused:
            self._notify()
            return []
        job_id = next(
            (job for job, line in self._jobs.items() if len(line) >= self._per_request), next(iter(self._jobs))
        )
        line = self._jobs.pop(job_id)
        self._requests -= self._requests_for(line)
        taken = [line.popleft() for _ in range(min(len(line), self._per_request))]
        if line:
            self._jobs[job_id] = line
            self._requests += self._requests_for(line)
        self._waiting -= len(taken)
        self._notify()
        return taken

    def unclaim(self) -> None:
        """A sender that claimed a request gave up before taking it."""
        self._claims -= 1
        self._notify()

    def pause(self) -> None:
        """Hand nothing out until `resume`."""
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        self._notify()

    def close(self) -> None:
        """Nothing more will be put in."""
        self._closed = True
        self._notify()

    def _add(self, entry: Entry, *, first: bool) -> None:
        line = self._jobs.setdefault(entry.rating.job_id, deque())
        before = self._requests_for(line)
        if first:
            line.appendleft(entry)
        else:
            line.append(entry)
        self._requests += self._requests_for(line) - before
        self._waiting += 1
        self._notify()

    def _requests_for(self, line: deque[Entry]) -> int:
        return math.ceil(len(line) / self._per_request)

    def _notify(self) -> None:
        if self._changed.statistics().tasks_waiting:
            self._changed.set()
            self._changed = anyio.Event()
