"""The TOML parser's messages, in words for whoever wrote the file: the line, and the name of the value."""

from __future__ import annotations

import re

_PLACE = re.compile(r" ?\(at (?:line (\d+), column \d+|end of document)\)$")
_HEADER = re.compile(r"\s{0,99}\[\[?([^\]]{1,200})\]\]?\s{0,99}(?:#|$)")
_NAME = re.compile(r"""\s{0,99}([\w."'-][\w."' -]{0,200}?)\s{0,99}=""")
# Both bounded, since a file may hold anything.
_LONGEST = 60
_TWICE = (
    "Cannot overwrite a value",
    "Cannot declare",
    "Cannot mutate immutable namespace",
    "Duplicate inline table key",
)


def toml_in_words(said: str, text: str) -> str:
    """The parser's message about this text, made plain where it is about a name that occurs twice."""
    place = _PLACE.search(said)
    if place is None:
        return said
    what = said[: place.start()]
    lines = text.splitlines()
    number = min(int(place[1] or len(lines)), len(lines))
    name = _name_before(lines, number)
    if what.startswith("Duplicate inline table key"):
        name = what.partition("key ")[2]
    if name and what.startswith(_TWICE):
        return f"line {number}: {name} would overwrite what was given before"
    if place[1] is None:
        return f"{what}, at the end of the file"
    line = lines[number - 1] if lines else ""
    shown = line.strip()
    cut = shown if len(shown) <= _LONGEST else shown[: _LONGEST - 3] + "..."
    return f"line {number}, {cut!r}: {what}" if shown else f"line {number}: {what}"


def _name_before(lines: list[str], number: int) -> str:
    """The name that is given a value, or the table that begins, in this line or the nearest one before it."""
    for line in reversed(lines[:number]):
        header, name = _HEADER.match(line), _NAME.match(line)
        if name or header:
            found = name[1] if name else f"[{header[1].strip()}]" if header else ""
            return found if len(found) <= _LONGEST else found[: _LONGEST - 3] + "..."
    return ""
