"""What a job costs: what is certain by the document, and what the web site's form added to it."""

from __future__ import annotations

from decimal import Decimal

import attrs

from .account import CONTEXT

SITE_AS_OF = "2024-10"
"""The year and month of the web site's form for posting a job that fees and floors are taken from."""

_FEE = Decimal("1.07")
_HIGH_VALUE = Decimal("2.00")
_HIGH_VALUE_FEE = Decimal("1.025")
_APPROVAL = Decimal("0.65")
_FOLLOWERS = Decimal("0.03")
_FOLLOWERS_LEAST = Decimal("1.00")


@attrs.frozen
class Cost:
    """What a job costs, in US dollars, exact: `known` for certain, `estimate` probably. None: not known.

    `tasks` is tasks x value; `followers` is the notice to followers, at least 3% of that and at least 1;
    `premium` is the premium amount; `known` is their sum, the least that the job costs. `estimate` is the whole
    with the fees of the web site's form as of `fees_as_of`, unrounded: not a promise of the API. `unknown` says
    in words what is not in `known`. Source: section 3.4 of the API document; the site's form for the estimate.
    """

    tasks: Decimal | None
    followers: Decimal | None
    premium: Decimal
    known: Decimal
    estimate: Decimal | None
    fees_as_of: str
    unknown: tuple[str, ...]


def cost_of(num_tasks: int | None, task_value: Decimal, *, notify_followers: bool, premium: Decimal) -> Cost:
    """The cost of this many tasks of this value; without `num_tasks`, only what does not depend on them."""
    if num_tasks is None:
        unknown = ["the service's own fees", "the pay for the tasks: num_tasks is not set"]
        if notify_followers:
            unknown.append("the notice to followers: 3% of the job, at least $1")
        followers = None if notify_followers else Decimal(0)
        return Cost(None, followers, premium, premium, None, SITE_AS_OF, tuple(unknown))
    unknown = [f"the service's own fees; `estimate` has those of the web site's form of {SITE_AS_OF}"]
    tasks = CONTEXT.multiply(num_tasks, task_value)
    total = _with_fees(tasks, task_value)
    known, estimate = (CONTEXT.add(amount, premium) for amount in (tasks, total))
    followers = Decimal(0)
    if notify_followers:
        unknown.append("the notice to followers beyond 3% of the pay: its 3% may be of the fees, too")
        followers = _notice(tasks)
        known, estimate = CONTEXT.add(known, followers), CONTEXT.add(estimate, _notice(total))
    return Cost(tasks, followers, premium, known, estimate, SITE_AS_OF, tuple(unknown))


def _with_fees(tasks: Decimal, task_value: Decimal) -> Decimal:
    total = CONTEXT.multiply(tasks, _FEE)
    if task_value >= _HIGH_VALUE:
        total = CONTEXT.multiply(total, _HIGH_VALUE_FEE)
    return CONTEXT.add(total, _APPROVAL)


def _notice(total: Decimal) -> Decimal:
    """What notifying followers costs, for a job of this total."""
    return CONTEXT.max(_FOLLOWERS_LEAST, CONTEXT.multiply(total, _FOLLOWERS))
