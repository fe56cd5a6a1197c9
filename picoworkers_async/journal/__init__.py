"""What a batch remembers, so that it can be killed at any moment."""

from .reader import Journal, JournalRow
from .schema import JournalState

__all__ = ["Journal", "JournalRow", "JournalState"]
