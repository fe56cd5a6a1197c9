"""Which tasks a review has met, so that each is decided once."""

from __future__ import annotations

from ..models import Task

_LOOK_BITS = 32


class Decided:
    """Which tasks were met, in which revision, and in which look at the listing each was last seen.

    One dictionary entry a task that is listed: about 150 bytes. Tasks that a complete look no longer shows
    are forgotten; with `most`, the one that was met first is when there are more.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._marks: dict[str, int] = {}
        self._look = 0
        self._counted_from = 1
        self._counted = 0

    def begin_look(self, *, count_anew: bool) -> None:
        """Start another look; the count of different tasks goes on from the looks before, or starts anew."""
        self._look += 1
        if count_anew:
            self._counted_from, self._counted = self._look, 0

    def meet(self, task: Task) -> bool:
        """Note that the task is listed. Whether it is new: an unknown id, or a higher revision."""
        mark = self._marks.get(task.id)
        revision = task.revision_number
        if mark is not None:
            known, seen_in = mark >> _LOOK_BITS, mark & ((1 << _LOOK_BITS) - 1)
            if seen_in < self._counted_from:
                self._counted += 1
            self._marks[task.id] = max(known, revision) << _LOOK_BITS | self._look
            return revision > known
        self._marks[task.id] = revision << _LOOK_BITS | self._look
        self._counted += 1
        if self._most is not None and len(self._marks) > self._most:
            del self._marks[next(iter(self._marks))]
        return True

    def has_seen(self, total: int) -> bool:
        """Whether as many different tasks were seen as the listing holds."""
        return self._counted >= total

    def forget_the_gone(self) -> None:
        """After a complete look: drop what it no longer showed."""
        mask = (1 << _LOOK_BITS) - 1
        self._marks = {name: mark for name, mark in self._marks.items() if mark & mask >= self._counted_from}
