"""The values in a draft's TOML or JSON file, not yet checked."""

from __future__ import annotations

import json
import os
import re
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import InvalidRequestError
from ..problems import Problem, ProblemCode
from ..regular_file import open_regular
from .toml_words import toml_in_words

MOST_BYTES = 256 * 1024
"""A draft is a few kilobytes. Much more is some other file, and a parser can take minutes over it."""

_KINDS = {".toml": "TOML", ".json": "JSON"}
_MOST_BITS = 128
_MOST_DIGITS = 40
_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.){0,200}+"|'[^'\n]{0,200}+')"""
_LONG_KEY = re.compile(rf"(?<![A-Za-z0-9_-])(?:{_PART}[ \t]*+\.[ \t]*+){{100}}")
"""A dotted key of TOML with more than 100 parts: the time that the parser takes over one grows by their square."""


def values_in(path: str | os.PathLike[str], call: str) -> Any:
    """The values in this file, which is TOML or JSON by its suffix; `call` names the caller.

    Numbers with a point are exact `Decimal`s. Raises `InvalidRequestError` for another suffix, for a file of
    more than 256 KiB and for one that cannot be parsed, saying where, and `OSError` for one that cannot be read
    or is no regular file.
    """
    file = Path(path)
    kind = _KINDS.get(file.suffix.lower())
    if kind is None:
        problem = Problem("path", str(file), "a file whose name ends in .toml or .json", ProblemCode.CHOICE)
        raise InvalidRequestError(call, [problem], sends=False)
    with open_regular(file) as opened:
        raw = opened.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        problem = Problem("path", str(file), f"a file of at most {MOST_BYTES // 1024} KiB", ProblemCode.LENGTH)
        raise InvalidRequestError(call, [problem], sends=False)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _invalid(call, file, f"{kind}, which is UTF-8", str(error)) from None
    try:
        return _loads_toml(text) if kind == "TOML" else _loads_json(text)
    except RecursionError:
        why = "nested too deeply"
    except ValueError as error:  # not what the suffix says
        why = toml_in_words(str(error), text) if kind == "TOML" else str(error)
    raise _invalid(call, file, kind, why)


def _invalid(call: str, file: Path, kind: str, why: str) -> InvalidRequestError:
    problem = Problem("path", str(file), f"not valid {kind}: {why}", ProblemCode.FORMAT)
    return InvalidRequestError(call, [problem], sends=False)


def _loads_toml(text: str) -> Any:
    import tomllib  # loaded when there is a file of it to be read

    if _LONG_KEY.search(text):
        raise ValueError("a name of more than 100 parts")
    values = tomllib.loads(text, parse_float=_exact)
    _refuse_huge(values)
    return values


def _loads_json(text: str) -> Any:
    return json.loads(
        text,
        object_pairs_hook=partial(_each_once, text),
        parse_constant=_no_constant,
        parse_float=_exact,
        parse_int=_whole,
    )


def _exact(text: str) -> Decimal | float:
    """A number with a point or an exponent, as it stands there; `nan` and `inf` of TOML are left to the rules."""
    if text.lstrip("+-") in ("nan", "inf"):
        return float(text)
    if len(text) <= _MOST_DIGITS:
        try:
            return Decimal(text)
        except InvalidOperation:
            pass
    raise ValueError(_too_large(text))


def _whole(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError(_too_large(text))
    return int(text)


def _refuse_huge(values: Any) -> None:
    """Raises `ValueError` for a whole number that TOML wrote in hexadecimal, and that has no text in decimal."""
    unseen = [values]
    while unseen:
        value = unseen.pop()
        if isinstance(value, dict):
            unseen += value.values()
        elif isinstance(value, list):
            unseen += value
        elif isinstance(value, int) and value.bit_length() > _MOST_BITS:
            raise ValueError(_too_large(hex(value)))


def _too_large(text: str) -> str:
    return f"a number of more than {_MOST_DIGITS} digits, {text[:10]}..."


def _each_once(text: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. A name that comes twice is refused: of two amounts of pay, none should win by its place."""
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name in fields:
            raise ValueError(f"{name!r} appears twice{_lines_with(name, text)}")
        fields[name] = value
    return fields


def _lines_with(name: str, text: str) -> str:
    """The lines of a JSON text with this name, if there are exactly two; the parser gives no positions."""
    found = [match.start() for match in re.finditer(re.escape(json.dumps(name)) + r"\s*:", text)]
    first, second = (text.count("\n", 0, place) + 1 for place in found) if len(found) == 2 else (0, 0)
    return f", in lines {first} and {second}" if first != second else ""


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
