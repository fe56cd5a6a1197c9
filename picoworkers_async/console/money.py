"""Money as a page writes it."""

from __future__ import annotations

from decimal import Decimal


def money(dollars: Decimal) -> str:
    """US dollars with at least two decimal places, and no more of them than there are."""
    whole, _, cents = f"{dollars:,f}".partition(".")
    return f"${whole}.{cents.rstrip('0').ljust(2, '0')}"
