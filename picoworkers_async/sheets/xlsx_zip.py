"""The parts of an XLSX: an archive of XML, of which none may be a bomb."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, cast
from xml.parsers import expat

from ..problems import ProblemCode
from .problems import UnreadableError, whole

MOST_BYTES = 4 * 1024**3
"""The most that one part may be when unpacked: a sheet of a million rows, each of about four thousand bytes."""

_CALM_BYTES = 64 * 1024**2
_MOST_RATIO = 250
"""A part above 64 MiB may be compressed this well; DEFLATE reaches 1032, and a sheet of real work about 10."""

_MOST_PARTS = 2_000
_MOST_DIRECTORY_BYTES = 4 * 1024**2
"""The most that the archive's directory may be; it is read whole, before its entries can be counted."""

_MOST_SMALL_BYTES = 16 * 1024**2
"""The most that a part may be that is kept in memory, such as the styles."""

MOST_DEPTH = 200
"""How deeply elements may be nested; the parser keeps those that are open, and a sheet has about 8."""

_CHUNK_BYTES = 64 * 1024
MOST_TOKEN_BYTES = 512 * 1024
"""The most that one tag may be; the parser keeps it whole."""

MOST_TEXT = 1024 * 1024
"""The most that one cell may hold, in characters: thirty times Excel's limit."""

Attributes = Mapping[str, str]


def unreadable(why: str, code: ProblemCode = ProblemCode.FORMAT) -> UnreadableError:
    """The file as a whole cannot be read."""
    return UnreadableError(whole(1, None, why, code))


class Archive:
    """An open XLSX. Raises `UnreadableError` for what is not one, or cannot be one in good faith."""

    def __init__(self, file: IO[bytes]) -> None:
        try:
            self._zip = zipfile.ZipFile(cast("IO[bytes]", _ReadInPieces(file)))
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise unreadable(f"a workbook in the format .xlsx: {error}") from None
        self._parts = {info.filename.lstrip("/").lower(): info for info in self._zip.infolist()}
        if len(self._parts) > _MOST_PARTS:
            raise unreadable(f"a workbook of at most {_MOST_PARTS} parts", ProblemCode.LENGTH)

    def has(self, name: str) -> bool:
        """Whether there is a part of this name."""
        return name.lower() in self._parts

    def parse(self, name: str, prepare: Callable[[Any], None]) -> Iterator[None]:
        """Parse one part piece by piece, with the handlers that `prepare` gives to its parser."""
        info = self._parts.get(name.lower())
        if info is None:
            raise unreadable(f"a whole workbook: it has no part {name}")
        if info.header_offset < 0:
            raise unreadable(f"a whole workbook: {name} begins before the file")
        if info.flag_bits & 1:
            raise unreadable("a workbook without a password")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise unreadable("a workbook packed as spreadsheet programs do")
        ratio = info.file_size / max(info.compress_size, 1)
        if info.file_size > MOST_BYTES or (info.file_size > _CALM_BYTES and ratio > _MOST_RATIO):
            real = f"{name} is {info.file_size} bytes unpacked, {ratio:.0f} times what is packed"
            raise unreadable(f"a workbook of real size: {real}", ProblemCode.LENGTH)
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _no_doctype
        prepare(parser)
        _bound_depth(parser)
        given = 0
        try:
            with self._zip.open(info) as part:
                while chunk := part.read(_CHUNK_BYTES):
                    given += len(chunk)
                    parser.Parse(chunk, False)
                    if given - parser.CurrentByteIndex > MOST_TOKEN_BYTES:
                        raise unreadable("a workbook without endless tags", ProblemCode.LENGTH)
                    yield
                parser.Parse(b"", True)
            yield
        except (expat.ExpatError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise unreadable(f"a whole workbook: {name}: {error}") from None
        except (ValueError, LookupError) as error:
            # An encoding that is none, or that the parser cannot read.
            raise unreadable(f"a whole workbook: {name}: {error}") from None

    def read(self, name: str, start: Callable[[str, Attributes], None]) -> None:
        """Report the elements of a small part, by their names without namespaces."""

        def prepare(parser: Any) -> None:
            parser.StartElementHandler = lambda name, attributes: start(local(name), attributes)

        info = self._parts.get(name.lower())
        if info is not None and info.file_size > _MOST_SMALL_BYTES:
            raise unreadable(f"a workbook of real size: {name} is {info.file_size} bytes", ProblemCode.LENGTH)
        for _ in self.parse(name, prepare):
            pass


class _ReadInPieces:
    """A file that returns no more at a time than the directory of a workbook takes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        """Read on. Raises `UnreadableError` for more than that."""
        most = _MOST_DIRECTORY_BYTES + 1
        raw = self._file.read(most if size < 0 else min(size, most))
        if len(raw) == most:
            raise unreadable(f"a workbook of at most {_MOST_PARTS} parts", ProblemCode.LENGTH)
        return raw


def _bound_depth(parser: Any) -> None:
    """Have the handlers of a parser refuse elements that are nested too deeply."""
    start, end = parser.StartElementHandler, parser.EndElementHandler
    depth = 0

    def deeper(name: str, attributes: Attributes) -> None:
        nonlocal depth
        depth += 1
        if depth > MOST_DEPTH:
            raise unreadable("a workbook whose elements are not nested so deeply", ProblemCode.LENGTH)
        start(name, attributes)

    def back(name: str) -> None:
        nonlocal depth
        depth -= 1
        if end is not None:
            end(name)

    parser.StartElementHandler, parser.EndElementHandler = deeper, back


def local(name: str) -> str:
    """The name of an element or attribute, without its namespace."""
    return name.rpartition(" ")[2]


def _no_doctype(*_: object) -> None:
    raise unreadable("a workbook without a document type: those define entities, and none needs any")
