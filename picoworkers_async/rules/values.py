"""Checks of single values, that the rules of every call are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum

from ..errors import Problem

_MONEY_PLACES = 4
_MONEY_MOST = Decimal(10) ** 9


def whole(field: str, value: object, least: int, most: int | None = None) -> Iterator[Problem]:
    """A whole number within its range; a flag is none."""
    if (
        not isinstance(value, int)
        or isinstance(value, bool)
        or value < least
        or (most is not None and value > most)
    ):
        span = f"from {least} to {most}" if most is not None else f"of at least {least}"
        yield Problem(field, value, f"a whole number {span}")


def text(field: str, value: object) -> Iterator[Problem]:
    """A text that is not blank."""
    if not isinstance(value, str) or not value.strip():
        yield Problem(field, value, "a text that is not empty")


def optional_text(field: str, value: object) -> Iterator[Problem]:
    """A text, or None."""
    if value is not None and not isinstance(value, str):
        yield Problem(field, value, "a text")


def flag(field: str, value: object) -> Iterator[Problem]:
    """True, False, or None; 0 and 1 do as well."""
    if value is not None and value not in (True, False):
        yield Problem(field, value, "True or False")


def one_of(field: str, value: object, kind: type[StrEnum]) -> Iterator[Problem]:
    """A value of a closed list, as such or as its text."""
    if not isinstance(value, str) or value not in {member.value for member in kind}:
        yield Problem(field, value, "one of " + ", ".join(member.value for member in kind))


def money(field: str, value: object) -> Iterator[Problem]:
    """An amount in US dollars: not negative, and with no more than four decimal places."""
    if not isinstance(value, Decimal):
        yield Problem(field, value, "an amount in US dollars, as a number or its text")
    elif not value.is_finite():
        yield Problem(field, value, "a finite amount in US dollars")
    elif value < 0:
        yield Problem(field, value, "an amount of at least 0")
    elif value > _MONEY_MOST:
        yield Problem(field, value, f"an amount of at most {_MONEY_MOST}")
    elif value != round(value, _MONEY_PLACES):
        yield Problem(field, value, f"an amount with at most {_MONEY_PLACES} decimal places")


def texts(field: str, value: object, *, least: int = 0, most: int | None = None) -> Iterator[Problem]:
    """A sequence of texts; a text alone is none, since it would be taken apart into letters."""
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Sequence):
        yield Problem(field, value, "a list of texts")
        return
    if len(value) < least:
        yield Problem(field, value, f"at least {least}")
    if most is not None and len(value) > most:
        yield Problem(field, value, f"at most {most}")
    for place, item in enumerate(value):
        yield from text(f"{field}[{place}]", item)
