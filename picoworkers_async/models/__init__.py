"""The service's data as attrs classes."""

from .account import Balances
from .catalog import Category, WorkerList, Zone
from .costs import Cost
from .drafts import Ack, JobDraft, PostedJob
from .floors import DraftWarning
from .jobs import (
    Autorate,
    Challenge,
    ChallengeAction,
    Job,
    JobChange,
    JobStatus,
    JobUpdate,
    Page,
    PredictedPosition,
    Proof,
    ProofType,
    WorkersLevel,
)
from .tasks import PreviousProof, Rating, RatingAck, Satisfaction, Task, TaskProof, Verdict

__all__ = [
    "Ack",
    "Autorate",
    "Balances",
    "Category",
    "Challenge",
    "ChallengeAction",
    "Cost",
    "DraftWarning",
    "Job",
    "JobChange",
    "JobDraft",
    "JobStatus",
    "JobUpdate",
    "Page",
    "PostedJob",
    "PredictedPosition",
    "PreviousProof",
    "Proof",
    "ProofType",
    "Rating",
    "RatingAck",
    "Satisfaction",
    "Task",
    "TaskProof",
    "Verdict",
    "WorkerList",
    "WorkersLevel",
    "Zone",
]
