"""Which of a task's ratings, sent before, stands in the way of another one."""

from __future__ import annotations

import pytest

from picoworkers_async import Rating
from picoworkers_async.journal.schema import JournalState, Recorded
from picoworkers_async.journal.steps import sent_before


def sent(revision: int | None, verdict: str = "ok", at: float = 1.0) -> Recorded:
    comment = None if verdict == "ok" else "no"
    rating = Rating("j", "t", verdict, comment=comment, revision_number=revision)
    return Recorded(rating, JournalState.SENT, None, at)


@pytest.mark.parametrize(
    ("before", "revision", "stands"),
    [
        ([], 0, None),
        ([sent(0)], 0, 0),
        ([sent(0, "revise")], 1, None),
        ([sent(0), sent(1)], 1, 1),
        ([sent(None)], 0, 0),
        ([sent(None)], 3, 0),
        ([sent(None, "revise")], 0, 0),
        ([sent(None, "revise")], 1, None),
        ([sent(2)], None, 0),
        ([sent(None, at=1.0), sent(1, at=2.0)], None, 0),
        ([sent(1, at=1.0), sent(2, at=2.0)], None, 1),
        ([sent(None, at=9.0), sent(1, at=2.0)], 1, 1),
    ],
)
def test_one_of_the_same_revision_or_of_any_stands_and_the_nearest_is_told(
    before: list[Recorded], revision: int | None, stands: int | None
) -> None:
    assert sent_before(before, revision) is (None if stands is None else before[stands])
