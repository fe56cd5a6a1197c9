"""Asyncio client for the Picoworkers (SproutGigs) employer API.

Everything public is named in `__all__`; the rest may change at any time. Names are imported when they are first
used, so that a program that only might need them starts no slower.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client import AsyncPicoworkers
    from .editions import PICOWORKERS, SPROUTGIGS, Ability, Edition
    from .effects import Effect, Settlement
    from .errors import (
        AuthenticationError,
        CallError,
        ClientStateError,
        Fate,
        InvalidRequestError,
        InvalidResponseError,
        JournalError,
        MoneyCall,
        NoAnswerError,
        NotSentError,
        OutcomeUnknownError,
        PicoworkersError,
        Problem,
        RateLimitedError,
        RefusedError,
        ServiceError,
        ServiceMovedError,
    )
    from .journal import Journal, JournalRow, JournalState
    from .listings.pages import Pages
    from .models import (
        Ack,
        Autorate,
        Balances,
        Category,
        Challenge,
        ChallengeAction,
        Cost,
        Job,
        JobDraft,
        JobStatus,
        Page,
        PostedJob,
        PredictedPosition,
        PreviousProof,
        Proof,
        ProofType,
        Rating,
        RatingAck,
        Satisfaction,
        Task,
        TaskProof,
        Verdict,
        WorkerList,
        WorkersLevel,
        Zone,
    )
    from .rating import Batch, BatchReport, Outcome, OutcomeStatus
    from .retry import RetryPolicy
    from .throttle import (
        Pacer,
        PacerError,
        Priority,
        RedisPacer,
        SqlitePacer,
        Throttle,
        ThrottleState,
    )
    from .version import __version__

__all__ = [
    "PICOWORKERS",
    "SPROUTGIGS",
    "Ability",
    "Ack",
    "AsyncPicoworkers",
    "AuthenticationError",
    "Autorate",
    "Balances",
    "Batch",
    "BatchReport",
    "CallError",
    "Category",
    "Challenge",
    "ChallengeAction",
    "ClientStateError",
    "Cost",
    "Edition",
    "Effect",
    "Fate",
    "InvalidRequestError",
    "InvalidResponseError",
    "Job",
    "JobDraft",
    "JobStatus",
    "Journal",
    "JournalError",
    "JournalRow",
    "JournalState",
    "MoneyCall",
    "NoAnswerError",
    "NotSentError",
    "Outcome",
    "OutcomeStatus",
    "OutcomeUnknownError",
    "Pacer",
    "PacerError",
    "Page",
    "Pages",
    "PicoworkersError",
    "PostedJob",
    "PredictedPosition",
    "PreviousProof",
    "Priority",
    "Problem",
    "Proof",
    "ProofType",
    "RateLimitedError",
    "Rating",
    "RatingAck",
    "RedisPacer",
    "RefusedError",
    "RetryPolicy",
    "Satisfaction",
    "ServiceError",
    "ServiceMovedError",
    "Settlement",
    "SqlitePacer",
    "Task",
    "TaskProof",
    "Throttle",
    "ThrottleState",
    "Verdict",
    "WorkerList",
    "WorkersLevel",
    "Zone",
    "__version__",
]

_HOMES = {
    ".client": ("AsyncPicoworkers",),
    ".editions": (
        "PICOWORKERS",
        "SPROUTGIGS",
        "Ability",
        "Edition",
    ),
    ".errors": (
        "AuthenticationError",
        "CallError",
        "ClientStateError",
        "Fate",
        "InvalidRequestError",
        "InvalidResponseError",
        "JournalError",
        "MoneyCall",
        "NoAnswerError",
        "NotSentError",
        "OutcomeUnknownError",
        "PicoworkersError",
        "Problem",
        "RateLimitedError",
        "RefusedError",
        "ServiceError",
        "ServiceMovedError",
    ),
    ".models": (
        "Ack",
        "Autorate",
        "Balances",
        "Category",
        "Challenge",
        "ChallengeAction",
        "Cost",
        "Job",
        "JobDraft",
        "JobStatus",
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
    ),
    ".listings.pages": ("Pages",),
    ".journal": ("Journal", "JournalRow", "JournalState"),
    ".rating": (
        "Batch",
        "BatchReport",
        "Outcome",
        "OutcomeStatus",
    ),
    ".retry": ("RetryPolicy",),
    ".effects": (
        "Effect",
        "Settlement",
    ),
    ".throttle": (
        "Pacer",
        "PacerError",
        "Priority",
        "RedisPacer",
        "SqlitePacer",
        "Throttle",
        "ThrottleState",
    ),
    ".version": ("__version__",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home, __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
