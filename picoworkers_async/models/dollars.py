"""Amounts in US dollars as texts."""

from __future__ import annotations

from decimal import Decimal

_MOST_DIGITS = 30


def dollars(amount: Decimal) -> str:
    """An amount for a program: with its cents, and finer digits where it has any."""
    return _with_cents(f"{amount:f}")


def in_dollars(amount: Decimal) -> str:
    """An amount for people: the same with the currency sign, and commas between the thousands.

    What is no amount, or one with more digits than anybody has dollars, is shortened, as `about $1E+999`.
    """
    if not amount.is_finite():
        return "no amount"
    if amount and abs(amount.adjusted()) > _MOST_DIGITS:
        return f"about {'-' if amount < 0 else ''}$1E{amount.adjusted():+d}"
    return f"{'-' if amount < 0 else ''}${_with_cents(f'{abs(amount):,f}')}"


def _with_cents(text: str) -> str:
    whole, _, parts = text.partition(".")
    return f"{whole}.{parts.rstrip('0').ljust(2, '0')}"
