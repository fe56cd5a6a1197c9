"""A batch's memory on disk, so that it can be killed at any moment."""

from .progress import JournalProgress, Running
from .questions import JournalRow, JournalSummary
from .reader import Journal
from .schema import JournalState

__all__ = [
    "Journal",
    "JournalProgress",
    "JournalRow",
    "JournalState",
    "JournalSummary",
    "Running",
]
