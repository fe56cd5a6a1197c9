"""Which column of a sheet is which field of a rating."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import attrs

from ..problems import Problem, ProblemCode
from .problems import at, whole

MOST_UNKNOWN = 1_000


class Field(enum.StrEnum):
    """What a column can mean. The values are the names to use in `columns=`."""

    JOB_ID = "job_id"
    TASK_ID = "task_id"
    REVISION_NUMBER = "revision_number"
    SATISFIED = "satisfied"
    """A mark: the task is ok."""
    NOT_SATISFIED = "not_satisfied"
    """A mark: the task is not ok."""
    REVISE_TASK = "revise_task"
    """A mark: the task is sent back."""
    VERDICT = "verdict"
    """`ok`, `not_ok` or `revise`, instead of the marks."""
    SATISFACTION = "satisfaction"
    COMMENT = "comment"
    BONUS = "bonus"
    BLOCK_WORKER = "block_worker"
    """A mark."""
    LIST_ID = "list_id"
    WORKER_ID = "worker_id"
    """Who is paid: for the journal, and never sent."""


VERDICTS = (Field.SATISFIED, Field.NOT_SATISFIED, Field.REVISE_TASK, Field.VERDICT)

_NAMES: Mapping[str, Field] = {
    **{field.value: field for field in Field},
    "id": Field.TASK_ID,
    "revision": Field.REVISION_NUMBER,
    "rating": Field.VERDICT,
    "employer_comment": Field.COMMENT,
    "bonus_amount": Field.BONUS,
}
"""By their names in lower case, words joined by `_`: ours, and those of the marketplace's own file."""

_TOLD = re.compile(r"worker_id|pay|submitted_at|rate_by|proof_\d+(_part_\d+)?")
"""Columns that are known, but say nothing about a rating."""


def plain_name(name: str) -> str:
    """A name as it is compared: without regard to case, spaces and hyphens."""
    return re.sub(r"[\s\-_]+", "_", name.strip().strip("\ufeff\u200b").strip()).lower()


def field_of(name: str, mapped: Mapping[str, Field]) -> Field | None:
    """The field that a column of this name is; `mapped` overrides the names that are known."""
    if name in mapped:
        return mapped[name]
    plain = plain_name(name)
    if plain in mapped:
        return mapped[plain]
    field = _NAMES.get(plain)
    return None if field in mapped.values() else field


def mapping_problems(columns: object) -> list[Problem]:
    """What is wrong with a mapping of columns to fields."""
    if not isinstance(columns, Mapping):
        return [Problem("columns", columns, "a mapping of names of columns to fields", ProblemCode.TYPE)]
    problems = []
    known = [field.value for field in Field]
    seen: set[object] = set()
    for name, field in columns.items():
        if not isinstance(name, str):
            problems.append(Problem(("columns",), name, "a name of a column", ProblemCode.TYPE))
        elif field not in known:
            problems.append(Problem(("columns", name), field, f"one of {', '.join(known)}", ProblemCode.CHOICE))
        elif field in seen:
            problems.append(Problem(("columns", name), field, "each field once", ProblemCode.CONFLICT))
        seen.add(field)
    return problems


def to_mapped(columns: Mapping[str, str]) -> dict[str, Field]:
    """The mapping by the names as written, and as they are compared."""
    exact = {name: Field(field) for name, field in columns.items()}
    return {plain_name(name): field for name, field in exact.items()} | exact


@attrs.frozen
class Header:
    """Where each field is in a row, and the names of columns that are ignored."""

    names: tuple[str, ...]
    places: Mapping[Field, int]
    unknown: tuple[str, ...]

    def name(self, field: Field) -> str:
        """The name of the column of this field, as the sheet has it."""
        place = self.places.get(field)
        return field.value.upper() if place is None else self.names[place]


def is_unknown(name: str) -> bool:
    """Whether a column that is no field has no other known use either."""
    return _TOLD.fullmatch(plain_name(name)) is None


def like_a_field(name: str) -> str | None:
    """The name of a known column for which this name may be a slip."""
    plain = plain_name(name)
    found = get_close_matches(plain, _NAMES, 1, 0.85)
    return found[0].upper() if found and found[0] != plain else None


def read_header(names: Sequence[str], mapped: Mapping[str, Field]) -> tuple[Header, list[tuple[str, str]]]:
    """The header, and each column whose field already has a column, with that one's name."""
    places: dict[Field, int] = {}
    twice = []
    unknown: list[str] = []
    for place, name in enumerate(names):
        field = field_of(name, mapped)
        if field is None:
            if len(unknown) < MOST_UNKNOWN and is_unknown(name):
                unknown.append(name or f"(column {place + 1})")
        elif field in places:
            twice.append((name, names[places[field]]))
        else:
            places[field] = place
    return Header(tuple(names), places, tuple(unknown)), twice


def header_problems(
    line: int, names: Sequence[str], mapped: Mapping[str, Field], *, has_job: bool
) -> list[Problem]:
    """What keeps this from being a header."""
    header, twice = read_header(names, mapped)
    problems = [
        at(line, name, name, f"one column, but {first!r} means the same: delete one of them", ProblemCode.CONFLICT)
        for name, first in twice
    ]
    return problems + missing_problems(line, header, mapped, has_job=has_job)


def missing_problems(line: int, header: Header, mapped: Mapping[str, Field], *, has_job: bool) -> list[Problem]:
    """The required columns, and those that were named, that are missing."""
    problems = []
    for wanted in Field:
        named = [name for name, field in mapped.items() if field is wanted]
        if named and wanted not in header.places:
            like = get_close_matches(named[-1], header.names, 1)
            hint = f"; did you mean {like[0]!r}?" if like else ""
            remedy = f"the column that columns= names{hint}"
            problems.append(at(line, named[-1], None, remedy, ProblemCode.REQUIRED))
    found = (
        ", ".join(name if name.isprintable() else repr(name) for name in header.names[:30] if name) or "nothing"
    )
    if Field.TASK_ID not in header.places and Field.TASK_ID not in mapped.values():
        remedy = f"a column TASK_ID, or columns= to say which it is; the first line has {found}"
        problems.append(at(line, "TASK_ID", None, remedy, ProblemCode.REQUIRED))
    if Field.JOB_ID not in header.places and Field.JOB_ID not in mapped.values() and not has_job:
        remedy = "a column JOB_ID, or job_id= where all tasks are of one job"
        problems.append(at(line, "JOB_ID", None, remedy, ProblemCode.REQUIRED))
    if not any(field in header.places for field in VERDICTS):
        remedy = "a column SATISFIED, NOT_SATISFIED, REVISE_TASK or VERDICT"
        problems.append(at(line, "SATISFIED", None, remedy, ProblemCode.REQUIRED))
    return problems


def no_header(line: int) -> Problem:
    """The problem of an empty sheet."""
    return whole(line, None, "a first line with the names of the columns", ProblemCode.REQUIRED)
