"""Rating tasks by a spreadsheet: export what is unrated, fill it in, and rate what it says. It needs no extra.

await sheets.export(pico, "tasks.csv")
ratings = sheets.read("tasks.csv")
ratings = (await sheets.compare(pico, ratings)).ratings  # without what was handed in anew meanwhile
await pico.rate_all(ratings, journal="tasks.db")
"""

from .cells import Odd
from .columns import Field
from .comparing import Comparison, StaleRow, compare
from .data import SheetRow, rows
from .exporting import ExportReport, export
from .problems import SheetChangedError, SheetError
from .reading import SheetRatings, check, read
from .summary import HighBonus, SheetSummary

__all__ = [
    "Comparison",
    "ExportReport",
    "Field",
    "HighBonus",
    "Odd",
    "SheetChangedError",
    "SheetError",
    "SheetRatings",
    "SheetRow",
    "SheetSummary",
    "StaleRow",
    "check",
    "compare",
    "export",
    "read",
    "rows",
]
