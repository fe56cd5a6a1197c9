"""Make strangers' texts safe to show: nothing hidden, nothing reversed, nothing endless."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

MOST = 600
"""How many characters of a text are shown."""
MOST_LINES = 12
"""How many lines of a text are shown as lines; the breaks after them are symbols."""

_SHOWN_AS_THEY_ARE = frozenset("\n\t\u200c\u200d")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# No script puts more marks on a letter. All of them cannot be wrapped, and would push other cells off the page.
_MARKS = frozenset({"Mn", "Me"})
_MOST_MARKS = 6
_MORE_MARKS = "\u2039\u2026\u203a"
# Fillers, selectors of variants and a blank of Braille, which Unicode counts among letters, marks and symbols.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0e\uffa0\U000e0100-\U000e01ef]"
)
_FIRST_SYMBOL = 0x2400
_LINE_BREAK = "\u240a"
_DELETE, _ITS_SYMBOL = "\x7f", "\u2421"


def shown(text: object, most: int = MOST) -> str:
    """A text with its control characters as symbols, and a note in place of what exceeds `most` characters.

    Characters that cannot be seen, or change the direction of what follows, become their number, as `U+202E`.
    Tabs, the first line breaks, and the joiners that some scripts and emoji need are kept.
    """
    whole = text if isinstance(text, str) else str(text)
    cut = whole[:most]
    if not (cut.isascii() and cut.isprintable()):
        lines = "".join(_visibly(cut)).split("\n")
        cut = _LINE_BREAK.join(["\n".join(lines[:MOST_LINES]), *lines[MOST_LINES:]])
    rest = len(whole) - most
    return cut if rest <= 0 else f"{cut}… ({rest:,} more characters)"


def proofs(given: object, most: int = MOST) -> str:
    """The proofs of a task as one text; of any shape, because a sandbox may be told to list anything."""
    parts = given if isinstance(given, list | tuple) else [given]
    return shown("\n".join(_texts(parts)), most)


def _texts(parts: Iterable[Any]) -> Iterable[str]:
    for part in parts:
        text = part.get("text") if isinstance(part, dict) else part
        yield text if isinstance(text, str) else json.dumps(part, default=str)


def _visibly(text: str) -> Iterator[str]:
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in _MARKS else 0
        if marks > _MOST_MARKS:
            yield _MORE_MARKS if marks == _MOST_MARKS + 1 else ""
            continue
        seen = category not in _HIDDEN and not _UNSEEN.match(character)
        yield character if seen or character in _SHOWN_AS_THEY_ARE else _instead_of(character)


def _instead_of(character: str) -> str:
    if character < " ":
        return chr(_FIRST_SYMBOL + ord(character))
    return _ITS_SYMBOL if character == _DELETE else f"\u2039U+{ord(character):04X}\u203a"
