"""Bytes to JSON values and back, with exact money; and text from outside made safe to show."""

from __future__ import annotations

import json
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Any

from ..models.account import CONTEXT

MOST_DIGITS = 40
"""A longer number, or one with a larger exponent, is kept as the text that was sent."""

_LONGEST_MESSAGE = 1000


class ShapeError(ValueError):
    """An answer is not the documented JSON; the text says where and why."""


class HugeNumber(str):
    """A number of absurd size, as the text that was sent: converting it could take minutes."""

    __slots__ = ()


def loads(raw: bytes, *, unique_names: bool = False) -> Any:
    """Read JSON; numbers with a point or an exponent become exact `Decimal`s.

    Those of absurd size stay a text, a `HugeNumber`. Raises `ShapeError` for what is not JSON in UTF-8, and for
    JSON that is nested too deeply; with `unique_names` also for an object that has one name twice, because the
    first would be lost.
    """
    decoder = _decoder_of_unique_names if unique_names else _decoder
    try:
        return decoder.decode(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        problem = "it is not UTF-8"
    except json.JSONDecodeError as error:
        problem = f"it is not JSON: {error.msg} at character {error.pos}"
    except RecursionError:
        problem = "its JSON is nested too deeply"
    except ShapeError as error:
        problem = str(error)
    raise ShapeError(problem)


def encode(body: Any) -> bytes:
    """Write JSON, compactly. Never raises for what passes the rules."""
    return _encoder.encode(body).encode()


def printable(text: str) -> str:
    """A text from outside, made safe to store, log and show.

    Control characters, lone surrogates and invisible characters are written as escapes, and the text is cut at
    1,000 characters.
    """
    shown = text[:_LONGEST_MESSAGE]
    if not shown.isprintable():
        shown = "".join(map(_escaped, shown))[:_LONGEST_MESSAGE]
    return shown if len(text) <= _LONGEST_MESSAGE else shown + "..."


def _escaped(character: str) -> str:
    if character.isprintable() or unicodedata.category(character) == "Zs":
        return character
    return character.encode("unicode_escape").decode()


def _to_int(text: str) -> int | HugeNumber:
    return int(text) if len(text) <= MOST_DIGITS else HugeNumber(text)


def _to_decimal(text: str) -> Decimal | HugeNumber:
    if len(text) > MOST_DIGITS:
        return HugeNumber(text)
    try:
        number = Decimal(text, CONTEXT)
    except InvalidOperation:
        return HugeNumber(text)
    return number if -MOST_DIGITS <= number.adjusted() <= MOST_DIGITS else HugeNumber(text)


def _no_constant(name: str) -> Any:
    raise ShapeError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ShapeError("an object has the same name twice")
    return found


_decoder = json.JSONDecoder(parse_float=_to_decimal, parse_int=_to_int, parse_constant=_no_constant)
_decoder_of_unique_names = json.JSONDecoder(
    parse_float=_to_decimal, parse_int=_to_int, parse_constant=_no_constant, object_pairs_hook=_unique
)


def money(amount: Decimal) -> float:
    """An amount as the number whose shortest text is the amount: 0.10 is written 0.1.

    The rules pass only amounts that this text returns exactly.
    """
    return float(amount) + 0.0  # never -0.0


def _money_or_not(value: Any) -> Any:
    if isinstance(value, Decimal):
        return money(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


_encoder = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_money_or_not)
