"""Which tasks a review has met, so that each is decided once."""

from __future__ import annotations

from collections import deque

from ..models import Task

_LOOK_BITS = 32
_LOOKS_KEPT = 4096
_LOOK_MASK = (1 << _LOOK_BITS) - 1


class SeenTasks:
    """Which tasks were met, in which revision, and in which look at the listing each was last seen.

    One dictionary entry a task that is listed: about 150 bytes. Tasks that complete looks no longer show are
    forgotten after a while; with `most`, the one that was met first is when there are more.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._marks: dict[str, int] = {}
        self._look = 0
        self._began: deque[tuple[int, float]] = deque(maxlen=_LOOKS_KEPT)
        self._counted_from = 1
        self._counted = 0

    def __len__(self) -> int:
        return len(self._marks)

    def begin_look(self, now: float, *, count_anew: bool) -> None:
        """Start another look; the count of different tasks goes on from the looks before, or starts anew."""
        self._look += 1
        self._began.append((self._look, now))
        if count_anew:
            self._counted_from, self._counted = self._look, 0

    def meet(self, task: Task) -> bool:
        """Note that the task is listed. Whether it is new: an unknown id, or a higher revision."""
        mark = self._marks.get(task.id)
        revision = task.revision_number
        if mark is not None:
            known, seen_in = mark >> _LOOK_BITS, mark & _LOOK_MASK
            if seen_in < self._counted_from:
                self._counted += 1
            self._marks[task.id] = max(known, revision) << _LOOK_BITS | self._look
            return revision > known
        self._marks[task.id] = revision << _LOOK_BITS | self._look
        self._counted += 1
        if self._most is not None and len(self._marks) > self._most:
            del self._marks[next(iter(self._marks))]
        return True

    def ended(self, task_id: str) -> None:
        """The task came to its end: a listing that lags may show it for a while, so it is kept for as long."""
        mark = self._marks.get(task_id)
        if mark is not None:
            self._marks[task_id] = mark >> _LOOK_BITS << _LOOK_BITS | self._look

    def has_seen(self, total: int) -> bool:
        """Whether as many different tasks were seen as the listing holds."""
        return self._counted >= total

    def forget_the_gone(self, before: float) -> None:
        """After a complete look: drop what was last seen in a look that another followed by the time `before`."""
        oldest_kept = 0
        while len(self._began) > 1 and self._began[1][1] <= before:
            oldest_kept = self._began.popleft()[0] + 1
        if oldest_kept:
            self._marks = {name: mark for name, mark in self._marks.items() if mark & _LOOK_MASK >= oldest_kept}
