"""The last part: the library's report beside the services' ledgers."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from ...sandbox import Sandbox
from . import words
from .screen import Screen, table_of
from .services import Money, Part


def show(screen: Screen, parts: Sequence[Part], sandboxes: Sequence[Sandbox]) -> bool:
    """Compare them, and say whether they agree."""
    screen.say(words.BOOKS)
    rows: list[tuple[str | Text, ...]] = []
    for part in parts:
        style = "green" if part.told == part.booked else "bold red"
        rows.append((part.name, words.BOOKS_REPORT, *_row(part.told, style)))
        rows.append(("", words.BOOKS_LEDGER, *_row(part.booked, style)))
    screen.table(table_of(words.BOOKS_HEADINGS, rows, numbers=(2, 3, 4)))
    differing = [part.name for part in parts if part.told != part.booked]
    twice = sum(sandbox.double_ratings for sandbox in sandboxes)
    left = sum(len(sandbox.unrated()) for sandbox in sandboxes)
    limited = sum(sandbox.rate_limited for sandbox in sandboxes)
    if differing or twice or left:
        screen.say(words.BOOKS_DIFFER.format(", ".join(differing) or "-", twice, left), "bold red")
        return False
    screen.say(words.BOOKS_AGREE.format(twice, left, limited), "bold green")
    return True


def _row(money: Money, style: str) -> list[Text]:
    return [Text(shown, style=style) for shown in (f"{money.rated:,}", f"${money.pay:.2f}", f"${money.bonus:.2f}")]
