"""What is wrong with a sheet: the errors, and a bounded list of problems to raise one with."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from ..errors import Fate, PicoworkersError
from ..problems import Problem, ProblemCode

MOST_TOLD = 100
"""At most this many problems of a sheet are named; the others are counted."""


class SheetError(PicoworkersError, ValueError):
    """A sheet cannot be used as it is; none of its ratings was yielded, and nothing was sent.

    `.problems` has what is wrong, the first 100 by line, and `.count` says how many there are. The path of each
    is `("line", 5, "BONUS_AMOUNT")`: lines count from 1, as editors and spreadsheet programs show them. `.path`
    is the file.
    """

    fate = Fate.NOT_PROCESSED
    _paragraph = "errors-of-sheets-and-webhooks"

    def __init__(self, path: object, problems: Iterable[Problem], count: int | None = None) -> None:
        self.path: str = str(path)
        self.problems: tuple[Problem, ...] = tuple(problems)
        self.count: int = len(self.problems) if count is None else count
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        more = self.count - len(self.problems)
        rest = f"\n  and {more} more" if more else ""
        plural = "" if self.count == 1 else "s"
        text = f"{self.path}: nothing was rated, correct {self.count} problem{plural}:{lines}{rest}"
        super().__init__(_encodable(text))


class SheetChangedError(PicoworkersError):
    """The sheet changed after it was checked, so no further ratings are yielded. `.path` is the file.

    What was yielded before is as it was checked, and may have been rated. With the batch's journal, read and
    rate the sheet again to resume where this ended.
    """

    _paragraph = "errors-of-sheets-and-webhooks"

    def __init__(self, path: object, given: int) -> None:
        self.path: str = str(path)
        self.given = given
        what = f"changed after it was checked; {given} ratings were taken from it, and no more. Read it again"
        super().__init__(_encodable(f"{self.path}: {what}"))


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def at(line: int, column: str, value: object, remedy: str, code: ProblemCode) -> Problem:
    """What is wrong with one cell, and what to do about it."""
    # What is kept of a huge cell is what is shown of it.
    kept = value if not isinstance(value, str) or len(value) <= MOST_TOLD else value[:MOST_TOLD]
    return Problem(("line", line, column), kept, remedy, code)


def whole(line: int, value: object, remedy: str, code: ProblemCode = ProblemCode.FORMAT) -> Problem:
    """What is wrong with a line as a whole."""
    return Problem(("line", line), value, remedy, code)


class Problems:
    """The problems of a sheet, of which the first by line are kept. Its memory is bounded."""

    def __init__(self) -> None:
        self.count: int = 0
        self._kept: list[tuple[int, int, Problem]] = []  # a heap, the last line on top

    def add(self, problem: Problem) -> None:
        """Add one; those of one line stay in their order."""
        self.count += 1
        line = problem.path[1] if len(problem.path) > 1 else 0
        entry = (-line if isinstance(line, int) else 0, -self.count, problem)
        if len(self._kept) < MOST_TOLD:
            heapq.heappush(self._kept, entry)
        else:
            heapq.heappushpop(self._kept, entry)

    def error(self, path: object) -> SheetError:
        """The error that names them."""
        return SheetError(path, [entry[2] for entry in sorted(self._kept, reverse=True)], self.count)


class UnreadableError(Exception):
    """The file cannot be read further than here; `problem` says where and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem
