"""What a journal needs of its database, whichever it is: the words are SQLite's, the promise is the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from .places import Place

T = TypeVar("T")


class Rows(Protocol):
    """What a statement gives."""

    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Database(Protocol):
    """A connection to a journal's tables: statements are SQLite's, with `?` for what goes into them."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Rows:
        """Do this."""

    def executemany(self, statement: str, values: Iterable[Sequence[Any]], /) -> object:
        """Do this for each of these; what it gives is not asked for."""

    def change(self, statement: str, values: Sequence[Any] = ..., /) -> int:
        """Do this, and give how many rows it changed."""

    def stream(self, statement: str, values: Sequence[Any] = ..., /) -> Iterator[Any]:
        """What this finds, with little of it in memory at a time."""

    def select_each(self, statement: str, keys: Iterable[Sequence[Any]], /) -> list[list[Any]]:
        """What this finds for each of these, in their order."""


class Store(Protocol):
    """Where a journal is kept, from `open` to `close`, held by one batch at a time."""

    @property
    def place(self) -> Place:
        """What names it."""

    renew_seconds: float | None
    """How often `renew` is to be called while nothing else is asked of it; None if that is not needed."""

    def open(self) -> None:
        """Take hold of it. Raises `JournalError`; `JournalBusyError` if another batch has it."""

    def write(self, work: Callable[[Database], T]) -> T:
        """Do this in one transaction, and give what it gives once that is durable. It may be done again."""

    def read(self, work: Callable[[Database], T]) -> T:
        """Ask the database, and give what that gives. It may be asked again."""

    def renew(self) -> None:
        """Show that the batch lives. Never raises: what is wrong is met by the next step."""

    def is_stale(self) -> bool:
        """Whether it is so long ago that it was held for certain that another batch may have taken it over."""

    def close(self) -> None:
        """Let it go."""
