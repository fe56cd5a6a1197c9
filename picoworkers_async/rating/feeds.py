"""Where the ratings of a batch come from when they are given by the caller."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable

import anyio.lowlevel

from ..models import Rating
from .engine import Engine

_UNINTERRUPTED = 16


class Ratings:
    """The feed of `rate`: an iterable or async iterable, read as there is room."""

    def __init__(self, ratings: Iterable[Rating] | AsyncIterable[Rating]) -> None:
        given: object = ratings
        if not isinstance(given, Iterable | AsyncIterable):
            kind = type(given).__name__
            raise TypeError(f"ratings must be an iterable or async iterable of Rating, not {kind}")
        self._ratings = ratings

    async def __call__(self, engine: Engine) -> None:
        if isinstance(self._ratings, AsyncIterable):
            async for rating in self._ratings:
                await engine.put(rating)
        else:
            for number, rating in enumerate(self._ratings):
                await engine.put(rating)
                # Ratings that need not wait must not keep everybody else from running.
                if number % _UNINTERRUPTED == 0:
                    await anyio.lowlevel.checkpoint()
