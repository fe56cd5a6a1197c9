"""Rating many tasks: batches, reviews, and the settling of what was left unknown."""

from .batch import Batch
from .outcome import BatchReport, Outcome, OutcomeStatus
from .review import Decide

__all__ = ["Batch", "BatchReport", "Decide", "Outcome", "OutcomeStatus"]
