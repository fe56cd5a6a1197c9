"""What a row says: a rating, nothing yet, or a problem. Cells come in the order of `Field`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeVar

from ..models import Rating, Satisfaction, Verdict
from ..problems import Problem, ProblemCode
from ..rules.ratings import check_rating
from . import values
from .cells import Cell
from .columns import Field, Header
from .problems import at
from .values import CellError

T = TypeVar("T")

_MARKS = (
    (Field.SATISFIED, Verdict.OK),
    (Field.NOT_SATISFIED, Verdict.NOT_OK),
    (Field.REVISE_TASK, Verdict.REVISE),
)
_PLAIN_MARKS: dict[tuple[Cell, ...], Verdict] = {
    tuple("x" if place == marked else "" for place in range(3)): verdict
    for marked, (_, verdict) in enumerate(_MARKS)
}
"""What nearly all rows have in the columns of marks, recognised without parsing."""

_WORDS = {
    "ok": Verdict.OK,
    "satisfied": Verdict.OK,
    "not_ok": Verdict.NOT_OK,
    "nok": Verdict.NOT_OK,
    "not_satisfied": Verdict.NOT_OK,
    "revise": Verdict.REVISE,
    "revise_task": Verdict.REVISE,
}
_FIELD_OF_RATING = {
    "job_id": Field.JOB_ID,
    "task_id": Field.TASK_ID,
    "verdict": Field.VERDICT,
    "satisfaction": Field.SATISFACTION,
    "comment": Field.COMMENT,
    "list_id": Field.LIST_ID,
    "block_worker": Field.BLOCK_WORKER,
    "bonus": Field.BONUS,
    "revision_number": Field.REVISION_NUMBER,
}


class Interpreter:
    """Reads the rows of one sheet. `job_id` is the job of rows that name none."""

    def __init__(self, job_id: str | None, max_bonus: Decimal | None) -> None:
        self._job_id, self._max_bonus = job_id, max_bonus

    def read(self, line: int, cells: Sequence[Cell], header: Header) -> tuple[Rating | None, list[Problem]]:
        """The rating of a row; None with no problem if nothing was filled in."""
        problems: list[Problem] = []

        def cell(field: Field, value: Cell, read: Callable[[Cell], T]) -> T | None:
            try:
                return read(value)
            except CellError as error:
                problems.append(at(line, header.name(field), _told(value), error.remedy, error.code))
                return None

        job, task, revision, yes, no, again, word, satisfaction, comment, bonus, block, list_id, worker = cells
        before = len(problems)
        verdict = None if word else _PLAIN_MARKS.get((yes, no, again))
        if verdict is None:
            verdict = self._verdict(line, (yes, no, again, word), header, problems)
        if verdict is None and len(problems) == before:
            filled = self._filled(comment, bonus, block, satisfaction, list_id)
            if filled is None:
                return None, problems
            remedy = f"one x among {_marks(header)}, since {header.name(filled)} is filled in"
            problems.append(at(line, _first_mark(header), None, remedy, ProblemCode.REQUIRED))
        task_id = cell(Field.TASK_ID, task, values.identifier)
        job_id = self._job_id
        if not values.is_empty(job) or job_id is None:
            job_id = cell(Field.JOB_ID, job, values.identifier)
            if self._job_id is not None and job_id is not None and job_id != self._job_id:
                remedy = f"a task of job {self._job_id}, as job_id= says, or no job_id="
                problems.append(at(line, header.name(Field.JOB_ID), job_id, remedy, ProblemCode.CONFLICT))
        rating = Rating(
            job_id or "?",
            task_id or "?",
            verdict or Verdict.OK,
            None if values.is_empty(satisfaction) else cell(Field.SATISFACTION, satisfaction, _satisfaction),
            None if values.is_empty(comment) else cell(Field.COMMENT, comment, values.words),
            None if values.is_empty(list_id) else cell(Field.LIST_ID, list_id, values.whole),
            (cell(Field.BLOCK_WORKER, block, values.mark) or None) if block is not None else None,
            None if values.is_empty(bonus) else cell(Field.BONUS, bonus, values.amount),
            None if values.is_empty(revision) else cell(Field.REVISION_NUMBER, revision, values.revision),
            values.worker(worker),
        )
        self._rules(line, rating, header, problems, verdict)
        return (None, problems) if problems else (rating, problems)

    def _verdict(
        self, line: int, marks: Sequence[Cell], header: Header, problems: list[Problem]
    ) -> Verdict | None:
        found: list[tuple[Field, Verdict]] = []
        for value, (field, verdict) in zip(marks, _MARKS, strict=False):
            try:
                if value is not None and value != "" and values.mark(value):
                    found.append((field, verdict))
            except CellError as error:
                problems.append(at(line, header.name(field), _told(value), error.remedy, error.code))
        word = marks[3]
        if not values.is_empty(word):
            told = _worded(word)
            if told is None:
                name = header.name(Field.VERDICT)
                problems.append(at(line, name, _told(word), "ok, not_ok or revise", ProblemCode.CHOICE))
            else:
                found.append((Field.VERDICT, told))
        if len(found) > 1:
            names = " and ".join(header.name(field) for field, _ in found)
            remedy = f"one mark; {names} are marked"
            problems.append(at(line, header.name(found[1][0]), _told("x"), remedy, ProblemCode.CONFLICT))
        return found[0][1] if len(found) == 1 else None

    def _filled(self, comment: Cell, bonus: Cell, block: Cell, satisfaction: Cell, list_id: Cell) -> Field | None:
        """What is filled in of a row without a mark."""
        if not values.is_empty(comment):
            return Field.COMMENT
        if not values.is_empty(bonus):
            return Field.BONUS
        if not values.is_blank(block) and not (isinstance(block, str) and values.plain(block).lower() == "false"):
            return Field.BLOCK_WORKER
        if not values.is_empty(satisfaction):
            return Field.SATISFACTION
        return None if values.is_empty(list_id) else Field.LIST_ID

    def _rules(
        self, line: int, rating: Rating, header: Header, problems: list[Problem], verdict: Verdict | None
    ) -> None:
        """The problems that the rules of ratings find, by column."""
        told = {problem.path[2] for problem in problems if len(problem.path) > 2}
        for problem in check_rating(rating):
            field = _FIELD_OF_RATING[str(problem.path[0])]
            name = header.name(field)
            needs_verdict = field in (Field.COMMENT, Field.SATISFACTION) and verdict is None
            if name in told or needs_verdict:
                continue
            problems.append(at(line, name, problem.value, problem.limit, problem.code))
        bonus = rating.given_bonus
        if self._max_bonus is not None and bonus is not None and bonus.is_finite() and bonus > self._max_bonus:
            remedy = f"at most {self._max_bonus}, as max_bonus= says"
            problems.append(at(line, header.name(Field.BONUS), str(bonus), remedy, ProblemCode.RANGE))


def _worded(cell: Cell) -> Verdict | None:
    """The verdict that a word stands for, if any."""
    try:
        return _WORDS.get(values.word(cell))
    except CellError:
        return None


def _satisfaction(cell: Cell) -> Satisfaction:
    word = values.word(cell)
    try:
        return Satisfaction(word)
    except ValueError:
        raise CellError(f"one of {', '.join(Satisfaction)}", ProblemCode.CHOICE) from None


def _marks(header: Header) -> str:
    names = [header.name(field) for field, _ in _MARKS if field in header.places]
    return ", ".join(names) or header.name(Field.VERDICT)


def _first_mark(header: Header) -> str:
    return _marks(header).partition(", ")[0]


def _told(value: Cell) -> object:
    return f"{value:f}" if isinstance(value, Decimal) and value.is_finite() else value
