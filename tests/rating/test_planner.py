"""What the best use of the next request is."""

from __future__ import annotations

import pytest

from picoworkers_async.rating.planner import Situation, Step, plan


@pytest.mark.parametrize(
    ("situation", "step"),
    [
        (Situation(exhausted=True), Step.END),
        (Situation(exhausted=True, in_hand=1), Step.WAIT),
        (Situation(), Step.WAIT),
        (Situation(stopped=True, full=3, page=True, look_overdue=True), Step.END),
        (Situation(look_overdue=True, full=3, page=True), Step.LOOK),
        (Situation(full=1, page=True), Step.SEND),
        (Situation(full=1, waiting=5, enough=14, page=True), Step.READ),
        (Situation(full=1, waiting=20, enough=14, page=True), Step.SEND),
        (Situation(page=True, parts=1, filling=True), Step.READ),
        (Situation(parts=1, filling=True, in_hand=5), Step.WAIT),
        (Situation(parts=1, in_hand=5), Step.SEND),
        (Situation(look_due=True, in_hand=5, unknown=4), Step.WAIT),
        (Situation(look_due=True, in_hand=4, unknown=4), Step.LOOK),
        (Situation(look_due=True, parts=1, in_hand=4, unknown=4), Step.SEND),
    ],
)
def test_the_best_use_of_a_request(situation: Situation, step: Step) -> None:
    assert plan(situation) is step
