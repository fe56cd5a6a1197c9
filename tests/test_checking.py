"""`pico.jobs.check`: what it finds, how often it reads, and what it keeps."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import anyio
import attrs
import pytest

from picoworkers_async import (
    SPROUTGIGS,
    AsyncPicoworkers,
    InvalidRequestError,
    JobDraft,
    Priority,
    RetryPolicy,
    ServiceError,
)
from picoworkers_async.kept import KeptAnswers
from picoworkers_async.sandbox import Faults, Sandbox
from tests.support.vectors import DRAFT

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]

CATALOGUE = ("get-zones", "get-categories", "get-lists")
BROKEN = Faults(error_500_before=1.0, only={"get_categories"})


def reads(sandbox: Sandbox) -> Counter[str]:
    return Counter(request.path.split("/")[-1].removesuffix(".php") for request in sandbox.requests)


def each(times: int, balances: int) -> Counter[str]:
    return Counter({**dict.fromkeys(CATALOGUE, times), "get-balances": balances})


async def test_a_draft_that_can_be_posted_has_no_problems_and_shows_what_it_costs(connect, edition) -> None:
    sandbox = Sandbox(edition=edition, balance="3.30")
    async with connect(sandbox) as pico:
        check = await pico.jobs.check(DRAFT)
    assert check.ok
    assert (check.cost.known, check.cost.estimate) == (Decimal("2.5"), Decimal("3.325"))
    assert (check.balance, [warning.code for warning in check.warnings]) == (
        Decimal("3.30"),
        ["screenshot_pay", "balance"],
    )
    assert {request.method for request in sandbox.requests} == {"GET"}


async def test_all_problems_are_told_at_once_also_those_of_unknown_zones_and_categories(connect) -> None:
    draft = JobDraft(zone_id="mars", category_id="0", title=" ", task_value=50, num_tasks=25, watch_time=-1)
    sandbox = Sandbox(edition=SPROUTGIGS)
    async with connect(sandbox) as pico:
        check = await pico.jobs.check(draft)
    assert [problem.field for problem in check.problems] == [
        "instructions", "proofs", "title", "watch_time", "zone_id", "category_id", "cost"
    ]  # fmt: skip
    assert not check.ok


async def test_what_is_no_draft_is_told_without_a_request(connect) -> None:
    sandbox = Sandbox()
    async with connect(sandbox) as pico:
        check = await pico.jobs.check({"title": "t"})
    assert [problem.field for problem in check.problems] == ["draft"]
    assert sandbox.requests == []


@pytest.mark.parametrize("max_age", [-1, float("nan"), "600", None, True])
async def test_an_age_that_is_none_is_refused(connect, max_age) -> None:
    async with connect(Sandbox()) as pico:
        with pytest.raises(InvalidRequestError, match="max_age"):
            await pico.jobs.check(DRAFT, max_age=max_age)


async def test_the_catalogue_is_read_once_in_ten_minutes_and_the_balance_each_time(connect) -> None:
    sandbox = Sandbox()
    async with connect(sandbox) as pico:
        for _ in range(3):
            await pico.jobs.check(DRAFT)
        assert reads(sandbox) == each(1, 3)
        await pico.with_options(priority=Priority.BATCH).jobs.check(DRAFT)
        await anyio.sleep(599)
        await pico.jobs.check(DRAFT)
        assert reads(sandbox) == each(1, 5)
        await anyio.sleep(2)
        await pico.jobs.check(DRAFT)
        assert reads(sandbox) == each(2, 6)


async def test_how_old_the_catalogue_may_be_can_be_said(connect) -> None:
    sandbox = Sandbox(latency=0.1)
    async with connect(sandbox) as pico:
        await pico.jobs.check(DRAFT, max_age=5)
        await pico.jobs.check(DRAFT, max_age=0)
        await anyio.sleep(4)
        await pico.jobs.check(DRAFT, max_age=5)
        assert reads(sandbox) == each(2, 3)
        await pico.jobs.check(DRAFT, max_age=3)
        assert reads(sandbox) == each(3, 4)


async def test_clients_keep_their_own_catalogue(connect) -> None:
    sandbox = Sandbox()
    async with connect(sandbox) as one, connect(sandbox) as other:
        await one.jobs.check(DRAFT)
        await other.jobs.check(DRAFT)
    assert reads(sandbox) == each(2, 2)


async def test_checks_at_the_same_time_share_their_reads(connect) -> None:
    sandbox = Sandbox(latency=0.5)
    async with connect(sandbox) as pico, anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(pico.jobs.check, DRAFT)
    assert reads(sandbox) == each(1, 20)


async def failing(pico: AsyncPicoworkers, errors: list[Exception]) -> None:
    try:
        await pico.jobs.check(DRAFT)
    except Exception as error:
        errors.append(error)


async def test_a_read_that_failed_is_shared_and_not_kept(connect) -> None:
    sandbox = Sandbox(latency=0.5, faults=BROKEN)
    errors: list[Exception] = []
    async with connect(sandbox, retry=RetryPolicy(attempts=1)) as pico:
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(failing, pico, errors)
        assert [type(error) for error in errors] == [ServiceError] * 10
        assert reads(sandbox)["get-categories"] == 1
        sandbox.faults = Faults()
        assert (await pico.jobs.check(DRAFT)).ok
    assert reads(sandbox) == Counter({"get-zones": 1, "get-categories": 2, "get-lists": 1, "get-balances": 1})


async def test_one_that_gives_up_waiting_does_not_take_the_others_read_along(connect) -> None:
    sandbox = Sandbox(latency=1.0)
    async with connect(sandbox) as pico:
        checks = []

        async def check() -> None:
            checks.append(await pico.jobs.check(DRAFT))

        async with anyio.create_task_group() as group:
            with anyio.move_on_after(0.5):
                async with anyio.create_task_group() as hasty:
                    hasty.start_soon(pico.jobs.check, DRAFT)
                    await anyio.sleep(0.1)
                    group.start_soon(check)
                    group.start_soon(check)
                    await anyio.sleep_forever()
        assert [check.ok for check in checks] == [True, True]
    assert reads(sandbox)["get-zones"] == 2


async def test_one_in_a_hurry_does_not_wait_for_the_read_of_one_that_is_not(connect) -> None:
    sandbox = Sandbox(latency=1.0)
    async with connect(sandbox) as pico, anyio.create_task_group() as group:
        group.start_soon(pico.with_options(priority=Priority.BATCH).jobs.check, DRAFT)
        await anyio.sleep(0.5)
        await pico.jobs.check(DRAFT)
    assert reads(sandbox)["get-zones"] == 2


async def test_a_change_to_a_list_has_the_lists_read_again(connect) -> None:
    sandbox = Sandbox(edition=SPROUTGIGS)
    async with connect(sandbox) as pico:
        for change in (
            lambda: pico.lists.add_workers(12870, ["w1"]),
            lambda: pico.lists.block_workers(["w1"]),
            lambda: pico.lists.unblock_workers(["w1"]),
        ):
            await pico.jobs.check(DRAFT)
            await change()
        await pico.jobs.check(DRAFT)
    assert reads(sandbox)["get-lists"] == 4
    assert reads(sandbox)["get-zones"] == 1


async def test_what_was_read_before_it_was_forgotten_is_not_kept_when_it_comes_later() -> None:
    kept = KeptAnswers()
    began = anyio.current_time()
    await anyio.sleep(1)
    kept.forget("lists")
    kept.put("lists", began, "old")
    assert kept.get("lists", 0) is None
    kept.put("lists", anyio.current_time(), "new")
    kept.put("lists", began, "old")
    assert kept.get("lists", 0)[1] == "new"


async def test_a_draft_for_another_zone_is_held_against_the_same_catalogue(connect) -> None:
    sandbox = Sandbox(edition=SPROUTGIGS)
    async with connect(sandbox) as pico:
        await pico.jobs.check(DRAFT)
        check = await pico.jobs.check(attrs.evolve(DRAFT, zone_id="arab1", excluded_countries=["us"]))
    assert [str(problem)[:18] for problem in check.problems] == ["excluded_countries"]
    assert len(sandbox.requests) == 5
