"""The rules for undocumented fields, of the low-level call and of a draft: they must be JSON that can be sent."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal

from ..problems import Problem, ProblemCode, Where, below
from . import values

_DEEPEST = 50


def check_fields(fields: object, field: str = "fields") -> list[Problem]:
    """Everything that keeps these fields from being sent as JSON, each named by its path, such as `fields.a[3]`.

    The path begins with `field`. None means no fields. Texts must be encodable in UTF-8, whole numbers must fit
    64 bits, other numbers must be finite, and nothing may be nested more than 50 deep.
    """
    if fields is None:
        return []
    if not isinstance(fields, Mapping):
        return [Problem(field, fields, "a mapping of names to JSON values", ProblemCode.TYPE)]
    return list(_check(field, fields, 0))


def _check(where: Where, value: object, depth: int) -> Iterator[Problem]:
    if value is None or isinstance(value, bool):
        return
    if depth > _DEEPEST:
        yield Problem(where, type(value).__name__, f"nested at most {_DEEPEST} deep", ProblemCode.RANGE)
    elif isinstance(value, str):
        yield from values.encodable(where, value)
    elif isinstance(value, int):
        if not -values.MOST_WHOLE <= value <= values.MOST_WHOLE:
            yield Problem(
                where, value, f"a whole number from {-values.MOST_WHOLE} to {values.MOST_WHOLE}", ProblemCode.RANGE
            )
    elif isinstance(value, float | Decimal):
        if not _is_finite(value):
            yield Problem(where, value, "a finite number that JSON can hold", ProblemCode.RANGE)
    elif isinstance(value, Mapping):
        yield from _check_mapping(where, value, depth)
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from _check(below(where, place), item, depth + 1)
    else:
        yield Problem(where, value, "a JSON value", ProblemCode.TYPE)


def _check_mapping(where: Where, value: Mapping[object, object], depth: int) -> Iterator[Problem]:
    if not isinstance(value, dict) and depth > 0:
        yield Problem(where, value, "a dict", ProblemCode.TYPE)
        return
    for name, item in value.items():
        if not isinstance(name, str):
            yield Problem(where, name, "names that are texts", ProblemCode.TYPE)
            continue
        yield from values.encodable(below(where, name), name)
        yield from _check(below(where, name), item, depth + 1)


def _is_finite(value: float | Decimal) -> bool:
    try:
        return math.isfinite(float(value))
    except (ValueError, OverflowError):
        return False
