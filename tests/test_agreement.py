"""A batch and `settle`, asked about the same generated situations, agree; and neither tells what is not so.

`PICOWORKERS_SITUATIONS` says how many; `nox -s soak` asks about 10,000.
"""

from __future__ import annotations

import os
import random

import anyio
import attrs
import httpx
import pytest

from picoworkers_async import (
    PICOWORKERS,
    SPROUTGIGS,
    AsyncPicoworkers,
    Edition,
    Effect,
    OutcomeStatus,
    OutcomeUnknownError,
    Rating,
    Throttle,
)
from picoworkers_async.sandbox import Faults, Sandbox
from picoworkers_async.transport.package import package_of
from tests.support import virtual_time

pytestmark = pytest.mark.story

SITUATIONS = int(os.environ.get("PICOWORKERS_SITUATIONS", "300"))
SETTLE_AFTER = 30.0


WITHOUT = {
    "404": lambda package: package.Response(404, text="<html>Not Found"),
    "refused": lambda package: package.Response(200, json={"ok": False, "message": "No such method."}),
    "later": lambda package: package.Response(200, json={"ok": False, "message": "Please try again later."}),
    "503": lambda package: package.Response(503, text="<html>We are working on it"),
    "html": lambda package: package.Response(200, text="<html>We are working on it"),
}
"""Answers in place of the listing of rated tasks: the first two say that there is none."""


class WithoutRated(httpx.AsyncBaseTransport):
    """Carries requests to a sandbox, but has another answer for the listing of rated tasks."""

    def __init__(self, sandbox: Sandbox, way: str) -> None:
        self.inner, self.way = sandbox.transport(), way

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.way in WITHOUT and request.url.path.endswith("get-rated-tasks.php"):
            return WITHOUT[self.way](package_of(request, "Request"))
        return await self.inner.handle_async_request(request)


@attrs.frozen
class Situation:
    """One rating whose answer is lost, and what else happens."""

    edition: Edition
    verdict: str
    revision_known: bool
    fault: str
    late_seconds: float
    read_lag: float
    pays_repeats: bool
    by_hand: str | None
    by_hand_at: float
    others: int
    rated_listing: str
    seed: int

    @classmethod
    def drawn(cls, seed: int) -> Situation:
        rng = random.Random(seed)
        lag = rng.choice([0.0, 0.0, rng.uniform(0, 14)])
        return cls(
            edition=rng.choice([PICOWORKERS, SPROUTGIGS]),
            verdict=rng.choice(["ok", "ok", "not_ok", "revise"]),
            revision_known=rng.random() < 0.8,
            fault=rng.choice(["cut_before", "cut_after", "late", "answer_late_504"]),
            late_seconds=rng.uniform(0.1, 14),
            read_lag=lag,
            pays_repeats=rng.random() < 0.5,
            by_hand=rng.choice([None, None, "ok", "not_ok", "handed in again"]),
            by_hand_at=rng.uniform(0.1, 80),
            others=rng.choice([0, 3, 45]),
            rated_listing=rng.choice(["there", "there", *WITHOUT]),
            seed=seed,
        )

    def sandbox(self) -> tuple[Sandbox, Rating]:
        faults = Faults(
            **{self.fault: 1.0},
            late_seconds=self.late_seconds,
            only={"rate_single_task", "rate_multiple_tasks"},
        )
        sandbox = Sandbox(
            edition=self.edition,
            balance=10**6,
            pays_repeats=self.pays_repeats,
            seed=self.seed,
            faults=faults,
        )
        job_id = sandbox.add_job(num_tasks=10**6)
        sandbox.add_tasks(job_id, self.others)
        (task_id,) = sandbox.add_tasks(job_id)
        sandbox.read_lag = self.read_lag
        revision = 0 if self.revision_known else None
        return sandbox, Rating(job_id, task_id, self.verdict, comment="why", revision_number=revision)


async def something_else(sandbox: Sandbox, rating: Rating, situation: Situation) -> None:
    """Somebody at the web site, beside us."""
    await anyio.sleep(situation.by_hand_at)
    task = sandbox.store.tasks[rating.task_id]
    if situation.by_hand == "handed in again" and task.verdict == "revise":
        sandbox.resubmit(rating.task_id)
    elif situation.by_hand in ("ok", "not_ok") and task.verdict is None:
        sandbox.faults = Faults()
        async with client(sandbox) as pico:
            await pico.jobs.rate_single_task(
                Rating(rating.job_id, rating.task_id, situation.by_hand, comment="by hand")
            )


def client(sandbox: Sandbox, rated_listing: str = "there", **options) -> AsyncPicoworkers:
    return AsyncPicoworkers(
        "user_id",
        "api_secret",
        edition=sandbox.edition,
        transport=WithoutRated(sandbox, rated_listing),
        throttle=Throttle(),
        settle_after=SETTLE_AFTER,
        **options,
    )


async def by_batch(situation: Situation) -> tuple[Effect, Sandbox]:
    sandbox, rating = situation.sandbox()
    async with anyio.create_task_group() as group, client(sandbox, situation.rated_listing) as pico:
        group.start_soon(something_else, sandbox, rating, situation)
        async with pico.rate([rating]) as outcomes:
            await anyio.sleep(0.05)
            # What is sent again is answered.
            sandbox.faults = Faults()
            (outcome,) = [outcome async for outcome in outcomes]
        group.cancel_scope.cancel()
    mine = [
        request for request in sandbox.requests if "/rate-" in request.path and "by hand" not in str(request.body)
    ]
    if len(mine) > 1:
        return Effect.DID_NOT, sandbox
    told = {OutcomeStatus.RATED: Effect.TOOK_EFFECT, OutcomeStatus.UNKNOWN: Effect.CANNOT_TELL}
    return told[outcome.status], sandbox


async def by_settle(situation: Situation) -> tuple[Effect, Sandbox]:
    sandbox, rating = situation.sandbox()
    async with anyio.create_task_group() as group, client(sandbox, situation.rated_listing) as pico:
        group.start_soon(something_else, sandbox, rating, situation)
        try:
            await pico.jobs.rate_single_task(rating)
            raise AssertionError("the answer was to be lost")
        except OutcomeUnknownError as error:
            sandbox.faults = Faults()
            settlement = await pico.settle(error)
        group.cancel_scope.cancel()
    return settlement.effect, sandbox


async def ask(seeds: range) -> None:
    for seed in seeds:
        situation = Situation.drawn(seed)
        batch, _ = await by_batch(situation)
        settled, sandbox = await by_settle(situation)
        assert batch is settled, situation
        sandbox.catch_up()
        if situation.edition is SPROUTGIGS and situation.rated_listing in ("503", "html"):
            # An outage of that listing is no sign that there is none.
            assert settled is not Effect.TOOK_EFFECT or situation.by_hand == "handed in again", situation
        if settled is Effect.DID_NOT:
            assert not any(entry.comment == "why" for entry in sandbox.ledger), situation
        if settled is Effect.TOOK_EFFECT and situation.by_hand is None:
            assert any(entry.comment == "why" for entry in sandbox.ledger), situation


def test_a_batch_and_settle_agree_about_every_situation_and_tell_no_wrong() -> None:
    virtual_time.run(ask, range(SITUATIONS))
