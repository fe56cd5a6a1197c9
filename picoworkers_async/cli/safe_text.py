"""Makes text from outside harmless for a terminal: nothing else from outside reaches one."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

# Printable by their category, and yet invisible: fillers, variation selectors, joiners, tags.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
_CONTROL_PICTURES = 0x2400
_DELETE = 0x7F
_MOST_MARKS = 4
"""Up to this many accents on one letter occur in languages; more only cover the lines around it."""


def safe(text: str) -> str:
    """The text with everything that a terminal would obey, or not show, as a visible mark.

    Control characters (escape, line ends, tabs) become their pictures, such as U+241B for escape. Anything else
    that is not printable, changes the direction of writing, has no width or is half a character becomes its
    code, as in `<U+202E>`. Spaces of other widths become spaces. Always returns one line.
    """
    if text.isascii() and text.isprintable():
        return text
    shown, marks = [], 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character)[0] == "M" else 0
        is_plain = character.isprintable() and not _INVISIBLE.match(character)
        shown.append(character if is_plain and marks <= _MOST_MARKS else _mark(character))
    return "".join(shown)


def _mark(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(_CONTROL_PICTURES + code)
    if code == _DELETE:
        return "\u2421"
    if unicodedata.category(character) == "Zs":
        return " "
    return f"<U+{code:04X}>"


def safe_json(value: Any) -> str:
    """JSON on one line, in ASCII: all of it reaches a terminal as JSON escapes."""
    return json.dumps(value, ensure_ascii=True).replace("\x7f", "\\u007f")
