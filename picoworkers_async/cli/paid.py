"""`--report`: who was paid what, when, and for which task, as a CSV made from the journal."""

from __future__ import annotations

import codecs
import csv
import io
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import PicoworkersError
from ..journal import Journal, JournalRow, JournalState
from ..models import Verdict
from ..models.dollars import dollars
from ..models.to_plain import to_jsonable
from ..sheets.cells import guarded, guarded_id
from ..whole_file import whole_file
from .exits import CommandError
from .safe_text import safe
from .wording import error_in_words

COLUMNS = ("at", "job", "task", "revision", "worker", "verdict", "pay", "bonus", "total", "state")
_IDS = frozenset(("job", "task", "worker"))
_PAID = (JournalState.RATED, JournalState.WOULD_RATE)
_MAY_HAVE_PAID = (JournalState.SENT, JournalState.UNKNOWN)


class Written(NamedTuple):
    """How many rows a report has, and how many of those may have been paid, which is not known."""

    rows: int
    uncertain: int


def check_place(path: Path, *others: Path | None) -> None:
    """Raises `CommandError` if a report cannot be written, before anything is sent."""
    real = path.resolve()
    is_special = real.exists() and not real.is_file()
    if is_special or not real.parent.is_dir() or not os.access(real.parent, os.W_OK):
        raise CommandError(f"--report {path}: name a file in a folder that can be written")
    if real.exists() and not _may_be_replaced(real):
        raise CommandError(f"--report {path}: that file is there, and is no report; name another one")
    for other in others:
        if other is not None and real in (other.resolve(), *_beside(other.resolve())):
            raise CommandError(f"--report {path}: that is the file that is read; name another one")


def _may_be_replaced(path: Path) -> bool:
    """Whether this is an earlier report, by its first line, or empty."""
    heading = ",".join(COLUMNS).encode()
    try:
        with path.open("rb") as file:
            first = file.readline(2 * len(heading))
    except OSError:
        return False
    return first.removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n") in (heading, b"")


def _beside(journal: Path) -> Iterator[Path]:
    """The files that SQLite keeps beside a database."""
    return (journal.with_name(f"{journal.name}{end}") for end in ("-journal", "-wal", "-shm"))


def write(path: Path, journal: Path) -> Written:
    """Write what this journal says was paid, by all runs together; the file appears whole or not at all.

    What was sent and may have been paid is in it too, with its state. Raises `OSError` and `JournalError`.
    """
    rows = uncertain = 0
    with whole_file(path.resolve()) as file:  # a link stays, and what it leads to is replaced
        # A spreadsheet program takes it for UTF-8 by its byte order mark.
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        for row in _paying(journal):
            writer.writerow(_cells(row))
            rows += 1
            uncertain += row.state in _MAY_HAVE_PAID
        text.detach()
    return Written(rows, uncertain)


def _paying(journal: Path) -> Iterator[JournalRow]:
    for row in Journal(journal).rows(order="time"):
        if row.state not in (*_PAID, *_MAY_HAVE_PAID) or row.rating is None:
            continue
        if row.rating.verdict is Verdict.OK or row.bonus:
            yield row


def _cells(row: JournalRow) -> list[str]:
    verdict = None if row.rating is None else row.rating.verdict
    at = row.sent_at or row.ended_at or row.decided_at
    values = (
        *(at, row.job_id, row.task_id, row.revision_number, row.worker_id, verdict),
        *(row.pay, row.bonus, row.total, row.state),
    )
    return [_cell(name, value) for name, value in zip(COLUMNS, values, strict=True)]


def _cell(name: str, value: object) -> str:
    plain: Any = dollars(value) if isinstance(value, Decimal) else to_jsonable(value)
    if plain is None:
        return ""
    text = safe(str(plain))
    return guarded_id(text) if name in _IDS else guarded(text)


def not_written(path: Path, journal: Path, error: OSError | PicoworkersError) -> list[str]:
    """What to say if a report could not be written: the journal has the amounts all the same."""
    why = error_in_words(error) if isinstance(error, PicoworkersError) else error.strerror or str(error)
    return [f"the report {path} could not be written: {why}", f"see picoworkers journal {journal} --csv"]
