"""Who goes next."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async import Priority
from picoworkers_async.throttle.queue import FairQueue


@given(st.lists(st.tuples(st.sampled_from(list(Priority)), st.integers(0, 3)), max_size=60))
def test_the_queue_gives_out_all_it_took_in_order_of_priority_and_arrival(pushed: list) -> None:
    queue: FairQueue[int] = FairQueue()
    for number, (priority, group) in enumerate(pushed):
        queue.push(number, priority, group)
    popped = [queue.pop() for _ in range(len(queue))]
    assert sorted(popped) == list(range(len(pushed)))
    assert [pushed[number][0] for number in popped] == sorted(priority for priority, _ in pushed)
    for group in {group for _, group in pushed}:
        for priority in Priority:
            of_group = [number for number in popped if pushed[number] == (priority, group)]
            assert of_group == sorted(of_group)
