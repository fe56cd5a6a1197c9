"""Limits of a draft of which some fields could not be read: those that hold whatever these were meant to be."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import attrs

from ..editions import EDITIONS
from ..models import JobDraft
from ..problems import Problem, ProblemCode
from .drafts import check_draft

# A class that a program derived from ours may have more.
_OF_A_DRAFT = frozenset(field.name for field in attrs.fields(JobDraft))
_JUDGED_TOGETHER = frozenset(
    (
        *(
            "zone_id",
            "list_id",
            "excluded_countries",
            "instructions",
            "variables",
            "challenges",
            "challenge_action",
        ),
        *("workers_level", "workers_max_tasks", "start_time", "end_time"),
    )
)
"""Fields where one can break a limit because of another one's value."""


def check_readable(fields: Mapping[str, Any], unread: Collection[Problem]) -> list[Problem]:
    """What breaks the limits of every edition in the fields that could be read, besides what was `unread`.

    `fields` are what was read, by names; what could not be read is None, or has None in its place.
    """
    least = {"category_id": None, "title": None, "task_value": None}
    draft = JobDraft(**least | {name: value for name, value in fields.items() if name in _OF_A_DRAFT})
    found = [check_draft(draft, edition) for edition in EDITIONS.values()]
    return [
        problem
        for problem in found[0]
        if all(problem in others for others in found[1:]) and not any(_may_follow(problem, one) for one in unread)
    ]


def _may_follow(problem: Problem, unread: Problem) -> bool:
    """Whether a problem may be there only because something could not be read."""
    if not unread.path:
        return True
    depth = min(len(problem.path), len(unread.path))
    if problem.path[:depth] == unread.path[:depth]:
        return problem.code is not ProblemCode.LENGTH or len(unread.path) == 1
    if unread.path[0] not in _JUDGED_TOGETHER or unread.code is ProblemCode.UNKNOWN:
        return False
    return problem.code is ProblemCode.CONFLICT or (problem.path[0] in _JUDGED_TOGETHER and problem.value is None)
