"""Checks of a draft against the service's live catalogue (API document, sections 3.1 to 3.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import attrs

from ..editions import Edition
from ..models import Category, Cost, DraftWarning, JobDraft, WorkerList, Zone
from ..models.catalog import INTERNATIONAL
from ..problems import Problem, ProblemCode
from .drafts import check_draft

_LEAST_WORKERS = 10
_COST = ("num_tasks", "task_value", "notify_followers", "premium_amount")


@attrs.frozen
class DraftCheck:
    """The result of `pico.jobs.check`.

    `problems` are everything that keeps the draft from being posted, `warnings` what the service may object to;
    both may be empty. `cost` is what the job costs, None if its parts break the limits. `balance` is what the
    account could spend at the time, in US dollars. Both are None for what is not a `JobDraft`.
    """

    problems: tuple[Problem, ...]
    warnings: tuple[DraftWarning, ...]
    cost: Cost | None
    balance: Decimal | None

    @property
    def ok(self) -> bool:
        """Whether no problem is known that keeps the draft from being posted."""
        return not self.problems


def check_draft_live(
    draft: JobDraft,
    edition: Edition,
    *,
    zones: Sequence[Zone],
    categories: Sequence[Category],
    lists: Sequence[WorkerList],
    balance: Decimal,
) -> DraftCheck:
    """Every problem of this draft, by the limits and by the current catalogue and balance.

    A field that breaks the limits is not checked against the catalogue, too. A certain cost above the balance is
    a problem; if only the estimate exceeds it, that is a warning, because no document has the fees.
    """
    problems = check_draft(draft, edition)
    broken = {problem.path[0] for problem in problems}
    category = next((category for category in categories if category.id == draft.category_id), None)
    if not broken & {"zone_id", "excluded_countries"}:
        problems += _check_zone(draft, zones)
    if "list_id" not in broken:
        problems += _check_list(draft, lists)
    if "category_id" not in broken:
        problems += _check_category(draft, category, may_price=not broken & {"zone_id", "list_id", "task_value"})
    cost = None if broken.intersection(_COST) else draft.cost()
    warnings = draft.warnings(category)
    if cost is not None and cost.known > balance:
        limit = f"at most the balance, {balance.normalize():f} US dollars"
        problems.append(Problem("cost", cost.known, limit, ProblemCode.RANGE))
    elif cost is not None and cost.estimate is not None and cost.estimate > balance:
        advice = f"the balance is {balance:f} US dollars: an estimate, since no document has the service's fees"
        warnings += (DraftWarning("balance", "cost", cost.estimate, advice, cost.fees_as_of),)
    return DraftCheck(tuple(problems), warnings, cost, balance)


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
            yield Problem(
                path, country, f"only these can be excluded from zone {zone.id}: {allowed}", ProblemCode.CHOICE
            )


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


def _check_category(draft: JobDraft, category: Category | None, *, may_price: bool) -> Iterator[Problem]:
    if category is None:
        limit = "one of the live categories, leading zeroes included"
        yield Problem("category_id", draft.category_id, limit, ProblemCode.CHOICE)
    elif may_price:
        zone = draft.zone_id if draft.zone_id is not None else INTERNATIONAL
        least = category.min_task_value.get(zone)
        if least is not None and draft.task_value < least:
            limit = f"at least {least} in category {category.id}, zone {zone}"
            yield Problem("task_value", draft.task_value, limit, ProblemCode.RANGE)
