"""Rating many tasks: batches, reviews, and the reconciling of what was left unknown."""

from .batch import Batch
from .limits import Limits
from .outcomes import BatchReport, Outcome, OutcomeStatus

__all__ = ["Batch", "BatchReport", "Limits", "Outcome", "OutcomeStatus"]
