"""Which tasks a review has met."""

from __future__ import annotations

from picoworkers_async import Task
from picoworkers_async.rating.seen import SeenTasks


def test_a_task_is_new_once_in_each_revision_and_a_lower_one_is_stale() -> None:
    seen = SeenTasks()
    seen.begin_look(0.0, count_anew=True)
    assert seen.meet(Task("a"))
    assert not seen.meet(Task("a"))
    assert seen.meet(Task("a", revision_number=2))
    assert not seen.meet(Task("a", revision_number=1))


def test_different_tasks_are_counted_over_looks_that_found_nothing_new() -> None:
    seen = SeenTasks()
    seen.begin_look(0.0, count_anew=True)
    for name in "abc":
        seen.meet(Task(name))
    assert seen.has_seen(3)
    seen.begin_look(1.0, count_anew=True)
    seen.meet(Task("a"))
    assert not seen.has_seen(2)
    seen.begin_look(2.0, count_anew=False)
    seen.meet(Task("a"))
    seen.meet(Task("b"))
    assert seen.has_seen(2)
    assert not seen.has_seen(3)


def test_memory_is_that_of_what_is_listed_also_when_every_look_finds_something_new() -> None:
    seen = SeenTasks()
    for look in range(1000):
        seen.begin_look(float(look), count_anew=True)
        for number in range(10):
            assert seen.meet(Task(f"task{look}-{number}"))
        seen.forget_the_gone(before=look - 30.0)
    assert len(seen) <= 32 * 10


def test_what_has_just_ended_is_kept_for_as_long_as_a_listing_may_lag() -> None:
    seen = SeenTasks()
    seen.begin_look(0.0, count_anew=True)
    seen.meet(Task("slow"))
    for look in range(1, 100):
        seen.begin_look(float(look), count_anew=True)
    seen.ended("slow")
    seen.begin_look(100.0, count_anew=True)
    seen.forget_the_gone(before=70.0)
    assert not seen.meet(Task("slow"))
