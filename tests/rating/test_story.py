"""Any sequence of submissions, reviews that are left, lost answers, late acts, lags and restarts: paid once, none
skipped, and nobody told what is not so."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from picoworkers_async import (
    PICOWORKERS,
    SPROUTGIGS,
    AsyncPicoworkers,
    Edition,
    Journal,
    Outcome,
    OutcomeStatus,
    Rating,
    RetryPolicy,
    Task,
    Throttle,
)
from picoworkers_async.sandbox import Faults, Sandbox
from tests.support import virtual_time
from tests.support.judge import judge

pytestmark = pytest.mark.story

CRUEL = Faults(
    cut_before=0.1,
    cut_after=0.1,
    error_500_after=0.05,
    html_502=0.05,
    cut_midway=0.1,
    left_out=0.1,
    late=0.1,
    answer_late_504=0.05,
    error_json=0.05,
    late_seconds=12.0,
)
POLICY = RetryPolicy(attempts=6, initial=0.01, maximum=0.1)
BY_HAND = "by hand, on the site"


class Story(RuleBasedStateMachine):
    """One account, one journal, and whatever may happen to them."""

    @initialize(
        order=st.sampled_from(["oldest", "newest", "shuffled"]),
        page_size=st.integers(1, 8),
        seed=st.integers(0, 1000),
        edition=st.sampled_from([PICOWORKERS, SPROUTGIGS]),
        pays_repeats=st.booleans(),
    )
    def begin(self, order: str, page_size: int, seed: int, edition: Edition, pays_repeats: bool) -> None:
        self.sandbox = Sandbox(
            edition=edition,
            order=order,  # type: ignore[arg-type]
            page_size=page_size,
            seed=seed,
            balance=10**6,
            pays_repeats=pays_repeats,
        )
        self.jobs = [self.sandbox.add_job(num_tasks=10**6) for _ in range(2)]
        self.folder = tempfile.TemporaryDirectory()
        self.journal = Path(self.folder.name) / "ratings.db"
        self.decided: Counter[tuple[str, int]] = Counter()
        self.outcomes: list[Outcome] = []

    @rule(job=st.integers(0, 1), count=st.integers(1, 9))
    def submit(self, job: int, count: int) -> None:
        self.sandbox.add_tasks(self.jobs[job], count)

    @rule()
    def hand_in_again(self) -> None:
        for task in list(self.sandbox.store.tasks.values()):
            if task.verdict == "revise" and task.revision < 2:
                self.sandbox.resubmit(task.id)

    @rule(which=st.integers(0, 50), verdict=st.sampled_from(["ok", "not_ok"]))
    def rate_by_hand(self, which: int, verdict: str) -> None:
        unrated = self.sandbox.unrated()
        if unrated:
            task = self.sandbox.store.tasks[unrated[which % len(unrated)]]
            virtual_time.run(self._rate, Rating(task.job.id, task.id, verdict, comment=BY_HAND))

    @rule(
        faults=st.sampled_from([Faults(), CRUEL]),
        read_lag=st.sampled_from([0.0, 12.0]),
        leave_after=st.none() | st.integers(1, 12),
    )
    def review(self, faults: Faults, read_lag: float, leave_after: int | None) -> None:
        self.sandbox.read_lag = read_lag
        virtual_time.run(self._review, faults, leave_after)
        self.sandbox.read_lag = 0.0

    @invariant()
    def nobody_is_paid_twice(self) -> None:
        if hasattr(self, "sandbox"):
            self.sandbox.catch_up()
            rated = Counter((entry.task_id, entry.revision) for entry in self.sandbox.ledger)
            assert max(rated.values(), default=1) == 1
            assert max(self.decided.values(), default=1) == 1

    @invariant()
    def nobody_is_told_what_is_not_so(self) -> None:
        if not hasattr(self, "sandbox"):
            return
        ours = {
            (entry.task_id, entry.revision): entry for entry in self.sandbox.ledger if entry.comment != BY_HAND
        }
        by_hand = {entry.task_id for entry in self.sandbox.ledger if entry.comment == BY_HAND}
        for outcome in self.outcomes:
            if outcome.rating is None:
                continue
            key = outcome.rating.task_id, outcome.rating.revision_number
            if outcome.status is OutcomeStatus.RATED and outcome.rating.task_id not in by_hand:
                assert ours[key].verdict == outcome.rating.verdict

    def teardown(self) -> None:
        if not hasattr(self, "sandbox"):
            return
        for _ in range(2):
            virtual_time.run(self._review, Faults(), None)
        shuffled_and_whole = self.sandbox.order == "shuffled" and self.sandbox.edition is PICOWORKERS
        unknown = {
            row.rating.task_id for row in Journal(self.journal).rows() if row.state not in ("rated", "refused")
        }
        # Of a listing whose order changes with each read, nothing that is gone can be known for certain.
        assert set(self.sandbox.unrated()) <= (unknown if shuffled_and_whole else set())
        for entry in self.sandbox.ledger:
            rating = judge(Task(str(entry.task_id), "any"))
            assert rating is not None
            if entry.comment != BY_HAND:
                assert (entry.verdict, entry.bonus) == (rating.verdict.value, rating.bonus)
        self.folder.cleanup()

    async def _rate(self, rating: Rating) -> None:
        self.sandbox.faults = Faults()
        async with self._client() as pico:
            await pico.jobs.rate_single_task(rating)

    async def _review(self, faults: Faults, leave_after: int | None) -> None:
        def decide(task: Task) -> Rating | None:
            self.decided[task.id, task.revision_number] += 1
            return judge(task)

        self.sandbox.faults = faults
        async with self._client() as pico, pico.review(decide, journal=self.journal, grace=0) as outcomes:
            seen = 0
            async for outcome in outcomes:
                self.outcomes.append(outcome)
                seen += 1
                if seen == leave_after:
                    break

    def _client(self) -> AsyncPicoworkers:
        return AsyncPicoworkers(
            "user_id",
            "api_secret",
            edition=self.sandbox.edition,
            transport=self.sandbox.transport(),
            retry=POLICY,
            throttle=Throttle(4),
        )


Story.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestStory = Story.TestCase
