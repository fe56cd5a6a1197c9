"""The account's money, and how money is calculated: as `Decimal`, in a decimal context of our own.

The caller's decimal context (its precision, its traps) has no effect on what is read, checked or sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

import attrs

CONTEXT = Context(
    prec=100, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[DivisionByZero, InvalidOperation, Overflow], clamp=0
)
"""For everything that calculates with, rounds or makes a `Decimal`."""


@attrs.frozen
class Balances:
    """What the account has earned and what it can spend, in US dollars, exact.

    Source: section 4.1 of the API document.
    """

    earned: Decimal
    spendable: Decimal
    extra: Mapping[str, Any] = attrs.field(factory=dict)
    """Fields that are in no document."""


def to_money(value: Decimal | int | float | str) -> Any:
    """Read an int, a str, a float (by its shortest decimal form) or a Decimal as US dollars.

    What cannot be read is returned as it is; the rules report it with all other problems.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return Decimal(value, CONTEXT)
    if isinstance(value, float):
        # The repr of a subclass, such as numpy's, is not always a number.
        return Decimal(float.__repr__(value), CONTEXT)
    if isinstance(value, str):
        try:
            return Decimal(value.strip(), CONTEXT)
        except InvalidOperation:
            return value
    return value


def to_money_or_none(value: Decimal | int | float | str | None) -> Any:
    """`to_money`, where None means: not given."""
    return None if value is None else to_money(value)
