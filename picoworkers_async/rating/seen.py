"""Which tasks a review has met, so that each is decided once."""

from __future__ import annotations

from collections import deque

from ..models import Task

_LOOK_BITS = 32
_LOOKS_KEPT = 4096
_LOOK_MASK = (1 << _LOOK_BITS) - 1

# A dictionary of a million entries takes a tenth of a second to grow, or to be gone through; one of 256 does not.
_SHARDS = 256
_EXAMINED_AT_ONCE = 2048
_MET_BETWEEN = 64


class SeenTasks:
    """Which tasks were met, in which revision, and in which sweep of the listing each was last seen.

    One dictionary entry for each listed task: about 150 bytes. Tasks that complete sweeps no longer show are
    forgotten after a while, and their memory is freed bit by bit: no call examines more than 2,048 tasks and a
    256th of all. With `most`, for tasks of which no sweep shows that they are gone, the one that was met first
    is forgotten when there are more.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._shards: list[dict[str, int]] = [{} for _ in range(_SHARDS)]
        self._size = 0
        self._in_order: deque[str] = deque()
        self._look = 0
        self._began: deque[tuple[int, float]] = deque(maxlen=_LOOKS_KEPT)
        self._counted_from = 1
        self._counted = 0
        # What was last seen before this look is forgotten; shards from this number on still hold some of it.
        self._oldest_kept = 0
        self._unswept = _SHARDS
        self._met_since_sweep = 0

    def __len__(self) -> int:
        """How many tasks take up memory."""
        return self._size

    def begin_look(self, now: float, *, count_anew: bool) -> None:
        """Start another sweep; the count of different tasks continues from the sweeps before, or starts anew."""
        self._look += 1
        self._began.append((self._look, now))
        if count_anew:
            self._counted_from, self._counted = self._look, 0

    def meet(self, task: Task) -> bool:
        """Note that the task is listed. Whether it is new: an unknown id, or a higher revision."""
        if self._unswept < _SHARDS:
            self._met_since_sweep += 1
            if self._met_since_sweep >= _MET_BETWEEN:
                self._sweep_some()
        task_id, revision = task.id, task.revision_number
        marks = self._shards[hash(task_id) % _SHARDS]
        mark = marks.get(task_id)
        if mark is not None and mark & _LOOK_MASK >= self._oldest_kept:
            known, seen_in = mark >> _LOOK_BITS, mark & _LOOK_MASK
            if seen_in < self._counted_from:
                self._counted += 1
            marks[task_id] = max(known, revision) << _LOOK_BITS | self._look
            return revision > known
        self._counted += 1
        self._size += mark is None
        marks[task_id] = revision << _LOOK_BITS | self._look
        if self._most is not None:
            self._in_order.append(task_id)
            if len(self._in_order) > self._most:
                self._drop(self._in_order.popleft())
        return True

    def ended(self, task_id: str) -> None:
        """The task has ended: a lagging listing may show it for a while, so it is kept for as long."""
        marks = self._shards[hash(task_id) % _SHARDS]
        mark = marks.get(task_id)
        if mark is not None and mark & _LOOK_MASK >= self._oldest_kept:
            marks[task_id] = mark >> _LOOK_BITS << _LOOK_BITS | self._look

    def knows(self, task_id: str) -> bool:
        """Whether the task was met, and is not forgotten."""
        mark = self._shards[hash(task_id) % _SHARDS].get(task_id)
        return mark is not None and mark & _LOOK_MASK >= self._oldest_kept

    def has_seen(self, total: int) -> bool:
        """Whether as many different tasks were seen as the listing holds."""
        return self._counted >= total

    def forget_the_gone(self, before: float) -> None:
        """After a complete sweep: drop what was last seen in one that another followed by the time `before`."""
        oldest_kept = 0
        while len(self._began) > 1 and self._began[1][1] <= before:
            oldest_kept = self._began.popleft()[0] + 1
        if oldest_kept:
            self._oldest_kept = oldest_kept
            self._unswept = 0
        self._sweep_some()

    def _sweep_some(self) -> None:
        """Free the memory of some tasks that are forgotten."""
        self._met_since_sweep = 0
        examined = 0
        while self._unswept < _SHARDS and examined < _EXAMINED_AT_ONCE:
            marks = self._shards[self._unswept]
            examined += len(marks)
            kept = {name: mark for name, mark in marks.items() if mark & _LOOK_MASK >= self._oldest_kept}
            self._size -= len(marks) - len(kept)
            self._shards[self._unswept] = kept
            self._unswept += 1

    def _drop(self, task_id: str) -> None:
        if self._shards[hash(task_id) % _SHARDS].pop(task_id, None) is not None:
            self._size -= 1
