"""Rate many tasks: batches, reviews, and the settling of ratings whose answer was lost."""

from .batch import Batch
from .limits import Limits
from .outcomes import BatchReport, Outcome, OutcomeStatus

__all__ = ["Batch", "BatchReport", "Limits", "Outcome", "OutcomeStatus"]
