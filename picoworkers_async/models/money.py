"""Money is `Decimal`, and never goes through binary arithmetic."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any


def to_money(value: Any) -> Any:
    """Read an int, a str, a float (by its shortest decimal form) or a Decimal as US dollars.

    What cannot be read is given back as it is; the rules report it with everything else that is wrong.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, str):
        try:
            return Decimal(value.strip())
        except InvalidOperation:
            return value
    return value


def to_money_or_none(value: Any) -> Any:
    """`to_money`, where None stands for: not given."""
    return None if value is None else to_money(value)
