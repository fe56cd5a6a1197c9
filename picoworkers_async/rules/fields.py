"""The rules for fields that no document gives, of the low-level call and of a draft: JSON that fits the wire."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal

from ..codec import printable
from ..errors import Problem
from . import values

_DEEPEST = 50


def check_fields(fields: object, field: str = "fields") -> list[Problem]:
    """Everything that keeps these fields from being sent as JSON, each named by its path, such as `fields.a[3]`.

    `field` is what the path begins with. None stands for no fields. Texts must be ones that UTF-8 can encode,
    whole numbers must fit 64 bits, other numbers must be finite, and nothing may be nested more than 50 deep.
    """
    if fields is None:
        return []
    if not isinstance(fields, Mapping):
        return [Problem(field, fields, "a mapping of names to JSON values")]
    return list(_check(field, fields, 0))


def _check(field: str, value: object, depth: int) -> Iterator[Problem]:
    if value is None or isinstance(value, bool):
        return
    if depth > _DEEPEST:
        yield Problem(field, type(value).__name__, f"nested at most {_DEEPEST} deep")
    elif isinstance(value, str):
        yield from values.encodable(field, value)
    elif isinstance(value, int):
        if not -values.MOST_WHOLE <= value <= values.MOST_WHOLE:
            yield Problem(field, value, f"a whole number from {-values.MOST_WHOLE} to {values.MOST_WHOLE}")
    elif isinstance(value, float | Decimal):
        if not _is_finite(value):
            yield Problem(field, value, "a finite number that JSON can hold")
    elif isinstance(value, Mapping):
        yield from _check_mapping(field, value, depth)
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from _check(f"{field}[{place}]", item, depth + 1)
    else:
        yield Problem(field, value, "a JSON value")


def _check_mapping(field: str, value: Mapping[object, object], depth: int) -> Iterator[Problem]:
    if not isinstance(value, dict) and depth > 0:
        yield Problem(field, value, "a dict")
        return
    for name, item in value.items():
        if not isinstance(name, str):
            yield Problem(field, name, "names that are texts")
            continue
        yield from values.encodable(f"a name in {field}", name)
        yield from _check(f"{field}.{printable(name)}", item, depth + 1)


def _is_finite(value: float | Decimal) -> bool:
    try:
        return math.isfinite(float(value))
    except (ValueError, OverflowError):
        return False
