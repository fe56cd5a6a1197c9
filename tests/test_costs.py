"""What a job costs, and what the web site's form minds about it."""

from __future__ import annotations

from decimal import Decimal, getcontext, localcontext

import attrs
import pytest

from picoworkers_async import Category, JobDraft, Proof
from tests.support.vectors import DRAFT

SCREENSHOT = Proof("a screenshot", "screenshot")
FEES = "the service's own fees; `estimate` has those of the web site's form of 2024-10"


@pytest.mark.parametrize(
    ("change", "followers", "known", "estimate"),
    [
        ({}, "0", "2.50", "3.325"),
        ({"task_value": "1.99", "num_tasks": 100}, "0", "199", "213.58"),
        ({"task_value": "2.00", "num_tasks": 100}, "0", "200", "220.00"),
        ({"notify_followers": True}, "1", "3.50", "4.325"),
        ({"notify_followers": True, "num_tasks": 1000}, "3", "103", "110.8795"),
        ({"premium_amount": 2}, "0", "4.50", "5.325"),
        ({"premium_amount": "2.00", "notify_followers": True}, "1", "5.50", "6.325"),
        ({"task_value": "0.0001", "num_tasks": 10}, "0", "0.001", "0.65107"),
    ],
)
def test_the_cost_of_a_job_is_exact(change: dict, followers: str, known: str, estimate: str) -> None:
    cost = attrs.evolve(DRAFT, **change).cost()
    assert (cost.followers, cost.known, cost.estimate) == (Decimal(followers), Decimal(known), Decimal(estimate))
    assert (cost.fees_as_of, cost.unknown[0]) == ("2024-10", FEES)


def test_the_cost_does_not_depend_on_the_callers_decimal_context() -> None:
    with localcontext() as context:
        context.prec = 2
        assert attrs.evolve(DRAFT, num_tasks=1000, notify_followers=True).cost().estimate == Decimal("110.8795")
    assert getcontext().prec > 2


def test_a_draft_without_a_number_of_tasks_says_that_their_pay_is_unknown() -> None:
    cost = attrs.evolve(DRAFT, num_tasks=None, notify_followers=True, premium_amount=5).cost()
    assert (cost.tasks, cost.followers, cost.known, cost.estimate) == (None, None, Decimal(5), None)
    assert len(cost.unknown) == 3


CATEGORY = Category("0501", min_task_value={"int": Decimal("0.080"), "west1": Decimal("0.240")})
PLAIN = JobDraft(zone_id="int", category_id="0501", title="t", task_value="0.08")


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({}, []),
        ({"num_tasks": 24}, ["num_tasks"]),
        ({"num_tasks": 25}, []),
        ({"workers_level": "starter"}, []),
        ({"workers_level": "advanced", "task_value": "0.0999"}, ["level_pay"]),
        ({"workers_level": "advanced", "task_value": "0.10"}, []),
        ({"workers_level": "expert", "task_value": "0.1199"}, ["level_pay"]),
        ({"workers_level": "expert", "task_value": "0.12"}, []),
        ({"zone_id": "west1", "workers_level": "expert", "task_value": "0.3599"}, ["level_pay"]),
        ({"zone_id": None, "list_id": 1, "workers_level": "expert"}, []),
        ({"ttr": 7}, []),
        ({"ttr": 8, "task_value": "0.2499"}, ["ttr_pay"]),
        ({"ttr": 30, "task_value": "0.25"}, []),
        ({"ttr": 31, "task_value": "0.4999"}, ["ttr_pay"]),
        ({"ttr": 60, "task_value": "0.50"}, []),
        ({"ttr": 61, "task_value": "0.7499"}, ["ttr_pay"]),
        ({"ttr": 90, "task_value": "0.75"}, []),
        ({"ttr": 90, "task_value": "0.75", "workers_level": "expert"}, ["ttr_pay"]),
        ({"ttr": 90, "task_value": "1.125", "workers_level": "expert"}, []),
        ({"ttr": 90, "task_value": "0.75", "workers_level": "expert", "zone_id": None, "list_id": 1}, []),
        ({"proofs": [SCREENSHOT], "task_value": "0.1299"}, ["screenshot_pay"]),
        ({"proofs": [SCREENSHOT], "task_value": "0.13"}, []),
        ({"proofs": [SCREENSHOT] * 3, "task_value": "0.2299"}, ["screenshot_pay"]),
        ({"proofs": [SCREENSHOT] * 3, "task_value": "0.23"}, []),
        ({"proofs": [SCREENSHOT] * 4, "task_value": "1"}, ["screenshots"]),
        ({"proofs": [Proof("words", "text")] * 4}, []),
        ({"num_tasks": 10, "ttr": 90, "workers_level": "advanced", "proofs": [SCREENSHOT]},
         ["num_tasks", "level_pay", "ttr_pay", "screenshot_pay"]),
    ],
)  # fmt: skip
def test_the_floors_of_the_sites_form_are_warned_of(change: dict, codes: list[str]) -> None:
    warnings = attrs.evolve(PLAIN, **change).warnings(CATEGORY)
    assert [warning.code for warning in warnings] == codes
    assert all(warning.as_of == "2024-10" and "2024-10" in str(warning) for warning in warnings)


def test_screenshots_in_category_37_need_less() -> None:
    draft = attrs.evolve(PLAIN, category_id="3702", proofs=[SCREENSHOT], task_value="0.12")
    category = attrs.evolve(CATEGORY, id="3702")
    assert draft.warnings(category) == ()
    (warning,) = attrs.evolve(draft, task_value="0.11").warnings(category)
    assert warning.advice == "at least 0.120 with 1 screenshot"


def test_without_the_category_what_does_not_depend_on_it_is_warned_of() -> None:
    draft = attrs.evolve(PLAIN, proofs=[SCREENSHOT] * 2, workers_level="expert", ttr=8)
    assert [warning.code for warning in draft.warnings()] == ["ttr_pay", "screenshot_pay"]


def test_a_warning_says_what_would_be_better() -> None:
    (warning,) = attrs.evolve(PLAIN, ttr=31).warnings(CATEGORY)
    told = "at least 0.50 for a time to rate of more than 30 days"
    assert str(warning) == f"task_value=0.08: {told} (by the web site's form of 2024-10)"


@pytest.mark.parametrize(
    "change",
    [
        {"task_value": "ten", "ttr": 90},
        {"task_value": float("nan"), "ttr": 90},
        {"num_tasks": "many"},
        {"ttr": "long"},
        {"workers_level": ["expert"]},
        {"proofs": "a screenshot"},
        {"proofs": ["a screenshot"]},
        {"zone_id": ["int"]},
        {"category_id": None},
    ],
)
def test_what_breaks_the_limits_is_not_warned_of(change: dict) -> None:
    assert attrs.evolve(PLAIN, **change).warnings(CATEGORY) == ()
