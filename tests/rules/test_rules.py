"""Each documented limit, on both sides of it."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async import (
    PICOWORKERS,
    SPROUTGIGS,
    Category,
    Challenge,
    Edition,
    JobDraft,
    JobStatus,
    Proof,
    Rating,
    Task,
    Verdict,
    WorkerList,
    Zone,
    rules,
)
from picoworkers_async.rules import DraftCheck
from tests.support.vectors import DRAFT

TASK = Task("t1", "j1")
PROOF = Proof("a screenshot", "screenshot")
CHALLENGE = Challenge("2 + 2?", "4")


def fields(problems: list) -> list[str]:
    return [problem.field for problem in problems]


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"num_tasks": 10}, None),
        ({"num_tasks": 9}, "num_tasks"),
        ({"num_tasks": True}, "num_tasks"),
        ({"num_tasks": "25"}, "num_tasks"),
        ({"proofs": [PROOF] * 4}, None),
        ({"proofs": [PROOF] * 5}, "proofs"),
        ({"proofs": [Proof("", "text")]}, "proofs[0].description"),
        ({"proofs": [Proof("x", "video")]}, "proofs[0].type"),
        ({"proofs": ["a screenshot"]}, "proofs[0]"),
        ({"challenges": [CHALLENGE] * 3, "challenge_action": "rate_nok"}, None),
        ({"challenges": [CHALLENGE] * 4, "challenge_action": "rate_nok"}, "challenges"),
        ({"challenges": [CHALLENGE]}, "challenge_action"),
        ({"challenge_action": "rate_nok"}, "challenge_action"),
        ({"challenges": [CHALLENGE], "challenge_action": "shout"}, "challenge_action"),
        ({"challenges": [Challenge("2 + 2?", "")], "challenge_action": "rate_nok"}, "challenges[0].answer"),
        ({"workers_max_tasks": 1}, None),
        ({"workers_max_tasks": 2}, "workers_max_tasks"),
        ({"workers_max_tasks": 10, "workers_level": "expert"}, None),
        ({"workers_max_tasks": 11, "workers_level": "expert"}, "workers_max_tasks"),
        ({"workers_level": "guru"}, "workers_level"),
        ({"speed": 1}, None),
        ({"speed": 1000}, None),
        ({"speed": 0}, "speed"),
        ({"speed": 1001}, "speed"),
        ({"ttr": 1}, None),
        ({"ttr": 7}, None),
        ({"ttr": 0}, "ttr"),
        ({"ttr": 8}, "ttr"),
        ({"hold_time": 5}, None),
        ({"hold_time": 90}, None),
        ({"hold_time": 4}, "hold_time"),
        ({"hold_time": 91}, "hold_time"),
        ({"distribution": 25}, None),
        ({"distribution": 100}, None),
        ({"distribution": 24}, "distribution"),
        ({"distribution": 101}, "distribution"),
        ({"premium_amount": 0}, None),
        ({"premium_amount": "2.00"}, None),
        ({"premium_amount": 50}, None),
        ({"premium_amount": "1.99"}, "premium_amount"),
        ({"premium_amount": "50.01"}, "premium_amount"),
        ({"task_value": "0.0001"}, None),
        ({"task_value": 0}, "task_value"),
        ({"task_value": -1}, "task_value"),
        ({"task_value": 0.1 + 0.2}, "task_value"),
        ({"task_value": float("nan")}, "task_value"),
        ({"task_value": "ten"}, "task_value"),
        ({"autorate": "V+R"}, None),
        ({"autorate": "YES"}, "autorate"),
        ({"notify_followers": True}, None),
        ({"notify_followers": 2}, "notify_followers"),
        ({"title": " "}, "title"),
        ({"category_id": 501}, "category_id"),
        ({"instructions": "do it"}, "instructions"),
        ({"instructions": ["do it", ""]}, "instructions[1]"),
        ({"excluded_countries": ["pk"]}, None),
        ({"zone_id": None}, "zone_id"),
        ({"list_id": 12870}, "list_id"),
        ({"zone_id": None, "list_id": 12870}, None),
        ({"zone_id": None, "list_id": 12870, "excluded_countries": ["pk"]}, "excluded_countries"),
        ({"start_time": "08:00"}, "start_time"),
        ({"variables": {"A": ["1", "2"]}}, "variables"),
        ({"instructions": ["visit {{A}}"]}, None),
        ({"instructions": None, "proofs": None}, None),
        ({"proofs": [Proof("the address", "url")]}, "proofs[0].type"),
        ({"watch_time": 0}, "watch_time"),
        ({"daily_tasks_limit": 5}, "daily_tasks_limit"),
        ({"hourly_tasks_limit": 5}, "hourly_tasks_limit"),
        ({"extra": None}, None),
        ({"extra": {"mood": ["good", 1, None]}}, None),
        ({"extra": {"watch_time": 1}}, "extra.watch_time"),
        ({"extra": {"title": "another"}}, "extra.title"),
        ({"extra": {"test": 0}}, "extra.test"),
        ({"extra": {"mood": float("nan")}}, "extra.mood"),
        ({"extra": {"mood": [b"good"]}}, "extra.mood[0]"),
        ({"extra": {5: "five"}}, "extra"),
        ({"extra": ["mood"]}, "extra"),
    ],
)
def test_a_draft_is_held_to_its_limits(change: dict, broken: str | None) -> None:
    problems = rules.check_draft(attrs.evolve(DRAFT, **change), PICOWORKERS)
    assert fields(problems) == ([] if broken is None else [broken])


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"ttr": 90}, None),
        ({"ttr": 91}, "ttr"),
        ({"start_time": "00:00", "end_time": "24:00"}, None),
        ({"start_time": "25:00"}, "start_time"),
        ({"start_time": "12:00", "end_time": "12:00"}, "end_time"),
        ({"instructions": ["visit {{A}}"], "variables": {"A": ["1", "2"]}}, None),
        ({"instructions": ["visit {{A}}"], "variables": {"A": ["1"]}}, "variables.A"),
        ({"instructions": ["visit {{A}}"], "variables": {"A": ["x"] * 999}}, None),
        ({"instructions": ["visit {{A}}"], "variables": {"A": ["x"] * 1000}}, "variables.A"),
        ({"instructions": ["visit {{A}} {{B}}"], "variables": {"A": ["1", "2"]}}, "instructions"),
        ({"instructions": ["visit"], "variables": {"A": ["1", "2"]}}, "variables.A"),
        ({"instructions": ["{{A}} {{B}}"], "variables": {"A": ["1", "2"], "B": ["1", "2", "3"]}}, "variables"),
        ({"instructions": ["visit {{A}}"]}, "instructions"),
        ({"instructions": ["visit {{A}}"], "variables": {}}, "instructions"),
        ({"instructions": ["visit {A} or {{}}"]}, None),
        ({"instructions": None}, "instructions"),
        ({"instructions": []}, "instructions"),
        ({"proofs": None}, "proofs"),
        ({"proofs": []}, "proofs"),
        ({"proofs": [Proof("the address", "url")]}, None),
        ({"proofs": [Proof("the address", "video")]}, "proofs[0].type"),
        ({"watch_time": 0, "daily_tasks_limit": 0, "hourly_tasks_limit": 10**9}, None),
        ({"watch_time": -1}, "watch_time"),
        ({"daily_tasks_limit": True}, "daily_tasks_limit"),
        ({"hourly_tasks_limit": "5"}, "hourly_tasks_limit"),
    ],
)
def test_a_draft_for_sproutgigs_is_held_to_its_own_limits(change: dict, broken: str | None) -> None:
    problems = rules.check_draft(attrs.evolve(DRAFT, **change), SPROUTGIGS)
    assert fields(problems) == ([] if broken is None else [broken])


@pytest.mark.parametrize(
    ("edition", "change"),
    [
        (PICOWORKERS, {"ttr": 8}),
        (PICOWORKERS, {"start_time": "08:00"}),
        (PICOWORKERS, {"variables": {"A": ["1", "2"]}}),
        (PICOWORKERS, {"watch_time": 0}),
        (PICOWORKERS, {"proofs": [Proof("the address", "url")]}),
        (SPROUTGIGS, {"ttr": 91}),
        (SPROUTGIGS, {"instructions": None}),
        (SPROUTGIGS, {"proofs": None}),
        (SPROUTGIGS, {"instructions": ["visit {{A}}"]}),
        (SPROUTGIGS, {"variables": {"A": ["1", "2"]}}),
        (SPROUTGIGS, {"end_time": "25:00"}),
    ],
)
def test_what_only_this_edition_refuses_names_the_edition(edition: Edition, change: dict) -> None:
    (problem,) = rules.check_draft(attrs.evolve(DRAFT, **change), edition)
    assert f"edition {edition.name}" in problem.limit


def test_all_that_is_wrong_with_a_draft_is_told_at_once_with_field_value_and_limit() -> None:
    draft = JobDraft(category_id="", title="t", task_value="x", num_tasks=3, ttr=8)
    problems = rules.check_draft(draft, PICOWORKERS)
    assert fields(problems) == ["zone_id", "category_id", "num_tasks", "ttr", "task_value"]
    assert str(problems[2]) == "num_tasks=3: a whole number of at least 10"


@pytest.mark.parametrize(
    ("rating", "broken"),
    [
        (Rating.ok(TASK), None),
        (Rating.ok(TASK, "excellent"), None),
        (Rating.ok(TASK, "GOOD"), None),
        (Rating.ok(TASK, "spam"), "satisfaction"),
        (Rating.ok(TASK, "fine"), "satisfaction"),
        (Rating.not_ok(TASK, "no proof", "dupe"), None),
        (Rating.not_ok(TASK, "no proof", "good"), "satisfaction"),
        (Rating.not_ok(TASK, " "), "comment"),
        (Rating.not_ok(TASK, None), "comment"),  # type: ignore[arg-type]
        (Rating.revise(TASK, "which?"), None),
        (Rating.revise(TASK, ""), "comment"),
        (attrs.evolve(Rating.revise(TASK, "which?"), satisfaction="ok"), "satisfaction"),
        (Rating.ok(TASK, bonus="0.01"), None),
        (Rating.ok(TASK, bonus="-0.01"), "bonus"),
        (Rating.ok(TASK, bonus=0.1 + 0.2), "bonus"),
        (Rating.ok(TASK, bonus=float("nan")), "bonus"),
        (Rating.ok(TASK, bonus=float("inf")), "bonus"),
        (Rating.ok(TASK, bonus=True), "bonus"),
        (Rating.ok(TASK, bonus="0.12345"), "bonus"),
        (Rating.ok(TASK, list_id=-1), "list_id"),
        (Rating.ok(TASK, list_id=0), None),
        (Rating.ok(TASK, block_worker=1), "block_worker"),  # type: ignore[arg-type]
        (Rating.ok(TASK, comment=5), "comment"),  # type: ignore[arg-type]
        (Rating("", "t1", Verdict.OK), "job_id"),
        (Rating("j1", "", Verdict.OK), "task_id"),
        (Rating("j1", "t1", "perhaps"), "verdict"),  # type: ignore[arg-type]
    ],
)
def test_a_rating_is_held_to_its_limits(rating: Rating, broken: str | None) -> None:
    assert fields(rules.check_rating(rating)) == ([] if broken is None else [broken])


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (rules.check_positions, [1, 9999], [0, 10000, "5", 1.0, True]),
        (rules.check_speed, [1, 1000], [0, 1001]),
        (rules.check_deposit, [1000, 100000], [999, 10.0, "1000"]),
        (rules.check_page, [1, 2], [0, -1, "1"]),
        (rules.check_job_id, ["fc7b3bd10d08"], ["", " ", 5, None, "a/b", "..\\b"]),
        (rules.check_status_filter, [None, "running", "PAUSED", JobStatus.BLOCKED], ["gone", "pending_approval"]),
        (lambda ttr: rules.check_ttr(ttr, PICOWORKERS), [1, 7], [0, 8]),
        (lambda ttr: rules.check_ttr(ttr, SPROUTGIGS), [1, 90], [0, 91]),
        (rules.check_list_id, [1, 17001], [0, "5", None, True]),
        (
            lambda ids: rules.check_task_ids(ids, SPROUTGIGS),
            [None, ["a"], ["b"] * 400],
            [[], "abc", ["a,b"], [""], ["a"] * 401],
        ),
        (lambda ids: rules.check_task_ids(ids, PICOWORKERS), [None], [["a"]]),
        (lambda order: rules.check_order(order, SPROUTGIGS), [None, "asc", "desc"], ["DESC", "up", 1]),
        (lambda order: rules.check_order(order, PICOWORKERS), [None], ["asc"]),
        (rules.check_feature, [Decimal("2.00"), Decimal(50)], [Decimal("1.99"), Decimal(-5), "2"]),
        (
            lambda path: rules.check_request("POST", path),
            ["jobs/set-distribution.php", "x"],
            ["", "/jobs/x.php", "https://example.com/", "jobs/../x", "a//b", "a?b=c", "a b", 5],
        ),
        (lambda method: rules.check_request(method, "jobs/x.php"), ["GET", "POST"], ["PUT", "get", None]),
        (rules.check_workers, [["a"]], [[], "abc", [""], ["a", 5], {"a": 1}]),
    ],
)
def test_an_argument_is_held_to_its_limits(check, good: list, bad: list) -> None:
    assert [value for value in good if check(value)] == []
    assert [value for value in bad if not check(value)] == []


ZONES = [Zone("int", "International", ("pk", "us")), Zone("west1", "USA & Western", ("us",))]
CATEGORIES = [Category("0501", min_task_value={"int": Decimal("0.08"), "west1": Decimal("0.24")})]
LISTS = [WorkerList(1, "many", 10), WorkerList(2, "few", 9)]


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"task_value": "0.08"}, []),
        ({"task_value": "0.0799"}, ["task_value"]),
        ({"zone_id": "west1", "task_value": "0.23"}, ["task_value"]),
        ({"zone_id": "mars"}, ["zone_id"]),
        ({"category_id": "501"}, ["category_id"]),
        ({"excluded_countries": ["us"]}, []),
        ({"excluded_countries": ["us", "de"]}, ["excluded_countries[1]"]),
        ({"zone_id": None, "list_id": 1}, []),
        ({"zone_id": None, "list_id": 1, "task_value": "0.05"}, ["task_value"]),
        ({"zone_id": None, "list_id": 2}, ["list_id"]),
        ({"zone_id": None, "list_id": 3}, ["list_id"]),
    ],
)
def test_a_draft_is_held_against_the_live_catalogue(change: dict, broken: list[str]) -> None:
    assert fields(held_against_the_catalogue(**change).problems) == broken


def held_against_the_catalogue(balance: str = "100", **change: object) -> DraftCheck:
    draft = attrs.evolve(DRAFT, **change)  # type: ignore[arg-type]
    live = {"zones": ZONES, "categories": CATEGORIES, "lists": LISTS, "balance": Decimal(balance)}
    return rules.check_draft_live(draft, PICOWORKERS, **live)  # type: ignore[arg-type]


def test_all_that_is_wrong_is_told_at_once_also_when_zone_and_category_are_unknown() -> None:
    check = held_against_the_catalogue("1", zone_id="mars", category_id="9", title="", speed=0, ttr=9)
    assert fields(check.problems) == ["title", "speed", "ttr", "zone_id", "category_id", "cost"]
    assert not check.ok


@pytest.mark.parametrize(
    "change",
    [
        {"zone_id": ["int"]},
        {"zone_id": {"a": 1}},
        {"excluded_countries": 5},
        {"excluded_countries": [["us"]]},
        {"list_id": "1", "zone_id": None},
        {"category_id": None},
        {"task_value": float("nan")},
        {"task_value": "sNaN"},
        {"task_value": "ten"},
        {"num_tasks": "many"},
        {"premium_amount": "much"},
        {"workers_level": ["expert"]},
        {"ttr": "long"},
        {"proofs": "a screenshot"},
        {"proofs": ["a screenshot"]},
        {"notify_followers": "yes"},
        {"extra": 5},
    ],
)
def test_what_is_of_no_use_at_all_is_a_problem_like_any_other(change: dict) -> None:
    check = held_against_the_catalogue(**change)
    assert fields(check.problems)[0].partition("[")[0] == next(iter(change))


def test_a_cost_that_is_certain_must_be_in_the_balance() -> None:
    assert fields(held_against_the_catalogue("2.50").problems) == []
    (problem,) = held_against_the_catalogue("2.49").problems
    assert str(problem) == "cost=Decimal('2.5'): at most the balance, 2.49 US dollars"


def test_an_estimate_above_the_balance_is_a_warning_with_both_figures() -> None:
    (*_, warning) = held_against_the_catalogue("3.3249").warnings
    assert (warning.code, warning.value) == ("balance", Decimal("3.325"))
    assert "3.3249" in str(warning)
    assert [warning.code for warning in held_against_the_catalogue("3.325").warnings] == ["screenshot_pay"]


def test_without_a_cost_that_can_be_told_nothing_is_held_against_the_balance() -> None:
    check = held_against_the_catalogue("0", num_tasks=None, proofs=None)
    assert (check.problems, check.warnings) == ((), ())
    assert held_against_the_catalogue("0", num_tasks=-5).cost is None


@given(st.decimals(min_value=0, max_value=10**6, places=4))
def test_every_amount_to_the_hundredth_of_a_cent_is_a_bonus(amount: Decimal) -> None:
    assert rules.check_rating(Rating.ok(TASK, bonus=amount)) == []
    assert Rating.ok(TASK, bonus=float(amount)).bonus == amount
