"""The rows of a file of JSON Lines: one object a line, its names the columns."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import IO, Any

from ..problems import Problem, ProblemCode, shown
from .cells import Cell, Odd
from .problems import UnreadableError, whole

MOST_BYTES = 64 * 1024 * 1024
"""No line is longer: an unbounded one would fill the memory."""

_MOST_DIGITS = 40

JsonRow = tuple[int, Mapping[str, Cell], Problem | None]


def json_rows(file: IO[bytes]) -> Iterator[JsonRow]:
    """Each object with its line, or the problem of that line. Raises `UnreadableError` for an endless line."""
    number = 0
    while raw := file.readline(MOST_BYTES):
        number += 1
        if len(raw) >= MOST_BYTES:
            remedy = f"lines of fewer than {MOST_BYTES} bytes"
            raise UnreadableError(whole(number, None, remedy, ProblemCode.LENGTH))
        if number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        if not raw.strip():
            continue
        try:
            values = _loads(raw.decode())
        except RecursionError:
            yield number, {}, whole(number, None, "JSON that is not nested so deeply")
        except ValueError as error:  # not UTF-8, or not JSON
            yield number, {}, whole(number, _start(raw), f"one JSON object in UTF-8: {error}")
        else:
            if isinstance(values, dict):
                yield number, {name: _cell(value) for name, value in values.items()}, None
            else:
                yield number, {}, whole(number, _start(raw), "one JSON object a line", ProblemCode.TYPE)


def _start(raw: bytes) -> str:
    return raw[:60].decode("utf-8", "backslashreplace")


def _loads(text: str) -> Any:
    return json.loads(
        text, object_pairs_hook=_each_once, parse_constant=_no_constant, parse_float=_exact, parse_int=_exact
    )


def _exact(text: str) -> Decimal:
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"a number of more than {_MOST_DIGITS} digits")
    try:
        number = Decimal(text)
    except ArithmeticError:
        number = Decimal("Infinity")
    # A number such as 1e999999999 is short, and has a gigabyte of digits where it is written out.
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        raise ValueError(f"a number of more than {_MOST_DIGITS} digits")
    return number


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise ValueError(f"{counts.most_common(1)[0][0]!r} appears twice")
    return values


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, str | bool | Decimal):
        return value
    return Odd("a list" if isinstance(value, list) else "an object", shown(value))
