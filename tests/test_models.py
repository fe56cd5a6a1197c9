"""What the models do beside holding values."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from picoworkers_async import JobDraft, Rating, Task, Verdict
from picoworkers_async.models.drafts import limits_of

TASK = Task("t1", "j1", revision_number=2)


def test_money_is_read_by_its_shortest_decimal_form() -> None:
    assert [Rating.ok(TASK, bonus=given).bonus for given in (0.1, "0.10", 1, Decimal("3.3482"))] == [
        Decimal("0.1"),
        Decimal("0.10"),
        Decimal(1),
        Decimal("3.3482"),
    ]


def test_what_is_left_out_of_a_rating_reads_as_the_services_default() -> None:
    rating = Rating.ok(TASK)
    assert (rating.list_id, rating.block_worker, rating.bonus) == (0, False, Decimal(0))


def test_a_rating_knows_the_revision_of_the_task_it_was_made_from() -> None:
    assert Rating.revise(TASK, "which?").revision_number == 2
    assert Rating("j1", "t1", Verdict.OK).revision_number is None


@pytest.mark.parametrize("given", ["not_ok", "nok", "NOK", "Not_OK"])
def test_nok_is_read_as_not_ok(given: str) -> None:
    assert Rating("j1", "t1", given).verdict is Verdict.NOT_OK  # type: ignore[arg-type]
    assert Task("t1", "j1", status=given).verdict is Verdict.NOT_OK


def test_a_task_says_how_it_was_rated_as_far_as_its_status_is_known() -> None:
    said = [Task("t1", "j1", status=status).verdict for status in (None, "", "OK", " ok ", "revise", "later")]
    assert said == [None, None, Verdict.OK, Verdict.OK, Verdict.REVISE, None]


def test_a_rating_made_from_something_else_says_so() -> None:
    with pytest.raises(TypeError, match="made from a Task, not from str"):
        Rating.ok("t1")  # type: ignore[arg-type]


def test_a_rating_shows_what_was_given_and_nothing_else() -> None:
    assert repr(Rating.ok(TASK, bonus=1)) == (
        "Rating(job_id='j1', task_id='t1', verdict='ok', bonus=Decimal('1'), revision_number=2)"
    )


def test_models_are_immutable() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        TASK.id = "other"  # type: ignore[misc]


def test_fields_carry_their_documented_defaults_and_limits() -> None:
    limits = limits_of(JobDraft)
    assert (limits["speed"].default, limits["speed"].minimum, limits["speed"].maximum) == (1000, 1, 1000)
    assert limits["premium_amount"].maximum == Decimal("50.00")
    assert limits["num_tasks"].minimum == 10
