"""What a job costs: what is certain by the document, and what the web site's form made of it."""

from __future__ import annotations

from decimal import Decimal

import attrs

from .account import CONTEXT

SITE_AS_OF = "2024-10"
"""When the web site's form was saved that fees and floors are taken from: year and month."""


@attrs.frozen
class Fees:
    """What the service charges beside the pay, in US dollars; the shares are factors.

    A job's total is its pay x `pay`, x `high_pay` too where a task's value is `high_value` or more, plus
    `approval`. Telling followers adds `followers` of that total, at least `followers_least`.
    """

    as_of: str
    pay: Decimal
    high_value: Decimal
    high_pay: Decimal
    approval: Decimal
    followers: Decimal
    followers_least: Decimal


SITE_FEES = Fees(
    as_of=SITE_AS_OF,
    pay=Decimal("1.07"),
    high_value=Decimal("2.00"),
    high_pay=Decimal("1.025"),
    approval=Decimal("0.65"),
    followers=Decimal("0.03"),
    followers_least=Decimal("1.00"),
)
"""The arithmetic of the form with which the web site's own pages post a job. The API promises none of it."""


@attrs.frozen
class Cost:
    """What a job costs, in US dollars and exact: `known` for certain, `estimate` probably. None: cannot be told.

    `tasks` is tasks x value; `followers` the notice to followers, at least 3% of that and at least 1; `premium`
    the premium amount; `known` their sum, which the job costs at least. `estimate` is the whole with the fees of
    the web site's form as of `fees_as_of`, rounded nowhere: not a promise of the API. `unknown` says in words what
    is not in `known`. Source: section 3.4; the site's form for the estimate.
    """

    tasks: Decimal | None
    followers: Decimal | None
    premium: Decimal
    known: Decimal
    estimate: Decimal | None
    fees_as_of: str
    unknown: tuple[str, ...]


def cost_of(
    num_tasks: int | None, task_value: Decimal, *, notify_followers: bool, premium: Decimal, fees: Fees = SITE_FEES
) -> Cost:
    """The cost of so many tasks of this value; without `num_tasks`, only of what does not depend on them."""
    unknown = [f"the service's own fees; `estimate` has those of the web site's form of {fees.as_of}"]
    tasks = None if num_tasks is None else CONTEXT.multiply(num_tasks, task_value)
    followers: Decimal | None = Decimal(0)
    if tasks is None:
        unknown = ["the service's own fees", "the pay for the tasks: num_tasks is not set"]
    if notify_followers:
        followers = None if tasks is None else _share(tasks, fees)
        if followers is None:
            unknown.append("the notice to followers: 3% of the job, at least $1")
        else:
            unknown.append("the notice to followers beyond 3% of the pay: its 3% are of the fees, too")
    known = premium
    for part in (tasks, followers):
        known = known if part is None else CONTEXT.add(known, part)
    estimate = None
    if tasks is not None:
        estimate = _with_fees(tasks, task_value, fees)
        if notify_followers:
            estimate = CONTEXT.add(estimate, _share(estimate, fees))
        estimate = CONTEXT.add(estimate, premium)
    return Cost(tasks, followers, premium, known, estimate, fees.as_of, tuple(unknown))


def _with_fees(tasks: Decimal, task_value: Decimal, fees: Fees) -> Decimal:
    total = CONTEXT.multiply(tasks, fees.pay)
    if task_value >= fees.high_value:
        total = CONTEXT.multiply(total, fees.high_pay)
    return CONTEXT.add(total, fees.approval)


def _share(total: Decimal, fees: Fees) -> Decimal:
    """What telling followers costs, of a job of this total."""
    return CONTEXT.max(fees.followers_least, CONTEXT.multiply(total, fees.followers))
