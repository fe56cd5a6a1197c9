"""Answers that are kept for a while, and reads that several callers share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeVar

import anyio

T = TypeVar("T")


class _Kept(NamedTuple):
    began: float
    value: Any


class KeptAnswers:
    """The latest answer of each kind, and when its read began by the event loop's clock. One for a client."""

    def __init__(self) -> None:
        self._answers: dict[str, _Kept] = {}
        self._forgotten: dict[str, float] = {}

    def get(self, name: str, since: float) -> _Kept | None:
        """The answer of that name, if its read began at this time or later."""
        answer = self._answers.get(name)
        return answer if answer is not None and answer.began >= since else None

    def put(self, name: str, began: float, value: object) -> None:
        """Keep an answer, unless a later one is kept, or its read began before it was to be forgotten."""
        answer = self._answers.get(name)
        if (answer is None or answer.began <= began) and began >= self._forgotten.get(name, began):
            self._answers[name] = _Kept(began, value)

    def forget(self, name: str) -> None:
        """What was read so far under that name is no longer valid."""
        self._answers.pop(name, None)
        self._forgotten[name] = anyio.current_time()


class _Reading:
    """A read in progress; `result` is its result, None if it was cancelled."""

    def __init__(self, began: float) -> None:
        self.began = began
        self.ended = anyio.Event()
        self.result: _Kept | Exception | None = None


class SharedReads:
    """Reads through `KeptAnswers`; callers that ask while a read is in progress share its answer, or its failure.

    Only callers with the same options should share one, because a read is made with its first caller's timeout
    and place in the queue. A failure is raised to those that wait for the read, and not kept.
    """

    def __init__(self, kept: KeptAnswers) -> None:
        self._kept = kept
        self._under_way: dict[str, _Reading] = {}

    async def get(self, name: str, read: Callable[[], Awaitable[T]], max_age: float) -> T:
        """The answer of that name: one whose read began at most `max_age` seconds ago, else that of `read`."""
        since = anyio.current_time() - max_age
        while True:
            kept = self._kept.get(name, since)
            if kept is not None:
                value: T = kept.value
                return value
            reading = self._under_way.get(name)
            if reading is None or reading.began < since:
                return await self._read(name, read)
            await reading.ended.wait()
            if isinstance(reading.result, Exception):
                raise reading.result
            if reading.result is not None:
                shared: T = reading.result.value
                return shared

    async def _read(self, name: str, read: Callable[[], Awaitable[T]]) -> T:
        reading = self._under_way[name] = _Reading(anyio.current_time())
        try:
            value = await read()
            reading.result = _Kept(reading.began, value)
            self._kept.put(name, reading.began, value)
            return value
        except Exception as error:
            reading.result = error
            raise
        finally:
            reading.ended.set()
            if self._under_way.get(name) is reading:
                del self._under_way[name]
