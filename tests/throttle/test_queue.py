"""Who goes next."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async import Priority
from picoworkers_async.throttle.queue import FairQueue, Place


class PlainQueue:
    """The same queue, as simple as can be, and slow: a list of lines, each a list."""

    def __init__(self) -> None:
        self.lines: dict[Priority, dict[Hashable, deque[int]]] = {priority: {} for priority in Priority}

    def push(self, item: int, priority: Priority, group: Hashable) -> None:
        self.lines[priority].setdefault(group, deque()).append(item)

    def pop(self) -> int | None:
        for lines in self.lines.values():
            for group in lines:
                line = lines.pop(group)
                item = line.popleft()
                if line:
                    lines[group] = line
                return item
        return None

    def remove(self, item: int) -> None:
        for lines in self.lines.values():
            for group, line in list(lines.items()):
                if item in line:
                    line.remove(item)
                    if not line:
                        del lines[group]

    def waiting(self, priority: Priority) -> int:
        return sum(map(len, self.lines[priority].values()))


PUSH = st.tuples(st.just("push"), st.sampled_from(list(Priority)), st.integers(0, 3))
POP = st.tuples(st.just("pop"))
GIVE_UP = st.tuples(st.just("give up"), st.integers(0, 1000))


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


@given(st.lists(PUSH | PUSH | POP | GIVE_UP, max_size=80))
def test_whoever_comes_goes_or_gives_up_the_order_is_that_of_a_plain_queue(steps: list) -> None:
    queue: FairQueue[int] = FairQueue()
    plain = PlainQueue()
    places: dict[int, Place[int]] = {}
    for number, step in enumerate(steps):
        if step[0] == "push":
            places[number] = queue.push(number, *step[1:])
            plain.push(number, *step[1:])
        elif step[0] == "pop" and places:
            expected = plain.pop()
            assert queue.peek() == expected
            assert queue.pop() == expected
            del places[expected]
        elif step[0] == "give up" and places:
            item = sorted(places)[step[1] % len(places)]
            queue.remove(places.pop(item))
            plain.remove(item)
        assert len(queue) == len(places)
        for priority in Priority:
            assert queue.waiting(priority) == plain.waiting(priority)
    while places:
        item = queue.pop()
        assert item == plain.pop()
        del places[item]
