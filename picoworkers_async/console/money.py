"""Money as a page writes it."""

from __future__ import annotations

from decimal import Decimal

_MOST_DIGITS = 30


def money(dollars: Decimal) -> str:
    """US dollars with at least two decimal places, and no more of them than there are.

    What is no amount, or one with more digits than anybody has dollars, is written in short, as `about $1E+999`.
    """
    if not dollars.is_finite():
        return "no amount"
    if abs(dollars.adjusted()) > _MOST_DIGITS and dollars:
        return f"about ${'-' * (dollars < 0)}1E{dollars.adjusted():+d}"
    whole, _, cents = f"{dollars:,f}".partition(".")
    return f"${whole}.{cents.rstrip('0').ljust(2, '0')}"
