"""Bytes to JSON values and back, with money exact."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any


class ShapeError(ValueError):
    """An answer is not the JSON that the document promises; the text says where and why."""


def _no_constant(name: str) -> Any:
    raise ShapeError(f"{name} is not JSON")


_decoder = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant)


def loads(raw: bytes) -> Any:
    """Read JSON; numbers with a point become exact `Decimal`s. Raises `ShapeError` for anything else."""
    try:
        return _decoder.decode(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ShapeError("it is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ShapeError(f"it is not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise ShapeError("its JSON is nested too deeply") from None
    except ShapeError:
        raise
    except ValueError as error:
        raise ShapeError(f"it is not JSON: {error}") from None


def _money(value: Any) -> Any:
    """A Decimal as a JSON number, by the shortest text of the nearest float: 0.10 is written 0.1.

    The rules let only amounts through that this text gives back exactly.
    """
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


_encoder = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_money)


def encode(body: Any) -> bytes:
    """Write JSON, compactly."""
    return _encoder.encode(body).encode()
