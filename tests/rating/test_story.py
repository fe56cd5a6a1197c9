"""Any sequence of submissions, reviews that are left, lost answers and restarts: paid once, none skipped."""

from __future__ import annotations

import tempfile
from collections import Counter
from decimal import Decimal
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from picoworkers_async import (
    PICOWORKERS,
    SPROUTGIGS,
    AsyncPicoworkers,
    Edition,
    Journal,
    Rating,
    RetryPolicy,
    Task,
    Throttle,
)
from picoworkers_async.sandbox import Faults, Sandbox
from tests.support import virtual_time
from tests.support.judge import judge

CRUEL = Faults(cut_before=0.15, cut_after=0.15, error_500_after=0.1, html_502=0.1, cut_midway=0.15, left_out=0.15)
POLICY = RetryPolicy(attempts=6, initial=0.0, maximum=0.0)


class Story(RuleBasedStateMachine):
    """One account, one journal, and whatever may happen to them."""

    @initialize(
        order=st.sampled_from(["oldest", "newest", "shuffled"]),
        page_size=st.integers(1, 8),
        seed=st.integers(0, 1000),
        edition=st.sampled_from([PICOWORKERS, SPROUTGIGS]),
    )
    def begin(self, order: str, page_size: int, seed: int, edition: Edition) -> None:
        self.sandbox = Sandbox(
            edition=edition,
            order=order,  # type: ignore[arg-type]
            page_size=page_size,
            seed=seed,
            balance=10**6,
        )
        self.jobs = [self.sandbox.add_job(num_tasks=10**6) for _ in range(2)]
        self.folder = tempfile.TemporaryDirectory()
        self.journal = Path(self.folder.name) / "ratings.db"
        self.decided: Counter[tuple[str, int]] = Counter()

    @rule(job=st.integers(0, 1), count=st.integers(1, 9))
    def submit(self, job: int, count: int) -> None:
        self.sandbox.add_tasks(self.jobs[job], count)

    @rule()
    def hand_in_again(self) -> None:
        for task in list(self.sandbox.store.tasks.values()):
            if task.verdict == "revise" and task.revision < 2:
                self.sandbox.resubmit(task.id)

    @rule(
        faults=st.sampled_from([Faults(), CRUEL]),
        leave_after=st.none() | st.integers(1, 12),
    )
    def review(self, faults: Faults, leave_after: int | None) -> None:
        virtual_time.run(self._review, faults, leave_after)

    @invariant()
    def nobody_is_paid_twice(self) -> None:
        if hasattr(self, "sandbox"):
            rated = Counter((entry.task_id, entry.revision) for entry in self.sandbox.ledger)
            assert max(rated.values(), default=1) == 1
            assert max(self.decided.values(), default=1) == 1

    def teardown(self) -> None:
        if not hasattr(self, "sandbox"):
            return
        virtual_time.run(self._review, Faults(), None)
        assert self.sandbox.unrated() == []
        expected = {}
        for entry in self.sandbox.ledger:
            rating = judge(Task(str(entry.task_id), "any"))
            assert rating is not None
            expected[entry.task_id, entry.revision] = (rating.verdict.value, rating.bonus)
        assert self.sandbox.decisions() == expected
        paid = sum((bonus for _, bonus in expected.values()), Decimal(0))
        assert Journal(self.journal).bonus_paid() == self.sandbox.bonus_paid == paid
        self.folder.cleanup()

    async def _review(self, faults: Faults, leave_after: int | None) -> None:
        def decide(task: Task) -> Rating | None:
            self.decided[task.id, task.revision_number] += 1
            return judge(task)

        self.sandbox.faults = faults
        pico = AsyncPicoworkers(
            "user_id",
            "api_secret",
            edition=self.sandbox.edition,
            transport=self.sandbox.transport(),
            retry=POLICY,
            throttle=Throttle(4),
        )
        async with pico, pico.review(decide, journal=self.journal, grace=0) as outcomes:
            seen = 0
            async for _ in outcomes:
                seen += 1
                if seen == leave_after:
                    break


Story.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestStory = Story.TestCase
