"""The file of submitted tasks, without a receiver: what waits, what was given out, and several users at once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from picoworkers_async.webhooks.submitted import Lookup, Submitted, pause_after_refusal, proves_absence
from tests.support.receiving import durable_ids


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "submitted.db"


class Clock:
    """The time of day, moved by hand."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def due(submitted: Submitted) -> Lookup:
    lookup = submitted.next_lookup(400)
    assert lookup is not None
    return lookup


def look(submitted: Submitted, revisions: dict[str, int], *, complete: bool = True) -> list[str]:
    """Look up what is due, and be shown this."""
    return submitted.looked_up(due(submitted), revisions, complete=complete, settle_after=30.0)


def test_what_is_posted_again_during_a_lookup_waits_for_another(path: Path, clock: Clock) -> None:
    submitted = Submitted(path, clock)
    submitted.note([("j", "gone"), ("j", "seen")])
    lookup = due(submitted)
    submitted.note([("j", "gone"), ("j", "seen")])
    assert submitted.looked_up(lookup, {"seen": 0}, complete=True, settle_after=0.0) == ["seen"]
    again = due(submitted)
    assert sorted(again.task_ids) == ["gone", "seen"]
    assert submitted.looked_up(again, {"seen": 0, "gone": 1}, complete=True, settle_after=0.0) == ["gone"]
    assert submitted.next_lookup(400) is None
    submitted.begin()
    assert look(submitted, {"seen": 0}, complete=False) == ["seen"]
    assert submitted.next_lookup(400) is None
    clock.now += 5
    assert due(submitted).task_ids == ["gone"]


def test_a_task_is_dropped_by_the_second_complete_look_that_misses_it_and_not_sooner(
    path: Path, clock: Clock
) -> None:
    submitted = Submitted(path, clock)
    submitted.note([("j", "a")])
    assert look(submitted, {}) == []
    clock.now += 29
    assert submitted.next_lookup(400) is None
    clock.now += 1
    look(submitted, {}, complete=False)
    assert durable_ids(path) == {("j", "a")}
    clock.now += 5
    look(submitted, {})
    assert durable_ids(path) == set()


def test_a_postback_or_a_look_that_shows_the_task_begins_the_count_anew(path: Path, clock: Clock) -> None:
    submitted = Submitted(path, clock)
    submitted.note([("j", "a")])
    look(submitted, {})
    clock.now += 40
    submitted.note([("j", "a")])
    look(submitted, {})
    assert durable_ids(path) == {("j", "a")}
    clock.now += 40
    assert look(submitted, {"a": 0}) == ["a"]
    clock.now += 4000
    look(submitted, {})
    assert durable_ids(path) == {("j", "a")}
    clock.now += 4000
    look(submitted, {})
    assert durable_ids(path) == set()


def test_what_was_looked_up_by_a_run_that_has_ended_is_left_to_the_next(path: Path, clock: Clock) -> None:
    submitted = Submitted(path, clock)
    submitted.note([("j", "a")])
    lookup = due(submitted)
    submitted.begin()
    options = {"complete": True, "settle_after": 0.0}
    assert submitted.looked_up(lookup, {"a": 0}, wanted=lambda: False, **options) == []
    assert look(submitted, {"a": 0}) == ["a"]


def test_a_look_proves_absence_only_if_it_began_late_enough_after_another_had_ended() -> None:
    assert not proves_absence(None, 100.0, settle_after=0.0)
    assert not proves_absence(100.0, 129.9, settle_after=30.0)
    assert proves_absence(100.0, 130.0, settle_after=30.0)


def refuse_until_dropped(submitted: Submitted, clock: Clock, *, not_found: bool) -> tuple[float, int]:
    """Refuse each look; gives the seconds until all is dropped, and how many looks that took."""
    began, looks = clock.now, 0
    while True:
        refused = submitted.refused(due(submitted), not_found=not_found)
        looks += 1
        assert refused.first == (looks == 1)
        submitted.begin()
        if refused.dropped:
            return clock.now - began, looks
        clock.now += pause_after_refusal(looks) - 1
        assert submitted.next_lookup(400) is None
        clock.now += 1


def test_what_is_refused_is_asked_for_with_growing_pauses_for_a_day_whatever_is_restarted(
    path: Path, clock: Clock
) -> None:
    submitted = Submitted(path, clock)
    submitted.note([("j", "a")])
    seconds, looks = refuse_until_dropped(submitted, clock, not_found=False)
    assert 24 * 3600 <= seconds <= 25 * 3600
    assert looks == 151
    assert durable_ids(path) == set()
    pauses = [pause_after_refusal(number) for number in range(1, 1000)]
    assert pauses[:8] == [5, 10, 20, 40, 80, 160, 320, 600]
    assert set(pauses[7:]) == {600}


def test_a_job_that_is_not_found_is_given_up_after_half_an_hour(path: Path, clock: Clock) -> None:
    submitted = Submitted(path, clock)
    submitted.note([("j", "a")])
    seconds, looks = refuse_until_dropped(submitted, clock, not_found=True)
    assert 1800 <= seconds <= 3600
    assert looks == 10


def test_a_postback_or_an_answer_begins_the_count_of_refusals_anew(path: Path, clock: Clock) -> None:
    submitted = Submitted(path, clock)
    for again in (lambda: submitted.note([("j", "a")]), lambda: look(submitted, {"a": 0})):
        submitted.note([("j", "a")])
        for _ in range(9):
            submitted.refused(due(submitted), not_found=True)
            clock.now += 600
        again()
        submitted.note([("j", "a")])
        assert submitted.refused(due(submitted), not_found=True).first
        assert durable_ids(path) == {("j", "a")}


def test_a_clock_that_was_years_ahead_keeps_nothing_from_being_looked_up(path: Path, clock: Clock) -> None:
    submitted = Submitted(path, clock)
    submitted.note([("j", "a")])
    look(submitted, {})
    clock.now -= 10**8
    assert due(submitted).task_ids == ["a"]
    look(submitted, {})
    clock.now += 30
    look(submitted, {})
    assert durable_ids(path) == set()


def test_a_new_file_may_be_opened_from_several_sides_at_once(tmp_path: Path) -> None:
    for number in range(20):
        path, failures = tmp_path / f"{number}.db", []

        def use(side: int, path: Path = path, failures: list = failures) -> None:
            try:
                Submitted(path).note([("j", f"t{side}")])
                Submitted(path).begin()
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=use, args=(side,)) for side in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert len(durable_ids(path)) == 8
