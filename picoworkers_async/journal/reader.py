"""A batch's journal, opened for reading, and for upkeep between batches."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

from ..editions import EDITIONS
from ..errors import InvalidRequestError, JournalError
from ..models.account import CONTEXT, to_money
from ..problems import Problem, ProblemCode
from ..rules import values
from . import money, questions
from .database import Database
from .places import Place, journal_problems, place_of
from .progress import Running, running_of
from .questions import JournalRow, JournalSummary, RowFilter, RowOrder, SummaryBy
from .schema import JournalState, JournalStateWord
from .stores import is_open, reading

_DAY_SECONDS = 86_400.0
_MARGIN_DAYS = 30
Reopened = Literal["refused", "failed", JournalState.REFUSED, JournalState.FAILED]
_REOPENED = (JournalState.REFUSED, JournalState.FAILED)


class Journal:
    """A batch's journal: give it, or its path, to `rate` or `review`, and use it to read what they did.

    It is in the file of this path; or in PostgreSQL, at an address such as
    `postgresql://user@host/database?journal=name`, which is a schema there (`picoworkers`, if none is named) and
    needs the extra `postgres`. `path` then is the address without its password. You can read it while a batch
    writes; `prune`, `reopen` and `withdraw` raise `JournalBusyError` while one does. Every method
    raises `JournalError` for a file that is missing, damaged (`JournalDamagedError`), or none
    of ours (`NotAJournalError`).

    A row is dated by when it was sent; if it was not, by when it failed or else was decided. Raises
    `InvalidRequestError` for what is no path of a file, such as SQLite's `:memory:`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        problems = journal_problems("path", path)
        if problems:
            raise InvalidRequestError("Journal", problems, sends=False)
        self.path: Place = place_of(path)

    def __repr__(self) -> str:
        return f"Journal({str(self.path)!r})"

    def counts(self) -> dict[JournalState, int]:
        """How many ratings are in each state; states without any, and what was pruned, are left out."""
        with reading(self.path) as database:
            rows = database.execute("SELECT state, count(*) FROM ratings GROUP BY state")
            return {JournalState(state): count for state, count in rows}

    def bonus_paid(self) -> Decimal:
        """The bonuses of all ratings that took effect, pruned ones included, in US dollars, exact."""
        with reading(self.path) as database:
            query = f"SELECT {money.SUMS} FROM ratings WHERE state = 'rated'"  # noqa: S608
            listed = money.spent_of(database.execute(query).fetchone()).bonus
            return CONTEXT.add(listed, money.pruned(database).bonus)

    def pay_paid(self) -> Decimal:
        """What all verdicts that took effect pay, as far as it is known (`unpriced`), in US dollars, exact.

        Without bonuses and fees; pruned ratings are included.
        """
        with reading(self.path) as database:
            query = f"SELECT {money.SUMS} FROM ratings WHERE state = 'rated'"  # noqa: S608
            listed = money.spent_of(database.execute(query).fetchone()).pay
            return CONTEXT.add(listed, money.pruned(database).pay)

    def rows(
        self,
        *,
        state: JournalState | JournalStateWord | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        job_id: str | None = None,
        worker_id: str | None = None,
        message: str | None = None,
        order: RowOrder = "task",
    ) -> Iterator[JournalRow]:
        """Iterate over the rows that fit every filter given.

        - `state`: in this state.
        - `since`, `until`: dated at this moment or later; before this moment. Both need a time zone.
        - `job_id`, `worker_id`: of this job; of this worker.
        - `message`: with this text in the message, in the same letter case.
        - `order`: "task" is by job, task and revision; "time" is by what dates them: SQLite sorts them all first.

        Raises `InvalidRequestError` for a filter that cannot be used.
        """
        wanted = RowFilter(
            state=state, since=since, until=until, job_id=job_id, worker_id=worker_id, message=message
        )
        wanted.check("Journal.rows", others=questions.order_problems(order))
        return self._rows(wanted, order)

    def _rows(self, wanted: RowFilter, order: RowOrder) -> Iterator[JournalRow]:
        with reading(self.path) as database:
            yield from questions.rows(database, wanted, order)

    def summary(self, by: SummaryBy = "day", timezone: str = "UTC") -> list[JournalSummary]:
        """The sums of all rows, in the order of the keys. What was pruned is not in it.

        | `by` | one for each | `key` |
        | --- | --- | --- |
        | `"day"` | day, from midnight in `timezone`, a name such as `Europe/Berlin`, by what dates a row | \
`YYYY-MM-DD` |
        | `"job"` | job | the job's id |
        | `"worker"` | worker | the worker's id; None if it is not known, as of a sheet without WORKER_ID |

        Raises `InvalidRequestError` for another `by`, and for a time zone that this machine does not know.
        """
        questions.check_summary(by, timezone)
        with reading(self.path) as database:
            return questions.summary(database, by, timezone)

    def unpriced(self) -> list[str]:
        """The jobs of ratings that may have paid, and whose pay is not known; see `price`."""
        with reading(self.path) as database:
            return money.unpriced(database, None)

    def price(self, job_id: str, task_value: Decimal | int | str) -> int:
        """Note what this job pays for a task, in US dollars, where no batch read it; returns for how many ratings.

        A batch with limits on pay reads the jobs that need it by itself. Raises `InvalidRequestError` for what
        is no amount, and `JournalBusyError` while a batch has the journal open.
        """
        from .upkeep import held

        amount = to_money(task_value)
        problems = list(values.money("task_value", amount))
        if problems:
            raise InvalidRequestError("Journal.price", problems, sends=False)
        return held(self.path, lambda database: money.price(database, job_id, amount))

    def running(self) -> Running | None:
        """The batch that has the journal open now, in any process, and how far it is; None if none has."""
        with reading(self.path) as database:
            meta = dict(database.execute("SELECT name, value FROM meta"))
        return running_of(meta) if is_open(self.path) else None

    def prune(self, before: datetime | None = None) -> int:
        """Delete the rows that ended before this moment, and return how many they were.

        What is decided, sent or unknown is never deleted, nor what was sent in the last two days. Without a
        moment, it is the edition's longest time to rate plus 30 days ago, when none of it can be listed any
        more. If you give a later one, a task that is still listed may be treated as new. Limits and `bonus_paid`
        go on counting what was pruned. The file does not shrink: freed space is used again.

        Raises `InvalidRequestError` for a moment without a time zone, or in the future.
        """
        from .upkeep import held, prune

        problems = questions.time_problems("before", before)
        if before is not None and not problems and before > datetime.now(UTC):
            problems.append(Problem("before", before, "a moment in the past", ProblemCode.RANGE))
        if problems:
            raise InvalidRequestError("Journal.prune", problems, sends=False)

        def work(database: Database) -> int:
            moment = self._long_ago(database) if before is None else before.timestamp()
            return prune(database, moment, time.time())

        return held(self.path, work)

    def reopen(
        self,
        state: Reopened = JournalState.REFUSED,
        *,
        message: str | None = None,
        job_id: str | None = None,
    ) -> int:
        """Let ratings that were refused, or failed, be sent again by the next batch that meets their tasks.

        Returns how many. They are `decided` again, as they were; call `withdraw` after that to have their tasks
        asked about anew. `message` and `job_id` are as in `rows`. Raises `InvalidRequestError` for every other
        state: what is sent or unknown may have taken effect.
        """
        from .upkeep import held, reopen

        wanted = RowFilter(state=state, message=message, job_id=job_id)
        wanted.check("Journal.reopen", _REOPENED)
        if state is None:
            raise InvalidRequestError(
                "Journal.reopen",
                [Problem("state", state, "refused or failed", ProblemCode.CHOICE)],
                sends=False,
            )
        return held(self.path, lambda database: reopen(database, wanted))

    def withdraw(self, state: Literal["decided", JournalState.DECIDED] = JournalState.DECIDED) -> int:
        """Take back decisions that were not sent, and return how many; a review asks about their tasks anew.

        Raises `InvalidRequestError` for every other state: only what is decided can be taken back.
        """
        from .upkeep import held, withdraw

        if state != JournalState.DECIDED:
            problem = Problem("state", state, "decided", ProblemCode.CHOICE)
            raise InvalidRequestError("Journal.withdraw", [problem], sends=False)
        return held(self.path, lambda database: withdraw(database, time.time()))

    def _long_ago(self, database: Database) -> float:
        (edition,) = database.execute("SELECT value FROM meta WHERE name = 'edition'").fetchone()
        if edition not in EDITIONS:
            raise JournalError(self.path, f"it is of the edition {edition!r}, which is not known: name a moment")
        return time.time() - (EDITIONS[edition].max_ttr + _MARGIN_DAYS) * _DAY_SECONDS
