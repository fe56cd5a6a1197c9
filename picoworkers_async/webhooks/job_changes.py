"""The changes of jobs' statuses, for whoever iterates."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

import anyio
import anyio.to_thread

from ..errors import ClientStateError
from ..models import JobChange
from .changes import Changes

_POLL = 1.0


class JobChanges:
    """An async context manager and, inside its block, an endless async iterator of changes, as they came.

    It yields each `JobChange` at least once: a change is handled when you ask for the next one. One that was
    yielded when the process died, or when its block was left, comes again in the next run; one that was handled
    does not.

    Several blocks of one receiver each get every change, and the slowest of them decides what is handled; a
    block that was left no longer counts. Several processes each get every change while they run, and the
    quickest decides what is handled: so let one process iterate. Let one task iterate over a block. The file is
    read once a second.

    Raises `SubmittedError` for a file that cannot be used; you may go on iterating after it.
    """

    def __init__(self, changes: Changes, opened: list[JobChanges]) -> None:
        self._changes = changes
        self._opened = opened
        self._handled = 0
        self._given = 0

    async def __aenter__(self) -> Self:
        if self in self._opened:
            raise ClientStateError("this block is open already: call receiver.job_changes() once for each block")
        # Counted from now on, so that nothing is handled unseen by this one while the file is read.
        self._handled = 0
        self._opened.append(self)
        try:
            self._handled = self._given = await anyio.to_thread.run_sync(self._changes.handled)
        except BaseException:
            self._opened.remove(self)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.remove(self)

    def __aiter__(self) -> AsyncIterator[JobChange]:
        return self

    async def __anext__(self) -> JobChange:
        self._handled = self._given
        while True:
            if self not in self._opened:
                raise ClientStateError("iterate inside the block: `async with receiver.job_changes() as changes:`")
            handled = min(block._handled for block in self._opened)
            found = await anyio.to_thread.run_sync(self._changes.next_after, self._given, handled)
            if found is not None:
                self._given, change = found
                return change
            await anyio.sleep(_POLL)
