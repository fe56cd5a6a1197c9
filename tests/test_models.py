"""What the models do beside holding values."""

from __future__ import annotations

import inspect
from decimal import Decimal

import attrs
import pytest

from picoworkers_async import BatchReport, JobDraft, Limits, Outcome, OutcomeStatus, Rating, Task, Verdict
from picoworkers_async.models.drafts import limits_of

TASK = Task("t1", "j1", revision_number=2)


def test_money_is_read_by_its_shortest_decimal_form() -> None:
    assert [Rating.ok(TASK, bonus=given).bonus for given in (0.1, "0.10", 1, Decimal("3.3482"))] == [
        Decimal("0.1"),
        Decimal("0.10"),
        Decimal(1),
        Decimal("3.3482"),
    ]


@pytest.mark.parametrize("model", [JobDraft, Limits, Rating])
def test_the_signature_of_what_a_user_makes_says_what_each_argument_may_be(model: type) -> None:
    kinds = {name: argument.annotation for name, argument in inspect.signature(model).parameters.items()}
    assert [name for name, kind in kinds.items() if kind == "Any"] == []


def test_a_report_is_a_few_lines_to_read_however_much_it_keeps() -> None:
    failed = tuple(Outcome(None, OutcomeStatus.FAILED, f"decide raised {number}") for number in range(100))
    report = BatchReport(
        rated=5,
        refused=0,
        failed=1000,
        unknown=0,
        bonus=Decimal("1.50"),
        elapsed=12.34,
        replayed=2,
        outcomes_by_status={OutcomeStatus.FAILED: failed, OutcomeStatus.REFUSED: ()},
        put_off=3,
        limit="tasks_per_day is 5, and would be exceeded today",
    )
    assert str(report) == (
        "5 rated, 1000 failed, 3 put off in 12.3 s; bonuses of $1.50; 2 repeated from the journal\n"
        "ended by a limit: tasks_per_day is 5, and would be exceeded today\n"
        "failed, for example: decide raised 0"
    )
    nothing = attrs.evolve(report, rated=0, failed=0, put_off=0, limit=None, replayed=0, outcomes_by_status={})
    assert str(nothing) == "0 rated in 12.3 s; bonuses of $1.50"


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
