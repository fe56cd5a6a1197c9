"""Which answer is taken, and what becomes of the others."""

from __future__ import annotations

import pytest

from picoworkers_async import Later, Rating, Task
from picoworkers_async.fleet.messages import Answer, Lost, NotDecided, Question
from picoworkers_async.fleet.waiting import Questions

TASK = Task("t1", "j1")
YES, NO = Rating.ok(TASK), Rating.not_ok(TASK, "no")
NAME = "j1:t1:0"

pytestmark = pytest.mark.anyio


def answer(decision, worker: str = "a", tries: int = 1) -> Answer:
    return Answer(decision, (worker, tries), tries)


def asked(questions: Questions):
    """A question that the broker was given."""
    waiting = questions.begin(NAME, Question(TASK, None, 3))
    questions.unasked.clear()
    assert questions.found(NAME, None, is_there=False)
    questions.asked([NAME])
    return waiting


async def test_of_two_decisions_the_first_is_taken_and_the_second_dropped_and_counted() -> None:
    questions = Questions()
    waiting = asked(questions)
    questions.arrived(NAME, answer(YES, "a"))
    questions.arrived(NAME, answer(NO, "b"))
    assert waiting.ended.is_set()
    assert waiting.answer == YES
    counts = questions.counts()
    assert (counts.out, counts.decided, counts.dropped) == (0, 1, 1)
    assert list(questions.used) == [NAME]


async def test_one_decision_that_is_told_twice_is_not_a_second() -> None:
    questions = Questions()
    asked(questions)
    questions.arrived(NAME, answer(YES))
    questions.arrived(NAME, answer(YES))
    assert questions.counts().dropped == 0
    again = asked(questions)
    questions.arrived(NAME, answer(YES))
    assert not again.ended.is_set()


async def test_a_decision_that_comes_after_it_was_given_up_is_dropped_and_counted() -> None:
    questions = Questions()
    questions.end(NAME, asked(questions))
    questions.arrived(NAME, answer(YES))
    assert questions.counts().dropped == 1
    assert list(questions.used) == [NAME]


async def test_a_decision_of_an_earlier_run_stays_until_its_task_is_asked_about_and_is_then_taken() -> None:
    questions = Questions()
    questions.arrived(NAME, answer(YES))
    assert not questions.used
    assert questions.counts().dropped == 0
    waiting = questions.begin(NAME, Question(TASK, None, 3))
    assert not questions.found(NAME, answer(YES), is_there=False)
    assert waiting.answer == YES


@pytest.mark.parametrize("earlier", [None, Later(60), NotDecided("boom")])
async def test_what_an_earlier_run_left_without_a_rating_is_decided_anew(earlier) -> None:
    questions = Questions()
    waiting = questions.begin(NAME, Question(TASK, None, 3))
    questions.unasked.clear()
    assert not questions.found(NAME, answer(earlier), is_there=False)
    assert not waiting.ended.is_set()
    assert list(questions.used) == list(questions.unasked) == [NAME]
    assert questions.found(NAME, None, is_there=False)


async def test_what_the_broker_lost_is_asked_again_and_counted() -> None:
    questions = Questions()
    asked(questions)
    assert not questions.found(NAME, None, is_there=True)
    assert questions.counts().redelivered == 0
    assert questions.found(NAME, None, is_there=False)
    questions.asked([NAME])
    assert questions.counts().redelivered == 1
    questions.arrived(NAME, answer(Lost()))
    assert list(questions.unasked) == [NAME]
    assert questions.counts().out == 1


async def test_the_tries_of_an_answer_are_counted_and_what_nobody_could_decide_is_failed() -> None:
    questions = Questions()
    asked(questions)
    questions.arrived(NAME, answer(NotDecided("boom"), tries=3))
    counts = questions.counts()
    assert (counts.failed, counts.decided, counts.redelivered) == (1, 0, 2)
    questions.arrived(NAME, answer(NotDecided("late"), "b"))
    assert questions.counts().dropped == 0


async def test_two_who_ask_the_same_get_one_answer_and_one_may_give_up() -> None:
    questions = Questions()
    first = asked(questions)
    second = questions.begin(NAME, Question(TASK, None, 3))
    assert first is second
    questions.end(NAME, first)
    assert questions.counts().out == 1
    questions.arrived(NAME, answer(YES))
    assert second.answer == YES
    assert questions.counts().decided == 1


async def test_only_so_many_are_remembered() -> None:
    questions = Questions(remembered=2)
    for number in range(3):
        waiting = questions.begin(str(number), Question(TASK, None, 3))
        questions.end(str(number), waiting)
    questions.arrived("0", answer(YES))
    questions.arrived("2", answer(YES))
    assert questions.counts().dropped == 1
