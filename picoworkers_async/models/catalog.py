"""What a job can target: zones, lists of workers, categories."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs

INTERNATIONAL = "int"
"""The zone whose prices apply to jobs for a list. Source: section 3.3 of the API document."""


@attrs.frozen
class Zone:
    """A zone of the world that a job can target. Source: section 3.1 of the API document."""

    id: str
    """The id to post with, such as `int`."""
    zone: str | None = None
    """Its name, such as `International`."""
    excludable_countries: tuple[str, ...] = ()
    """Two-letter codes of the countries that a job may exclude from it."""
    extra: Mapping[str, Any] = attrs.field(factory=dict)
    """Fields that are in no document, and those that could not be read."""


@attrs.frozen
class WorkerList:
    """One of your own lists of workers. Source: section 3.2 of the API document."""

    id: int
    """The id to post with."""
    name: str | None = None
    """The name you gave it."""
    workers: int | None = None
    """How many workers are on it. A job needs at least 10."""
    extra: Mapping[str, Any] = attrs.field(factory=dict)
    """Fields that are in no document, and those that could not be read."""


@attrs.frozen
class Category:
    """A kind of work, and the least pay for it. Source: section 3.3 of the API document."""

    id: str
    """The id to post with, leading zeroes included."""
    category: str | None = None
    """The name of the group of categories."""
    subcategory: str | None = None
    """The name of this category within the group."""
    min_task_value: Mapping[str, Decimal] = attrs.field(factory=dict)
    """The least pay for a task in US dollars, by zone id. Jobs for a list follow the zone `int`."""
    extra: Mapping[str, Any] = attrs.field(factory=dict)
    """Fields that are in no document, and those that could not be read."""
