"""Models as plain values that every JSON writer accepts: for web frameworks, logs and queues."""

from __future__ import annotations

import enum
import math
import os
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import attrs

from ..errors import PicoworkersError
from ..problems import shown
from .from_plain import tags_of

_DEEPEST = 64
_MOST_WHOLE = 2**63


def to_jsonable(value: object) -> Any:
    """Convert a value to dicts, lists, texts, numbers, booleans and None, ready for any JSON writer.

    - Models become dicts by the names of their constructors; events also have their name, as `event`.
    - Money becomes its exact text (`"0.10"`).
    - A time becomes ISO 8601 with its offset (one without is taken as UTC), a duration its seconds.
    - A member of an enum becomes its value (as a key of a dict its name, if the value is a number: `interactive`).
    - A tuple or a set becomes a list.
    - An exception becomes `{"type": ..., "message": ..., "fate": ...}` (`fate` is None for those of others).

    What JSON or UTF-8 cannot carry, or many readers cannot read, becomes a text and never an error: lone
    surrogates become their escapes, `nan` and `inf` their names; whole numbers beyond 64 bits, other objects,
    and what is nested more than 64 deep become the first 80 characters of their repr.
    """
    return _plain(value, 0, whole=True)


def to_plain(model: object) -> dict[str, Any]:
    """A model as a dict: like `to_jsonable`, without the fields that are at their defaults."""
    fields: dict[str, Any] = _plain(model, 0, whole=False)
    return fields


def _plain(value: Any, depth: int, *, whole: bool) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, enum.Enum):
        return _plain(value.value, depth, whole=whole)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int | float | Decimal):
        return _number(value)
    if isinstance(value, date | time | timedelta):
        return _time(value)
    if isinstance(value, BaseException):
        return _exception(value)
    if isinstance(value, os.PathLike):
        return _text(os.fsdecode(value))
    if depth < _DEEPEST:
        if isinstance(value, Mapping):
            return {_name(name): _plain(item, depth + 1, whole=whole) for name, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            items = [_plain(item, depth + 1, whole=whole) for item in value]
            return sorted(items, key=str) if isinstance(value, set | frozenset) else items
        if attrs.has(type(value)):
            return _model(value, depth, whole=whole)
    return _text(shown(value))


def _model(model: Any, depth: int, *, whole: bool) -> dict[str, Any]:
    kind: type = type(model)
    fields: dict[str, Any] = dict(tags_of(kind))
    for field in attrs.fields(kind):
        value = getattr(model, field.name)
        if field.init and (whole or not _is_default(field, value)):
            sent = numbers_as_sent(value) if field.name == "extra" and not whole else value
            fields[str(field.alias)] = _plain(sent, depth + 1, whole=whole)
    return fields


def numbers_as_sent(value: Any, depth: int = 0) -> Any:
    """Values that are in no model, with each `Decimal` as the number that JSON gets for it, and not as a text."""
    if isinstance(value, Decimal) and not value.is_snan():
        return float(value) + 0.0  # never -0.0, as it is sent
    if depth < _DEEPEST and isinstance(value, Mapping):
        return {name: numbers_as_sent(item, depth + 1) for name, item in value.items()}
    if depth < _DEEPEST and isinstance(value, list | tuple):
        return [numbers_as_sent(item, depth + 1) for item in value]
    return value


def _is_default(field: attrs.Attribute[Any], value: object) -> bool:
    default: Any = field.default
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        default = default.factory()
    return type(value) is type(default) and value == default


def _name(name: object) -> str:
    if isinstance(name, enum.IntEnum):
        return name.name.lower()
    plain = _plain(name, _DEEPEST, whole=True)
    return plain if isinstance(plain, str) else str(plain)


def _text(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _number(value: float | Decimal) -> int | float | str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, int):
        return int(value) if -_MOST_WHOLE <= value < _MOST_WHOLE else shown(value)
    return float(value) if math.isfinite(value) else repr(float(value))


def _time(value: date | time | timedelta) -> str | float:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime) and value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return value.isoformat()


def _exception(error: BaseException) -> dict[str, str | None]:
    try:
        message = str(error)
    except Exception:
        message = shown(error)
    fate = error.fate.value if isinstance(error, PicoworkersError) else None
    return {"type": type(error).__name__, "message": _text(message), "fate": fate}
