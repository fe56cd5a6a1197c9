"""Coordinators, accounts and deciders in simulated time: a discrete simulation, for `scaling.py`.

What a request does next is decided by the library's own planner, and when it leaves by its own pacing. The rest
of a coordinator is counted, not run: tasks are numbers, and `grain` of them are decided together by as many
deciders, so that ten million take seconds. The rules are those of `listings/sweep` (what a listing takes),
`rating/queue` (what may leave) and `listings/lookup` (what a lost answer takes). An answer that is lost is one to
a request that took effect.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable

import attrs
from arithmetic import AT_ONCE, DAY, Case, requests_of_a_look, requests_to_settle

from picoworkers_async.rating.planner import Situation, Step, plan
from picoworkers_async.rating.queue import MOST_WAITING
from picoworkers_async.rules import MOST_TASK_IDS
from picoworkers_async.throttle.pacing import Pace, departed, reserve

FEW_REQUESTS = 4 * AT_ONCE
SETTLE_AFTER = 30.0
RETRY = 1.0


class World:
    """What happens next, and the deciders that all coordinators share: first come, first served."""

    def __init__(self, case: Case, seed: int) -> None:
        self.now = 0.0
        self.rng = random.Random(seed)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._free = max(1, case.deciders // case.grain)
        self._asked: deque[Callable[[], None]] = deque()
        self._decision = case.decision
        self.busy = 0.0

    def at(self, time: float, happens: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (time, self._count, happens))

    def run(self) -> None:
        while self._events:
            self.now, _, happens = heapq.heappop(self._events)
            happens()

    def decide(self, decided: Callable[[], None]) -> None:
        """Have something decided by the next that is free."""
        self._asked.append(decided)
        self._begin()

    def _begin(self) -> None:
        while self._free and self._asked:
            decided = self._asked.popleft()
            self._free -= 1
            seconds = self._decision * self.rng.uniform(0.5, 1.5)
            self.busy += seconds
            self.at(self.now + seconds, lambda decided=decided: self._end(decided))  # type: ignore[misc]

    def _end(self, decided: Callable[[], None]) -> None:
        self._free += 1
        self._begin()
        decided()


class Coordinator:
    """One account: its listing, its pace, its queue of ratings, and what it does with each request."""

    def __init__(self, world: World, case: Case) -> None:
        self._world, self._case = world, case
        self._tasks = case.tasks // case.accounts
        self._pace = Pace(interval=1.0 / case.limit)
        self._has_slot = False
        # The listing.
        self._met = self._next_job = self._reading = 0
        self._pages: deque[int] = deque()
        self._not_before = self._began = 0.0
        self._looking = True
        # Decisions that wait for one of this coordinator's places, and that are out.
        self._awaited: deque[int] = deque()
        self._out = self._undecided = 0
        # Ratings that wait, by job, and what of a job is under way.
        self._waiting, self._under_way = [0] * case.jobs, [0] * case.jobs
        self._waits = self._full = self._in_hand = 0
        # Ratings whose answer was lost, with when; those looked up now, and the requests that still takes.
        self._lost: deque[tuple[float, int]] = deque()
        self._unknown = self._sought = self._requests_to_go = 0
        self._seeking = False
        self.requests = self.sends = self.rated = 0
        self.ended = 0.0
        self.looks: list[float] = []
        world.at(0.0, self._look)

    def _look(self) -> None:
        """Begin to read the listing: it shows what came since the last time, all else is rated."""
        case, now = self._case, self._world.now
        listed = int(self._tasks * min(1.0, now / DAY)) if case.day else self._tasks
        fresh = listed - self._met
        self._met, self._began = listed, now
        self._looking = fresh > 0 or listed < self._tasks
        whole, rest = divmod(fresh, case.page)
        tasks = [case.page] * whole + [rest] * (rest > 0)
        self._pages.extend([0] * (requests_of_a_look(fresh, case.page) - len(tasks)) + tasks)
        self._wake()

    def _situation(self) -> Situation:
        now = self._world.now
        slow = self._undecided >= FEW_REQUESTS
        most = FEW_REQUESTS if slow else max(FEW_REQUESTS, min(AT_ONCE * self._case.jobs, MOST_WAITING))
        filling = bool(self._pages or self._reading)
        full = self._full or int(self._waits + min(self._undecided, most // 2) >= most)
        parts = 0
        if not full and not filling:
            parts = sum(waits > 0 and not busy for waits, busy in zip(self._waiting, self._under_way, strict=True))
        lost = not self._seeking and (bool(self._lost) or self._sought > 0)
        return Situation(
            full=full,
            parts=parts,
            waiting=self._waits,
            page=bool(self._pages) and self._not_before <= now and self._waits + self._undecided < most,
            filling=filling,
            look_overdue=not self._seeking
            and lost
            and (self._sought > 0 or self._lost[0][0] + SETTLE_AFTER <= now),
            look_due=lost,
            in_hand=self._in_hand,
            unknown=self._unknown,
            exhausted=not self._looking and not filling,
        )

    def _wake(self) -> None:
        if self._has_slot:
            return
        step = plan(self._situation())
        if step in (Step.READ, Step.SEND, Step.LOOK):
            self._pace, slot = reserve(self._pace, self._world.now)
            self._has_slot = True
            self._world.at(max(slot, self._world.now), lambda: self._leave(slot))
        elif self._looking and not self._pages and not self._reading and self._in_hand == self._unknown:
            now = self._world.now
            if now > self._began:
                self.looks.append(now - self._began)
                self._world.at(now, self._look)
                self._began = now

    def _leave(self, slot: float) -> None:
        """The slot has come: its best use is what the planner says now."""
        self._has_slot = False
        step = plan(self._situation())
        if step in (Step.READ, Step.SEND, Step.LOOK):
            self._pace = departed(self._pace, slot, self._world.now)
            self.requests += 1
            lost = self._world.rng.random() < self._case.lost
            answered = {Step.READ: self._read, Step.SEND: self._send, Step.LOOK: self._seek}[step](lost)
            self._world.at(self._world.now + self._case.latency, lambda: self._answer(answered))
        self._wake()

    def _answer(self, answered: Callable[[], None]) -> None:
        answered()
        self.ended = self._world.now
        self._wake()

    def _read(self, lost: bool) -> Callable[[], None]:
        tasks = self._pages.popleft()
        self._reading += 1

        def answered() -> None:
            self._reading -= 1
            if lost:
                self._pages.appendleft(tasks)
                self._not_before = self._world.now + RETRY
                self._world.at(self._not_before, self._wake)
                return
            self._undecided += tasks
            self._in_hand += tasks
            for first in range(0, tasks, self._case.grain):
                self._awaited.append(min(self._case.grain, tasks - first))
            self._ask()

        return answered

    def _ask(self) -> None:
        while self._awaited and self._out < self._case.deciding:
            tasks, job = self._awaited.popleft(), self._next_job
            self._next_job = (job + 1) % self._case.jobs
            self._out += tasks
            self._under_way[job] += 1
            self._world.decide(lambda tasks=tasks, job=job: self._decided(tasks, job))  # type: ignore[misc]

    def _decided(self, tasks: int, job: int) -> None:
        self._out -= tasks
        self._undecided -= tasks
        self._under_way[job] -= 1
        self._put(job, tasks)
        self._ask()
        self._wake()

    def _put(self, job: int, tasks: int) -> None:
        before = self._waiting[job]
        self._waiting[job] = before + tasks
        self._waits += tasks
        self._full += (before + tasks) // AT_ONCE - before // AT_ONCE

    def _send(self, lost: bool) -> Callable[[], None]:
        job = max(range(self._case.jobs), key=self._waiting.__getitem__)
        tasks = min(AT_ONCE, self._waiting[job])
        self._put(job, -tasks)
        self._under_way[job] += 1
        self.sends += 1

        def answered() -> None:
            self._under_way[job] -= 1
            if lost:
                self._unknown += tasks
                self._lost.append((self._world.now, tasks))
                self._world.at(self._world.now + SETTLE_AFTER, self._wake)
            else:
                self._rated(tasks)

        return answered

    def _rated(self, tasks: int) -> None:
        self.rated += tasks
        self._in_hand -= tasks

    def _seek(self, lost: bool) -> Callable[[], None]:
        if not self._sought:
            since, tasks = self._lost.popleft()
            self._sought = min(MOST_TASK_IDS, tasks)
            if tasks > self._sought:
                self._lost.appendleft((since, tasks - self._sought))
            self._requests_to_go = requests_to_settle(self._sought, self._case.page)
        self._seeking = True

        def answered() -> None:
            self._seeking = False
            self._requests_to_go -= not lost
            if not self._requests_to_go:
                self._rated(self._sought)
                self._unknown -= self._sought
                self._sought = 0

        return answered


@attrs.frozen
class Result:
    """What a simulation came to: `seconds` until the last answer, `look` the mean seconds of a look."""

    seconds: float
    requests: int
    sends: int
    busy: float
    look: float


def simulate(case: Case, seed: int = 1) -> Result:
    """Run a case to its end; every task must have been rated, once."""
    world = World(case, seed)
    coordinators = [Coordinator(world, case) for _ in range(case.accounts)]
    world.run()
    for one in coordinators:
        assert one.rated == case.tasks // case.accounts, (case.name, one.rated)
    looks = [
        look for one in coordinators for look in one.looks[len(one.looks) // 4 : -len(one.looks) // 4 or None]
    ]
    seconds = max(one.ended for one in coordinators)
    return Result(
        seconds,
        sum(one.requests for one in coordinators),
        sum(one.sends for one in coordinators),
        world.busy * case.grain / seconds,
        sum(looks) / len(looks) if looks else 0.0,
    )
