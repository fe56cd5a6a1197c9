"""Which tasks a review has met."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async import Task
from picoworkers_async.rating.seen import SeenTasks


class PlainSeenTasks:
    """The same, as simple as can be, and slow: forgetting goes through everything at once."""

    def __init__(self, most: int | None) -> None:
        self.most = most
        self.marks: dict[str, tuple[int, int]] = {}
        self.look = 0
        self.began: list[tuple[int, float]] = []
        self.counted_from, self.counted = 1, 0

    def begin_look(self, now: float, *, count_anew: bool) -> None:
        self.look += 1
        self.began.append((self.look, now))
        if count_anew:
            self.counted_from, self.counted = self.look, 0

    def meet(self, task: Task) -> bool:
        revision, seen_in = self.marks.get(task.id, (-1, 0))
        self.counted += seen_in < self.counted_from or task.id not in self.marks
        self.marks[task.id] = max(revision, task.revision_number), self.look
        if self.most is not None and len(self.marks) > self.most:
            del self.marks[next(iter(self.marks))]
        return task.revision_number > revision

    def ended(self, task_id: str) -> None:
        if task_id in self.marks:
            self.marks[task_id] = self.marks[task_id][0], self.look

    def forget_the_gone(self, before: float) -> None:
        oldest_kept = 0
        while len(self.began) > 1 and self.began[1][1] <= before:
            oldest_kept = self.began.pop(0)[0] + 1
        self.marks = {name: mark for name, mark in self.marks.items() if mark[1] >= oldest_kept}


NAMES = st.integers(0, 12).map(lambda number: f"task{number}")
MEET = st.tuples(st.just("meet"), NAMES, st.integers(0, 2))
STEPS = st.one_of(
    MEET,
    MEET,
    st.tuples(st.just("ended"), NAMES),
    st.tuples(st.just("look"), st.floats(0.0, 20.0), st.booleans()),
    st.tuples(st.just("forget"), st.floats(0.0, 40.0)),
)


@given(st.lists(STEPS, max_size=80))
def test_what_is_new_is_what_going_through_everything_at_once_would_say(steps: list) -> None:
    seen, plain = SeenTasks(), PlainSeenTasks(None)
    now = 0.0
    for step in steps:
        if step[0] == "meet":
            task = Task(step[1], revision_number=step[2])
            assert seen.meet(task) == plain.meet(task)
        elif step[0] == "ended":
            seen.ended(step[1])
            plain.ended(step[1])
        elif step[0] == "look":
            now += step[1]
            seen.begin_look(now, count_anew=step[2])
            plain.begin_look(now, count_anew=step[2])
        else:
            seen.forget_the_gone(now - step[1])
            plain.forget_the_gone(now - step[1])
        assert seen.has_seen(plain.counted)
        assert not seen.has_seen(plain.counted + 1)


@given(st.lists(st.tuples(NAMES, st.integers(0, 2)), max_size=80), st.integers(1, 8))
def test_with_a_most_the_one_that_was_met_first_is_forgotten(met: list, most: int) -> None:
    seen, plain = SeenTasks(most), PlainSeenTasks(most)
    for name, revision in met:
        task = Task(name, revision_number=revision)
        assert seen.meet(task) == plain.meet(task)
        assert len(seen) == len(plain.marks)


def test_what_is_gone_is_new_again_at_once_and_its_memory_is_freed_bit_by_bit() -> None:
    seen = SeenTasks()
    seen.begin_look(0.0, count_anew=True)
    for number in range(50_000):
        seen.meet(Task(f"gone{number}"))
    seen.begin_look(1.0, count_anew=True)
    for number in range(10_000):
        seen.meet(Task(f"listed{number}"))
    seen.begin_look(2.0, count_anew=True)
    seen.forget_the_gone(before=1.5)
    assert len(seen) > 50_000
    assert seen.meet(Task("gone49999"))
    for number in range(10_000):
        assert not seen.meet(Task(f"listed{number}"))
    assert len(seen) == 10_001


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
