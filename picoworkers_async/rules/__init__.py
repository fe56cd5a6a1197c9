"""The documented limits, checked on plain values before anything is sent. Each check lists every problem."""

from .calls import (
    MOST_TASK_IDS,
    check_category,
    check_deposit,
    check_feature,
    check_job_id,
    check_list_id,
    check_order,
    check_page,
    check_positions,
    check_request,
    check_speed,
    check_status_filter,
    check_task_ids,
    check_ttr,
    check_workers,
)
from .drafts import check_draft
from .fields import check_fields
from .live import DraftCheck, check_draft_live
from .ratings import check_rating, check_ratings

__all__ = [
    "MOST_TASK_IDS",
    "DraftCheck",
    "check_category",
    "check_deposit",
    "check_draft",
    "check_draft_live",
    "check_feature",
    "check_fields",
    "check_job_id",
    "check_list_id",
    "check_order",
    "check_page",
    "check_positions",
    "check_rating",
    "check_ratings",
    "check_request",
    "check_speed",
    "check_status_filter",
    "check_task_ids",
    "check_ttr",
    "check_workers",
]
