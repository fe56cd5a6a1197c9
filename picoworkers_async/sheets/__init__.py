"""Rating tasks by a spreadsheet: export what is unrated, fill it in, and rate what it says. It needs no extra.

await sheets.export(pico, "tasks.csv")
ratings = sheets.read("tasks.csv")
await pico.rate_all(ratings, journal="tasks.db")
"""

from .cells import Odd
from .columns import Field
from .data import SheetRow, rows
from .exporting import ExportReport, export
from .problems import SheetChangedError, SheetError
from .reading import SheetRatings, check, read
from .summary import HighBonus, SheetSummary

__all__ = [
    "ExportReport",
    "Field",
    "HighBonus",
    "Odd",
    "SheetChangedError",
    "SheetError",
    "SheetRatings",
    "SheetRow",
    "SheetSummary",
    "check",
    "export",
    "read",
    "rows",
]
