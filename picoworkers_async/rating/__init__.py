"""Rating many tasks: batches, reviews, and the reconciling of what was left unknown."""

from .batch import Batch
from .outcomes import BatchReport, Outcome, OutcomeStatus

__all__ = ["Batch", "BatchReport", "Outcome", "OutcomeStatus"]
