"""The documented limits, checked on plain values before anything is sent. Each check lists all it finds."""

from .calls import (
    check_deposit,
    check_job_id,
    check_page,
    check_positions,
    check_speed,
    check_status_filter,
    check_ttr,
    check_workers,
)
from .drafts import check_draft
from .live import check_draft_live
from .ratings import check_rating

__all__ = [
    "check_deposit",
    "check_draft",
    "check_draft_live",
    "check_job_id",
    "check_page",
    "check_positions",
    "check_rating",
    "check_speed",
    "check_status_filter",
    "check_ttr",
    "check_workers",
]
