"""What a running batch notes about itself in its journal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import attrs

from .database import Database
from .formats import SET_META


@attrs.frozen
class JournalProgress:
    """How far a running batch is: ratings that ended in this run, by outcome, and those without an outcome yet."""

    rated: int = 0
    refused: int = 0
    failed: int = 0
    unknown: int = 0
    waiting: int = 0


@attrs.frozen
class Running:
    """The batch that has a journal open: since when, what it does, whether it is a dry run, and how far it is.

    `kind` is `rate` or `review`. `progress` is at most a second older than the last step that was noted.
    """

    since: datetime
    kind: str
    dry_run: bool
    progress: JournalProgress


def tell_running(database: Database, kind: str, now: float) -> None:
    """Note that a batch of this kind has begun."""
    _set(database, "running", {"since": now, "kind": kind})
    tell_progress(database, {})


def tell_progress(database: Database, counts: Mapping[str, int]) -> None:
    """Note how far it is, by the names of `JournalProgress`."""
    _set(database, "progress", counts)


def running_of(meta: Mapping[str, str]) -> Running | None:
    """What the batch that has the file open noted about itself; None if it noted nothing."""
    if "running" not in meta:
        return None
    told = json.loads(meta["running"])
    names = {field.name for field in attrs.fields(JournalProgress)}
    counts = {name: count for name, count in json.loads(meta.get("progress", "{}")).items() if name in names}
    return Running(
        datetime.fromtimestamp(told["since"], UTC),
        str(told["kind"]),
        meta.get("dry_run") == "1",
        JournalProgress(**counts),
    )


def _set(database: Database, name: str, value: Mapping[str, object]) -> None:
    database.execute(SET_META, (name, json.dumps(value)))
