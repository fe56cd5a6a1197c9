"""The progress of a batch in words and lines: pure, for every width and every state."""

from __future__ import annotations

import io
from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from picoworkers_async.cli import progress as shown
from picoworkers_async.cli.endings import Ended, last_lines
from picoworkers_async.cli.exits import Exit
from picoworkers_async.cli.invoked import invoked_with
from picoworkers_async.cli.prices import Prices
from picoworkers_async.models import Rating
from picoworkers_async.models.dollars import dollars
from picoworkers_async.rating.outcomes import BatchReport, Outcome, OutcomeStatus
from picoworkers_async.rating.progress import Progress

STATE = Progress(
    listed=None,
    met=1500,
    deciding=0,
    decided=1500,
    waiting=100,
    in_flight=150,
    rated=1234,
    refused=3,
    failed=1,
    unknown=2,
    put_off=0,
    soonest_due=None,
    would_rate=0,
    pay=None,
    bonus=Decimal("12.5"),
    requests=25,
    requests_per_second=20.0,
    rate_used=0.98,
    seconds=10.0,
    eta=61.2,
)
REPORT = BatchReport(5, 0, 0, 0, Decimal(0), 1.0, 0, {})


def drawn(state: Progress, total: int | None, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=False, markup=False)
    console.print(shown.drawn(state, total, None, width))
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


def test_it_says_what_was_done_and_paid_what_it_took_and_how_long_the_rest_takes() -> None:
    assert shown.head(STATE, 5000) == "1,240 of 5,000, 24 %, 1:02 left"
    assert "; ".join(shown.facts(STATE)) == (
        "rated 1,234; refused 3; failed 1; unknown 2; paid $12.50 as bonuses; "
        "25 requests, 98 % of the permitted pace"
    )
    assert "paid $135.90, $12.50 of it as bonuses" in shown.facts(STATE, Decimal("123.4"))
    assert shown.head(STATE, None) == "1,240 done, 1,500 met"
    assert shown.head(attrs.evolve(STATE, requests=0), 5000) == "1,240 of 5,000, 24 %"
    assert shown.head(attrs.evolve(STATE, eta=None), 5000) == "1,240 of 5,000, 24 %"


def test_what_it_waits_for_is_said_with_the_time_that_is_left() -> None:
    waiting = attrs.evolve(STATE, waiting_for="limit", until=3725.0, put_off=4)
    assert "waiting: limit, 1:02:05 left" in shown.facts(waiting)
    assert "put off 4" in shown.facts(waiting)
    assert "waiting: outage" in shown.facts(attrs.evolve(STATE, waiting_for="outage"))


def test_a_dry_run_would_pay() -> None:
    told = shown.facts(attrs.evolve(STATE, rated=0, would_rate=7, pay=Decimal("0.7")))
    assert told[0] == "would rate 7"
    assert "would pay $13.20, $12.50 of it as bonuses" in told


def test_a_review_is_as_long_as_what_is_listed_or_was_met() -> None:
    assert shown.total_of(STATE, None) is None
    assert shown.total_of(attrs.evolve(STATE, listed=9000), None) == 9000
    assert shown.total_of(attrs.evolve(STATE, listed=0), None) == 1500
    assert shown.total_of(STATE, 7) == 7


@given(st.integers(1, 300), st.none() | st.integers(0, 10**7))
def test_no_line_is_longer_than_the_terminal(width: int, total: int | None) -> None:
    lines = drawn(STATE, total, width)
    assert all(len(line) <= width for line in lines)


def test_a_wide_terminal_has_a_bar_and_a_narrow_one_the_words_alone() -> None:
    half = drawn(STATE, 2480, 100)[0]
    assert half.startswith("█" * 20 + "─" * 20 + " 1,240 of 2,480")
    assert "─" not in drawn(STATE, 2480, 40)[0]


@given(st.floats(-1, 2), st.integers(1, 200))
def test_a_bar_is_as_wide_as_it_is_asked_to_be(share: float, width: int) -> None:
    assert len(shown.bar(share, width)) == width


@pytest.mark.parametrize(
    ("amount", "said"),
    [("1.4", "1.40"), ("0", "0.00"), ("1E+1", "10.00"), ("0.0625", "0.0625"), ("2.500", "2.50")],
)
def test_an_amount_has_its_cents(amount: str, said: str) -> None:
    assert dollars(Decimal(amount)) == said


@pytest.mark.parametrize(
    ("changes", "code", "word"),
    [
        ({}, Exit.DONE, "done"),
        ({"refused": 1}, Exit.FAILED, "failed"),
        ({"failed": 1}, Exit.FAILED, "failed"),
        ({"limit": "total"}, Exit.FAILED, "failed"),
        ({"failed": 1, "unknown": 1}, Exit.UNKNOWN, "unknown"),
    ],
)
def test_the_exit_code_is_of_the_worst_that_happened(changes: dict, code: Exit, word: str) -> None:
    report = attrs.evolve(REPORT, **changes)
    how = Ended(
        report=report, requests=1, pay=None, bonus=Decimal(0), error=None, is_interrupted=False, journal=None
    )
    assert (how.code, how.outcome) == (code, word)
    assert attrs.evolve(how, is_interrupted=True).code is Exit.INTERRUPTED


def test_the_last_line_is_the_very_command_quoted_for_a_shell() -> None:
    how = Ended(
        report=REPORT, requests=1, pay=None, bonus=Decimal(0), error=None, is_interrupted=True, journal=None
    )
    with invoked_with(["rate", "my sheet.csv", "--map", "A;B=verdict"]):
        assert last_lines(how)[-1].endswith("picoworkers rate 'my sheet.csv' --map 'A;B=verdict'")
    assert last_lines(attrs.evolve(how, is_interrupted=False)) == []


def test_pay_is_told_once_it_is_known_of_every_job_and_only_for_what_this_run_paid() -> None:
    prices = Prices(None)  # type: ignore[arg-type]
    rated = Outcome(Rating("a", "1", "ok"), OutcomeStatus.RATED)
    prices.add(attrs.evolve(rated, replayed=True))
    prices.add(attrs.evolve(rated, rating=Rating("a", "2", "not_ok", comment="no")))
    prices.add(attrs.evolve(rated, status=OutcomeStatus.REFUSED))
    assert prices.pay() == 0
    prices.add(rated)
    assert prices.pay() is None
    prices.values["a"] = Decimal("0.07")
    prices.add(rated)
    assert prices.pay() == Decimal("0.14")


def test_one_is_one_request() -> None:
    assert any(one.startswith("1 request,") for one in shown.facts(attrs.evolve(STATE, requests=1)))
