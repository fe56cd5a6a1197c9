"""Single JSON values, in every form in which the service is known to send them.

Whatever is given, each function either returns or raises `ShapeError`, after work that is bounded by its length.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from ..models.account import CONTEXT
from .json import MOST_DIGITS, ShapeError

_WORDS = {"0": False, "1": True, "true": True, "false": False, "yes": True, "no": False, "": False}
_KINDS = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", type(None): "null"}
_SHOWN = 40


def as_list(value: Any, what: str) -> list[Any]:
    """A list; PHP writes a list whose keys have gaps as an object."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and all(key.isdigit() for key in value):
        return list(value.values())
    raise ShapeError(f"{what} is {kind_of(value)}, not a list")


def as_object(value: Any, what: str) -> dict[str, Any]:
    """An object; PHP writes an empty one as `[]`."""
    if isinstance(value, dict):
        return value
    if value == []:
        return {}
    raise ShapeError(f"{what} is {kind_of(value)}, not an object")


def to_int(value: Any) -> int:
    """A whole number, as a number or in a string."""
    if type(value) is int:
        return value
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str | Decimal):
        number = _number(value)
        if number is not None and number == number.to_integral_value(context=CONTEXT):
            return int(number)
    raise ShapeError(f"{shown(value)} is not a whole number")


def to_decimal(value: Any) -> Decimal:
    """An exact amount, as a number or in a string."""
    if isinstance(value, int | str | Decimal) and not isinstance(value, bool):
        number = _number(value)
        if number is not None:
            return number
    raise ShapeError(f"{shown(value)} is not an amount")


def to_str(value: Any, _: Any = None) -> str:
    """A text; a number becomes its text."""
    if type(value) is str:
        return value
    if isinstance(value, int | Decimal | str) and not isinstance(value, bool):
        return str(value)
    raise ShapeError(f"{kind_of(value)} instead of a text")


def to_bool(value: Any) -> bool:
    """A boolean, as JSON's own or as 0 and 1, in a string or not."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | Decimal) and value in (0, 1):
        return value == 1
    if isinstance(value, str) and value.strip().lower() in _WORDS:
        return _WORDS[value.strip().lower()]
    raise ShapeError(f"{shown(value)} is not a boolean")


def to_datetime(value: Any) -> datetime | None:
    """An aware time in UTC, from ISO 8601 or `YYYY-MM-DD HH:MM:SS`; None for an empty or a zero one."""
    text = value.strip() if isinstance(value, str) else None
    if text == "" or (text is not None and text.startswith("0000-00-00")):
        return None
    if text is not None and len(text) <= MOST_DIGITS:
        try:
            moment = datetime.fromisoformat(text)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise ShapeError(f"{shown(value)} is not a time")


def kind_of(value: Any) -> str:
    """What kind of JSON value this is, in words."""
    return _KINDS.get(type(value), "a number")


def shown(value: Any) -> str:
    """The value itself where it is short and plain, else its kind."""
    if isinstance(value, str):
        return repr(value[:_SHOWN])
    return repr(value) if isinstance(value, bool | int | Decimal) else kind_of(value)


def _number(value: int | str | Decimal) -> Decimal | None:
    """The number, if it is finite and of a size that something here could have."""
    if isinstance(value, str) and len(value) > MOST_DIGITS:
        return None
    try:
        number = Decimal(value, CONTEXT)
    except InvalidOperation:
        return None
    if not number.is_finite() or not -MOST_DIGITS <= number.adjusted() <= MOST_DIGITS:
        return None
    return number
