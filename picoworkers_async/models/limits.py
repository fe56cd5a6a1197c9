"""The documented default and limits of an attribute, kept on the field itself."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

import attrs


@attrs.frozen
class Limit:
    """What the service takes when an attribute is not sent, and the least and the most it accepts.

    For a sequence, `maximum` is how many items it may have.
    """

    default: Any = None
    minimum: int | Decimal | None = None
    maximum: int | Decimal | None = None


def limited(limit: Limit, **options: Any) -> Any:
    """An optional attrs field (None: not sent) that carries its limit."""
    return attrs.field(default=None, metadata={"limit": limit}, **options)


@cache
def limits_of(model: type) -> dict[str, Limit]:
    """The limits of a model's fields, by name."""
    return {field.name: field.metadata["limit"] for field in attrs.fields(model) if "limit" in field.metadata}
