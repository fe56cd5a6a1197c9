"""Checks of single values, from which the rules of every call are made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum

import attrs

from ..editions import Edition
from ..models.account import CONTEXT
from ..problems import Problem, ProblemCode, Where, below, number_limit, text_code

MOST_WHOLE = 2**63 - 1
"""The largest whole number that the service, or a journal, can be expected to hold: a signed one of 64 bits."""

_MONEY_PLACES = Decimal("0.0001")
_MONEY_MOST = Decimal(1_000_000_000)


def named(edition: Edition, problems: Iterable[Problem]) -> Iterator[Problem]:
    """The same problems, with limits that name this edition."""
    for problem in problems:
        yield attrs.evolve(problem, limit=f"{problem.limit} (edition {edition.name})")


def whole(where: Where, value: object, least: int, most: int | None = None) -> Iterator[Problem]:
    """A whole number within its range, or from `least` to what 64 bits can hold. A bool is rejected."""
    if not isinstance(value, int) or isinstance(value, bool):
        span = f"of at least {least}" if most is None else f"from {least} to {most}"
        yield Problem(where, value, number_limit(value, f"a whole number {span}"), ProblemCode.TYPE)
    elif most is not None and not least <= value <= most:
        yield Problem(where, value, f"a whole number from {least} to {most}", ProblemCode.RANGE)
    elif value < least:
        yield Problem(where, value, f"a whole number of at least {least}", ProblemCode.RANGE)
    elif value > MOST_WHOLE:
        yield Problem(where, value, f"a whole number from {least} to {MOST_WHOLE}", ProblemCode.RANGE)


def text(where: Where, value: object) -> Iterator[Problem]:
    """A text that is not blank and can be encoded."""
    if not isinstance(value, str) or not value.strip():
        yield Problem(where, value, "a text that is not empty", text_code(value))
    else:
        yield from encodable(where, value)


def optional_text(where: Where, value: object) -> Iterator[Problem]:
    """A text that can be encoded, or None."""
    if isinstance(value, str):
        yield from encodable(where, value)
    elif value is not None:
        yield Problem(where, value, "a text", ProblemCode.TYPE)


def encodable(where: Where, value: str) -> Iterator[Problem]:
    """A text that UTF-8 can encode: one without lone surrogates."""
    if value.isascii():
        return
    position = _first_surrogate(value)
    if position is not None:
        limit = f"text that UTF-8 can encode; the character at position {position} is a lone surrogate"
        yield Problem(where, value[max(0, position - 10) : position + 10], limit, ProblemCode.FORMAT)


def _first_surrogate(value: str) -> int | None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        return error.start
    return None


def flag(where: Where, value: object) -> Iterator[Problem]:
    """True, False or None; 0 and 1 are accepted too."""
    if value is not None and not (isinstance(value, int) and value in (0, 1)):
        yield Problem(where, value, "True or False", ProblemCode.TYPE)


def one_of(where: Where, value: object, kind: type[StrEnum]) -> Iterator[Problem]:
    """A member of a closed list, or its text."""
    if not isinstance(value, str) or value not in {member.value for member in kind}:
        yield Problem(where, value, "one of " + ", ".join(member.value for member in kind), ProblemCode.CHOICE)


def money(where: Where, value: object) -> Iterator[Problem]:
    """An amount in US dollars: from 0 to a thousand million, with at most four decimal places."""
    if not isinstance(value, Decimal):
        yield Problem(where, value, "an amount in US dollars, as a number or its text", ProblemCode.TYPE)
    elif not value.is_finite():
        yield Problem(where, value, "a finite amount in US dollars", ProblemCode.RANGE)
    elif value < 0:
        yield Problem(where, value, "an amount of at least 0", ProblemCode.RANGE)
    elif value > _MONEY_MOST:
        yield Problem(where, value, f"an amount of at most {_MONEY_MOST}", ProblemCode.RANGE)
    elif value != value.quantize(_MONEY_PLACES, context=CONTEXT):
        yield Problem(where, value, "an amount with at most 4 decimal places", ProblemCode.RANGE)


def texts(where: Where, value: object, *, least: int = 0, most: int | None = None) -> Iterator[Problem]:
    """A sequence of texts. A text by itself is rejected, because it would be split into letters."""
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Sequence):
        yield Problem(where, value, "a list of texts", ProblemCode.TYPE)
        return
    if len(value) < least:
        yield Problem(where, value, f"at least {least} of them", ProblemCode.LENGTH)
    if most is not None and len(value) > most:
        yield Problem(where, value, f"at most {most} of them", ProblemCode.LENGTH)
    for place, item in enumerate(value):
        yield from text(below(where, place), item)
