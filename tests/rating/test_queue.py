"""Ratings that wait for a request of their job."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async import Rating
from picoworkers_async.rating.pending import PendingRating
from picoworkers_async.rating.queue import RatingQueue


def pending(job: str, task: str) -> PendingRating:
    return PendingRating(Rating(job, task, "ok"))


def filled(at_once: int, *ratings: tuple[str, str]) -> RatingQueue:
    queue = RatingQueue(at_once, 2)
    for job, task in ratings:
        queue.put(pending(job, task))
    return queue


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), max_size=60), st.integers(1, 7))
def test_all_that_waits_is_taken_once_and_in_order_and_no_task_twice_in_a_request(given: list, most: int) -> None:
    queue = RatingQueue(most, 2)
    pendings = [pending(f"job{job}", f"task{task}") for job, task in given]
    for one in pendings:
        queue.put(one)
    taken = []
    while queue.waiting:
        some = queue.take(part=True)
        names = [one.rating.task_id for one in some]
        assert 0 < len(names) <= most
        assert len(set(names)) == len(names)
        assert len({one.rating.job_id for one in some}) == 1
        queue.ended(some[0].rating.job_id)
        taken += some
    assert queue.take(part=True) == []
    assert queue.full == queue.parts() == 0
    assert len(taken) == len(set(map(id, taken))) == len(pendings)
    for job, task in set(given):
        same = [one for one in pendings if (one.rating.job_id, one.rating.task_id) == (f"job{job}", f"task{task}")]
        assert [one for one in taken if one in same] == same


def test_jobs_with_a_full_request_take_turns() -> None:
    queue = filled(2, *((job, str(number)) for job in "ab" for number in range(6)))
    jobs = [queue.take(part=False)[0].rating.job_id for _ in range(6)]
    assert jobs == ["a", "b", "a", "b", "a", "b"]


def test_a_smaller_request_waits_for_one_of_its_job_that_is_under_way_or_being_decided() -> None:
    queue = filled(3, *(("a", str(number)) for number in range(4)))
    assert (queue.full, queue.parts()) == (1, 1)
    queue.take(part=False)
    assert (queue.full, queue.parts()) == (0, 0)
    assert queue.take(part=True) == []
    queue.ended("a")
    queue.begin_deciding("a")
    assert queue.parts() == 0
    queue.end_deciding("a")
    assert (queue.parts(), len(queue.take(part=True))) == (1, 1)


def test_without_room_for_more_the_largest_leaves_as_it_is() -> None:
    queue = filled(10, *((f"job{number % 20_000}", str(number)) for number in range(50_000)), ("job7", "more"))
    assert not queue.has_room
    assert queue.full == 1
    assert queue.take(part=False)[0].rating.job_id == "job7"


def test_there_is_room_to_fill_a_request_of_each_of_a_thousand_jobs_and_no_more_than_that() -> None:
    queue = filled(50, *((f"job{number % 1000}", str(number)) for number in range(49_000)))
    assert queue.has_room
    assert queue.full == 0
    queue = filled(50, *((f"job{number}", "task") for number in range(50_000)))
    assert not queue.has_room


def test_while_many_decisions_are_awaited_smaller_requests_need_not_wait_to_be_filled() -> None:
    queue = filled(10, *((f"job{number % 20}", str(number)) for number in range(40)), ("job7", "more"))
    assert queue.has_room
    for number in range(40):
        queue.begin_deciding(f"job{number % 20}")
    assert not queue.has_room
    assert queue.full == 1
    assert queue.take(part=False)[0].rating.job_id == "job7"


def test_the_largest_need_not_wait_for_decisions_for_which_there_is_room_but_for_nothing_more() -> None:
    queue = filled(10, *((f"job{number % 20}", str(number)) for number in range(160)), ("job7", "more"))
    for number in range(38):
        queue.begin_deciding(f"job{number % 20}")
    assert queue.full == 0
    queue.begin_deciding("job7")
    assert (queue.has_room, queue.full) == (True, 1)
    assert queue.take(part=False)[0].rating.job_id == "job7"


def test_few_ratings_wait_to_be_filled_while_most_tasks_are_still_being_decided() -> None:
    queue = filled(10, ("job", "1"), ("job", "2"))
    for _ in range(39):
        queue.begin_deciding("job")
    assert queue.full == 0
    assert queue.take(part=False) == []


def test_without_room_and_with_every_job_held_nothing_may_leave() -> None:
    queue = filled(10, *(("held", str(number)) for number in range(40)))
    queue.hold(queue.job("held"))
    assert not queue.has_room
    assert queue.full == 0


def test_a_group_is_sent_by_itself_and_a_job_that_is_held_sends_nothing() -> None:
    queue = filled(4, ("a", "x"))
    queue.put_group([pending("a", "p"), pending("a", "q")])
    job = queue.job("a")
    queue.hold(job)
    assert (queue.full, queue.take(part=True)) == (0, [])
    queue.release(job)
    assert [one.rating.task_id for one in queue.take(part=False)] == ["p", "q"]


def test_nothing_is_kept_of_a_job_that_is_done() -> None:
    queue = filled(1, ("a", "x"))
    queue.take(part=False)
    queue.ended("a")
    assert queue._jobs == queue._ready == queue._parts._sizes == queue._unheld._sizes == {}


class PlainRatingQueue:
    """The same, as simple as can be, and slow: each question goes through all jobs."""

    def __init__(self, queue: RatingQueue) -> None:
        self.queue = queue

    def full(self) -> int:
        jobs = self.queue._jobs.values()
        full = sum(len(job.ratings) // self.queue.at_once + len(job.groups) for job in jobs if not job.held)
        if full or not self.queue.is_crowded:
            return full
        return int(any(job.ratings and not job.held for job in jobs))

    def parts(self) -> dict[str, int]:
        if self.queue.at_once == 1:
            # Nothing is smaller than a full request.
            return {}
        jobs = self.queue._jobs.values()
        busy = [job for job in jobs if job.held or job.under_way or job.deciding]
        return {job.job_id: len(job.ratings) for job in jobs if job.ratings and job not in busy}


STEPS = st.tuples(
    st.sampled_from(["put"] * 3 + ["put back", "group", "take", "end", "decide", "decided", "hold", "release"]),
    st.integers(0, 3),
)


@given(st.lists(STEPS, max_size=100), st.integers(1, 4))
def test_what_may_leave_is_what_going_through_all_jobs_would_say(steps: list, at_once: int) -> None:
    queue = RatingQueue(at_once, 1)
    plain = PlainRatingQueue(queue)
    under_way: list[str] = []
    deciding: list[str] = []
    held: list = []
    for number, (step, which) in enumerate(steps):
        one = pending(f"job{which}", f"task{number}")
        if step == "put":
            queue.put(one)
        elif step == "put back":
            queue.put_back([one])
        elif step == "group":
            queue.put_group([one])
        elif step == "decide":
            deciding.append(one.rating.job_id)
            queue.begin_deciding(deciding[-1])
        elif step == "decided" and deciding:
            queue.end_deciding(deciding.pop(0))
        elif step == "hold":
            held.append(queue.job(one.rating.job_id))
            queue.hold(held[-1])
        elif step == "release" and held:
            queue.release(held.pop(0))
        elif step == "end" and under_way:
            queue.ended(under_way.pop(0))
        elif step == "take":
            full, parts, had_places = queue.full, plain.parts(), not queue.is_crowded
            taken = queue.take(part=True)
            assert bool(taken) == bool(full or parts)
            if taken:
                under_way.append(taken[0].rating.job_id)
                if not full:
                    assert had_places
                    assert len(taken) == max(parts.values())
        assert queue.full == plain.full()
        assert queue.parts() == len(plain.parts())
