"""What a file of TOML or JSON says of a draft, not yet looked at."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ..errors import InvalidRequestError
from ..problems import Problem, ProblemCode

_KINDS = {".toml": "TOML", ".json": "JSON"}


def values_in(path: str | os.PathLike[str], call: str) -> Any:
    """The values in this file, which is TOML or JSON by its suffix; `call` names who asks.

    Raises `InvalidRequestError` for another suffix and for a file that cannot be parsed, saying where, and
    `OSError` for one that cannot be read.
    """
    file = Path(path)
    kind = _KINDS.get(file.suffix.lower())
    if kind is None:
        problem = Problem("path", str(file), "a file whose name ends in .toml or .json", ProblemCode.CHOICE)
        raise InvalidRequestError(call, [problem])
    import tomllib  # loaded when there is a file to be read

    try:
        text = file.read_bytes().decode("utf-8-sig")
        return tomllib.loads(text) if kind == "TOML" else _loads_json(text)
    except RecursionError:
        why = "nested too deeply"
    except ValueError as error:  # not UTF-8, or not what the suffix says
        why = str(error)
    problem = Problem("path", str(file), f"valid {kind} in UTF-8: {why}", ProblemCode.FORMAT)
    raise InvalidRequestError(call, [problem])


def _loads_json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_each_once, parse_constant=_no_constant)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. A name that comes twice is refused: of two amounts of pay, none should win by its place."""
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name in fields:
            raise ValueError(f"{name!r} stands there twice")
        fields[name] = value
    return fields


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
