"""What a job can target: zones, lists of workers, categories."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs

INTERNATIONAL = "int"
"""The zone whose prices jobs for a list follow (section 3.3)."""


@attrs.frozen
class Zone:
    """A zone of the world that a job can target (section 3.1)."""

    id: str
    """The id to post with, such as `int`."""
    zone: str | None = None
    """Its name, such as `International`."""
    excludable_countries: tuple[str, ...] = ()
    """Two-letter codes of the countries that a job may exclude from it."""
    extra: Mapping[str, Any] = attrs.field(factory=dict)
    """Fields that the document does not know, and those that could not be read."""


@attrs.frozen
class WorkerList:
    """One of your own lists of workers (section 3.2)."""

    id: int
    """The id to post with."""
    name: str | None = None
    """The name you gave it."""
    workers: int | None = None
    """How many workers are on it. A job needs at least 10."""
    extra: Mapping[str, Any] = attrs.field(factory=dict)
    """Fields that the document does not know, and those that could not be read."""


@attrs.frozen
class Category:
    """A kind of work, and the least pay for it (section 3.3)."""

    id: str
    """The id to post with, leading zeroes included."""
    category: str | None = None
    """The name of the group of categories."""
    subcategory: str | None = None
    """The name of this one."""
    min_task_value: Mapping[str, Decimal] = attrs.field(factory=dict)
    """The least pay for a task in US dollars, by zone id. Jobs for a list follow the zone `int`."""
    extra: Mapping[str, Any] = attrs.field(factory=dict)
    """Fields that the document does not know, and those that could not be read."""
