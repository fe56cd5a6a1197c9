"""Tasks on their way into a sheet, in a temporary file: its columns are known only once all tasks came."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from typing import Self

from .layout import Widths

SpooledRow = tuple[list[str], list[str]]
"""What is known about a task, and its proofs."""


class Spool:
    """Rows that were added, in their order, and their widths. Close it; its file is removed with it."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self.widths: Widths = Widths()
        self.rows: int = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, rows: Sequence[SpooledRow]) -> None:
        """Add some rows."""
        for known, proofs in rows:
            self.widths.add(proofs)
            self._file.write(json.dumps((known, proofs)).encode() + b"\n")
        self.rows += len(rows)

    def __iter__(self) -> Iterator[SpooledRow]:
        self._file.seek(0)
        for line in self._file:
            known, proofs = json.loads(line)
            yield known, proofs
