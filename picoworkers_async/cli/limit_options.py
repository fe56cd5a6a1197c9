"""The options that bound what a review may spend."""

from __future__ import annotations

from typing import Annotated

import attrs
from cyclopts import Group, Parameter

from ..errors import InvalidRequestError
from ..rating.limits import Limits, limits_problems
from ..rating.options import OnLimit

_LIMITS = Group("Limits, in US dollars", sort_key=8)
Money = str | None


@Parameter(name="*", group=_LIMITS)
@attrs.frozen(kw_only=True)
class LimitOptions:
    """What may be spent, as `Limits` has it, and what to do at a limit."""

    max_bonus: Annotated[Money, Parameter(help="The highest bonus of one rating.")] = None
    bonus_per_day: Annotated[Money, Parameter(help="The most to pay as bonuses in a day.")] = None
    pay_per_day: Annotated[Money, Parameter(help="The most to pay in a day, bonuses included.")] = None
    tasks_per_day: Annotated[int | None, Parameter(help="The most ratings in a day.")] = None
    total: Annotated[Money, Parameter(help="The most to pay in all, as far back as the journal goes.")] = None
    keep_balance: Annotated[Money, Parameter(help="The balance that must be left after a bonus.")] = None
    timezone: Annotated[str, Parameter(help="The time zone in which a day begins at midnight (UTC).")] = "UTC"
    on_limit: Annotated[
        OnLimit,
        Parameter(help="At a limit: stop, wait until it is lifted, or leave what exceeds it (stop)."),
    ] = "stop"

    def limits(self) -> Limits | None:
        """The limits; None if none is given. Raises `InvalidRequestError` for what is no amount."""
        given = {
            field.name: getattr(self, field.name) for field in attrs.fields(Limits) if field.name != "timezone"
        }
        limits = Limits(**given, timezone=self.timezone)
        problems = limits_problems(limits)
        if problems:
            raise InvalidRequestError("review", problems)
        return limits if any(value is not None for value in given.values()) else None


def in_words(limits: Limits | None) -> str:
    """The limits, for the question whether to go on."""
    if limits is None:
        return "no limit"
    told = []
    for field in attrs.fields(Limits):
        value = getattr(limits, field.name)
        if value is not None and field.name != "timezone":
            dollars = "" if field.name == "tasks_per_day" else "$"
            told.append(f"{field.name.replace('_', ' ')} {dollars}{value}")
    return ", ".join(told)
