"""What a sheet says besides its ratings, without a request: what jobs pay."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path

import attrs

from .. import sheets
from ..sheets.columns import Field, field_of, plain_name, to_mapped

_PAY = "pay"


@attrs.frozen
class SheetFacts:
    """Reads a sheet once more, as it was read for its ratings."""

    file: Path
    columns: dict[str, str]
    encoding: str | None
    sheet: str | None

    def pays(self) -> dict[str, Decimal]:
        """What each job pays for a task in US dollars, if all rows of the job say the same."""
        found: dict[str, Decimal | None] = {}
        for job_id, text in self._pairs():
            pay = _amount(text)
            found[job_id] = pay if found.get(job_id, pay) == pay else None
        return {job_id: pay for job_id, pay in found.items() if pay is not None}

    def _pairs(self) -> Iterator[tuple[str, str]]:
        mapped = to_mapped(self.columns)
        names: tuple[str, str] | None = None
        for row in sheets.rows(self.file, encoding=self.encoding, sheet=self.sheet):
            if names is None or not set(names) <= row.cells.keys():
                first = next((name for name in row.cells if field_of(name, mapped) is Field.JOB_ID), None)
                second = next((name for name in row.cells if plain_name(name) == _PAY), None)
                if first is None or second is None:
                    return
                names = first, second
            cells = [row.cells[name] for name in names]
            one, two = (str(cell).strip() if isinstance(cell, str | Decimal) else "" for cell in cells)
            if one and two:
                yield one, two


def _amount(text: str) -> Decimal | None:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None
