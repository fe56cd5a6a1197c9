"""The strings that the cells of an XLSX share: on disk, because they may be as many as there are cells."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ..problems import ProblemCode
from .xlsx_zip import MOST_TEXT, Archive, local, unreadable

_PLACE = struct.Struct("<QI")
_REMEMBERED = 4_096


class TextParts:
    """Collects the text of a cell or string from its parts, without hints on how to pronounce it."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._size = 0
        self._within = self._phonetic = False

    def start(self, name: str) -> None:
        """An element begins."""
        if name == "t":
            self._within = True
        elif name == "rPh":
            self._phonetic = True

    def end(self, name: str) -> None:
        """An element ends."""
        if name == "t":
            self._within = False
        elif name == "rPh":
            self._phonetic = False

    def data(self, text: str) -> None:
        """Characters, of which those within `t` count."""
        if self._within and not self._phonetic:
            self._size += len(text)
            if self._size > MOST_TEXT:
                raise unreadable(f"cells of at most {MOST_TEXT} characters", ProblemCode.LENGTH)
            self._parts.append(text)

    def take(self) -> str:
        """The text so far; it starts anew."""
        text = "".join(self._parts)
        self._parts.clear()
        self._size = 0
        return text


class SharedStrings:
    """The strings of a workbook by their numbers. Close it; its temporary files go with it."""

    def __init__(self, archive: Archive, part: str | None) -> None:
        self._texts = tempfile.TemporaryFile()  # noqa: SIM115
        self._places = tempfile.TemporaryFile()  # noqa: SIM115
        self.count = 0
        self.get: Callable[[int], str] = lru_cache(maxsize=_REMEMBERED)(self._get)
        try:
            if part is not None and archive.has(part):
                for _ in archive.parse(part, self._prepare):
                    pass
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Remove them."""
        self._texts.close()
        self._places.close()

    def _prepare(self, parser: Any) -> None:
        parts = TextParts()
        offset = 0

        def start(name: str, _: object) -> None:
            parts.start(local(name))

        def end(name: str) -> None:
            nonlocal offset
            plain = local(name)
            parts.end(plain)
            if plain == "si":
                raw = parts.take().encode()
                self._texts.write(raw)
                self._places.write(_PLACE.pack(offset, len(raw)))
                offset += len(raw)
                self.count += 1

        parser.StartElementHandler, parser.EndElementHandler = start, end
        parser.CharacterDataHandler = parts.data

    def _get(self, number: int) -> str:
        """One of them. Raises `UnreadableError` for a number that none has."""
        if not 0 <= number < self.count:
            raise unreadable(f"a whole workbook: a cell names string {number} of {self.count}")
        self._places.seek(number * _PLACE.size)
        offset, size = _PLACE.unpack(self._places.read(_PLACE.size))
        self._texts.seek(offset)
        return self._texts.read(size).decode()
