"""What only the service's own, live catalogue can tell about a draft (sections 3.1 to 3.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from ..models import Category, JobDraft, WorkerList, Zone
from ..problems import Problem, ProblemCode

_LEAST_WORKERS = 10
_PRICE_OF_LISTS = "int"


def check_draft_live(
    draft: JobDraft, zones: Sequence[Zone], categories: Sequence[Category], lists: Sequence[WorkerList]
) -> list[Problem]:
    """What keeps this draft from being posted, by the zones, categories and lists as they are now."""
    return [
        *_check_zone(draft, zones),
        *_check_list(draft, lists),
        *_check_category(draft, categories),
    ]


def _check_zone(draft: JobDraft, zones: Sequence[Zone]) -> Iterator[Problem]:
    if draft.zone_id is None:
        return
    zone = next((zone for zone in zones if zone.id == draft.zone_id), None)
    if zone is None:
        yield Problem(
            "zone_id", draft.zone_id, f"one of {', '.join(zone.id for zone in zones)}", ProblemCode.CHOICE
        )
        return
    for place, country in enumerate(draft.excluded_countries or ()):
        if country not in zone.excludable_countries:
            path = ("excluded_countries", place)
            allowed = ", ".join(zone.excludable_countries) or "none"
            yield Problem(path, country, f"zone {zone.id} lets one exclude: {allowed}", ProblemCode.CHOICE)


def _check_list(draft: JobDraft, lists: Sequence[WorkerList]) -> Iterator[Problem]:
    if draft.list_id is None:
        return
    chosen = next((workers for workers in lists if workers.id == draft.list_id), None)
    if chosen is None:
        known = ", ".join(str(workers.id) for workers in lists) or "none"
        yield Problem("list_id", draft.list_id, f"one of your lists: {known}", ProblemCode.CHOICE)
    elif chosen.workers is not None and chosen.workers < _LEAST_WORKERS:
        limit = f"a list of at least {_LEAST_WORKERS} workers; this one has {chosen.workers}"
        yield Problem("list_id", draft.list_id, limit, ProblemCode.LENGTH)


def _check_category(draft: JobDraft, categories: Sequence[Category]) -> Iterator[Problem]:
    category = next((category for category in categories if category.id == draft.category_id), None)
    if category is None:
        limit = "one of the live categories, leading zeroes included"
        yield Problem("category_id", draft.category_id, limit, ProblemCode.CHOICE)
        return
    zone = draft.zone_id if draft.zone_id is not None else _PRICE_OF_LISTS
    least = category.min_task_value.get(zone)
    if least is not None and isinstance(draft.task_value, Decimal) and draft.task_value < least:
        yield Problem(
            "task_value",
            draft.task_value,
            f"at least {least} in category {category.id}, zone {zone}",
            ProblemCode.RANGE,
        )
