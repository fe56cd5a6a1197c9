"""A page of a listing."""

from __future__ import annotations

from typing import Generic, TypeVar

import attrs

T = TypeVar("T")


@attrs.frozen
class Page(Generic[T]):
    """One page: its number, how many there are (0 or 1 when nothing more is listed), and its items in order."""

    current_page: int
    pages: int
    items: tuple[T, ...]
    is_whole: bool = True
    """False when the answer itself left out the items, or how many pages there are: it proves nothing then."""
