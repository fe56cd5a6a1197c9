"""What reading proves about a call whose answer was lost: the pure judge, held against every kind of evidence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async import Effect, Job, JobStatus, Rating, Task
from picoworkers_async.effects import (
    MOST_LOOKS,
    Finding,
    Look,
    RatedListing,
    Sighting,
    Sign,
    judge,
    sign_of_deposit,
    sign_of_positions,
    sign_of_post,
    sign_of_rating,
)
from picoworkers_async.errors import MoneyCall
from picoworkers_async.service_clock import Span

SETTLE = 30.0
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
OK = Rating("j", "t", "ok", revision_number=1)
NOT_OK = Rating("j", "t", "not_ok", comment="no", revision_number=1)
REVISE = Rating("j", "t", "revise", comment="?", revision_number=1)


def looks(*signs: tuple[float, Sign]) -> list[Look]:
    return [Look(began, Finding(sign, sign.value)) for began, sign in signs]


def effect_of(*signs: tuple[float, Sign], ended_at: float = 0.0, settle_after: float = SETTLE) -> Effect | None:
    return judge(looks(*signs), ended_at=ended_at, settle_after=settle_after).effect


def test_one_look_that_shows_no_effect_proves_nothing_however_late_it_is() -> None:
    assert effect_of((0.0, Sign.UNCHANGED)) is None
    assert effect_of((31.0, Sign.UNCHANGED)) is None
    assert effect_of((3600.0, Sign.GONE)) is None


def test_two_looks_that_agree_prove_it_when_they_are_far_enough_apart_and_from_the_end() -> None:
    assert effect_of((1.0, Sign.UNCHANGED), (30.0, Sign.UNCHANGED)) is None
    assert effect_of((1.0, Sign.UNCHANGED), (31.0, Sign.UNCHANGED)) is Effect.DID_NOT
    assert effect_of((1.0, Sign.GONE), (31.0, Sign.GONE)) is Effect.TOOK_EFFECT
    assert effect_of((1.0, Sign.UNCLEAR), (31.0, Sign.UNCLEAR)) is Effect.CANNOT_TELL


def test_a_look_that_began_before_the_request_had_ended_is_no_evidence_of_absence() -> None:
    assert effect_of((5.0, Sign.UNCHANGED), (41.0, Sign.UNCHANGED), ended_at=10.0) is None
    assert effect_of((11.0, Sign.UNCHANGED), (41.0, Sign.UNCHANGED), ended_at=10.0) is Effect.DID_NOT


def test_what_is_shown_or_contradicted_needs_one_look() -> None:
    assert effect_of((0.0, Sign.SHOWN)) is Effect.TOOK_EFFECT
    assert effect_of((0.0, Sign.UNCHANGED), (1.0, Sign.SHOWN)) is Effect.TOOK_EFFECT
    assert effect_of((0.0, Sign.CONTRADICTED)) is Effect.CANNOT_TELL


def test_looks_that_disagree_begin_anew_and_stale_ones_are_passed_over() -> None:
    assert effect_of((0.0, Sign.UNCHANGED), (31.0, Sign.GONE)) is None
    assert effect_of((0.0, Sign.UNCHANGED), (31.0, Sign.GONE), (61.0, Sign.GONE)) is Effect.TOOK_EFFECT
    assert effect_of((0.0, Sign.UNCHANGED), (31.0, Sign.NOTHING), (32.0, Sign.UNCHANGED)) is Effect.DID_NOT


def test_looks_that_never_agree_end_in_cannot_tell() -> None:
    signs = [(31.0 * number, Sign.NOTHING) for number in range(MOST_LOOKS)]
    assert effect_of(*signs[:-1]) is None
    assert effect_of(*signs) is Effect.CANNOT_TELL


@given(st.lists(st.tuples(st.floats(0, 500), st.sampled_from(Sign)), max_size=5), st.floats(0, 100))
def test_the_next_look_that_is_asked_for_can_decide(signs: list, ended_at: float) -> None:
    signs = sorted(signs, key=lambda one: one[0])
    judgement = judge(looks(*signs), ended_at=ended_at, settle_after=SETTLE)
    if judgement.effect is None and signs and signs[-1][0] >= ended_at and signs[-1][1] is not Sign.NOTHING:
        again = [*signs, (max(judgement.look_at, signs[-1][0]), signs[-1][1])]
        assert judge(looks(*again), ended_at=ended_at, settle_after=SETTLE).effect is not None


@attrs.frozen
class World:
    """A service that acts on a request late, or never, and whose reads lag; within `settle_after` in all."""

    acts_at: float | None
    ended_at: float
    lags: list[float]
    waits: list[float]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    lag = draw(st.floats(0, SETTLE - 1))
    ended_at = draw(st.floats(0, 60))
    acts_at = draw(st.none() | st.floats(0, ended_at + SETTLE - lag))
    lags = draw(st.lists(st.floats(0, lag), min_size=MOST_LOOKS, max_size=MOST_LOOKS))
    waits = draw(st.lists(st.floats(0, 20), min_size=MOST_LOOKS, max_size=MOST_LOOKS))
    return World(acts_at, ended_at, lags, waits)


@given(worlds(), st.booleans())
def test_a_service_that_acts_late_and_reads_that_lag_never_make_it_tell_wrongly(
    world: World, has_rated: bool
) -> None:
    made: list[Look] = []
    at = world.ended_at
    for lag, wait in zip(world.lags, world.waits, strict=True):
        at += wait
        rated = world.acts_at is not None and world.acts_at <= at - lag
        seen = Sighting(
            complete=True,
            listed=None if rated else 1,
            rated=Task("t", "j", revision_number=1, status="OK") if rated and has_rated else None,
            rated_listing=RatedListing.READ if has_rated else RatedListing.MISSING,
        )
        found = sign_of_rating(OK, seen, known_revision=1, refused=False)
        made.append(Look(at, found))
        judgement = judge(made, ended_at=world.ended_at, settle_after=SETTLE)
        if judgement.effect is not None:
            assert judgement.effect is (Effect.DID_NOT if world.acts_at is None else Effect.TOOK_EFFECT)
            return
        at = max(at, judgement.look_at)


def rated(status: str | None = "OK", revision: int = 1) -> Sighting:
    return Sighting(True, None, Task("t", "j", revision_number=revision, status=status), RatedListing.READ)


LISTED = Sighting(complete=True, listed=1)
UNREAD = Sighting(complete=True)
MISSING = Sighting(complete=True, rated_listing=RatedListing.MISSING)
NOWHERE = Sighting(complete=True, rated_listing=RatedListing.READ)


@pytest.mark.parametrize(
    ("rating", "seen", "refused", "sign"),
    [
        (OK, LISTED, False, Sign.UNCHANGED),
        (OK, Sighting(complete=False, listed=1), False, Sign.NOTHING),
        (OK, LISTED, True, Sign.UNCLEAR),
        (OK, Sighting(complete=True, listed=0), False, Sign.NOTHING),
        (OK, Sighting(complete=True, listed=2), False, Sign.CONTRADICTED),
        (REVISE, Sighting(complete=True, listed=2), False, Sign.SHOWN),
        (REVISE, LISTED, False, Sign.UNCHANGED),
        (attrs.evolve(REVISE, revision_number=None), LISTED, False, Sign.UNCLEAR),
        (attrs.evolve(OK, revision_number=None), LISTED, False, Sign.UNCHANGED),
        (OK, Sighting(complete=False), False, Sign.NOTHING),
        (OK, rated(), False, Sign.SHOWN),
        (OK, rated(), True, Sign.SHOWN),
        (OK, rated("ok"), False, Sign.SHOWN),
        (OK, rated("NOK"), False, Sign.CONTRADICTED),
        (OK, rated(None), False, Sign.UNCLEAR),
        (OK, rated(revision=0), False, Sign.NOTHING),
        (OK, rated(revision=2), False, Sign.CONTRADICTED),
        (NOT_OK, rated("NOK"), False, Sign.SHOWN),
        (NOT_OK, rated("OK"), False, Sign.CONTRADICTED),
        (NOT_OK, rated("not_ok"), False, Sign.SHOWN),
        (NOT_OK, rated("SPAM"), False, Sign.SHOWN),
        (OK, rated("SPAM"), False, Sign.CONTRADICTED),
        (REVISE, rated(), False, Sign.CONTRADICTED),
        (REVISE, rated(revision=2), False, Sign.SHOWN),
        (OK, NOWHERE, False, Sign.UNCLEAR),
        (REVISE, NOWHERE, False, Sign.GONE),
        (OK, UNREAD, False, Sign.NOTHING),
        (REVISE, UNREAD, False, Sign.NOTHING),
    ],
)
def test_what_one_look_says_of_a_rating_where_rated_tasks_are_listed(rating, seen, refused, sign) -> None:
    found = sign_of_rating(rating, seen, known_revision=1, refused=refused)
    assert found.sign is sign


@pytest.mark.parametrize("rating", [OK, NOT_OK, REVISE])
def test_where_rated_tasks_are_not_listed_gone_is_all_there_is(rating: Rating) -> None:
    found = sign_of_rating(rating, MISSING, known_revision=1, refused=True)
    assert found.sign is Sign.GONE


SENT = Span(NOW, NOW + timedelta(seconds=5))
DRAFT = {"title": "Tom & Jerry's job", "category_id": "0501", "task_value": Decimal("0.10"), "num_tasks": 25}


def post(**known: object) -> MoneyCall:
    before = {"job_ids": frozenset(), "num_tasks": None, "spendable": None, **known}
    return MoneyCall("post_job", DRAFT, NOW, 0.0, before)


def job(name: str, **fields: object) -> Job:
    usual = {"title": DRAFT["title"], "category_id": "0501", "task_value": Decimal("0.10"), "num_tasks": 25}
    return Job(name, **{"created_at": NOW + timedelta(seconds=1), **usual, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("jobs", "complete", "sign", "job_id"),
    [
        ([job("a")], True, Sign.SHOWN, "a"),
        ([job("a", title="  Tom &amp; Jerry&#039;s job ")], True, Sign.SHOWN, "a"),
        ([job("a", title="Tom &amp;amp; Jerry's job")], True, Sign.SHOWN, "a"),
        ([job("a", title="Another")], True, Sign.UNCLEAR, None),
        ([job("a", created_at=None)], True, Sign.UNCLEAR, None),
        ([job("a", created_at=NOW - timedelta(hours=1))], True, Sign.UNCLEAR, None),
        ([job("a"), job("b")], True, Sign.UNCLEAR, None),
        ([job("known")], True, Sign.UNCHANGED, None),
        ([job("others")], True, Sign.UNCHANGED, None),
        ([job("old", title="Another", created_at=NOW - timedelta(days=1))], True, Sign.UNCHANGED, None),
        ([], True, Sign.UNCHANGED, None),
        ([], False, Sign.NOTHING, None),
    ],
)
def test_any_new_job_that_was_not_known_may_be_the_one_that_was_posted(jobs, complete, sign, job_id) -> None:
    found = sign_of_post(post(job_ids=frozenset({"known"})), jobs, complete=complete, ours={"others"}, made=SENT)
    assert (found.sign, found.job_id) == (sign, job_id)


@pytest.mark.parametrize(
    ("seconds", "made", "sign"),
    [
        (0, SENT, Sign.SHOWN),
        (5, SENT, Sign.SHOWN),
        (0, Span(NOW + timedelta(seconds=0.9), NOW + timedelta(seconds=5)), Sign.SHOWN),
        (-1, SENT, Sign.UNCLEAR),
        (6, SENT, Sign.UNCLEAR),
        (1, None, Sign.UNCLEAR),
        (-(10**6), None, Sign.UNCLEAR),
    ],
)
def test_a_job_is_that_of_a_post_only_if_the_services_own_clock_says_so(seconds, made, sign) -> None:
    listed = [job("a", created_at=NOW + timedelta(seconds=seconds))]
    assert sign_of_post(post(), listed, complete=True, ours=(), made=made).sign is sign


def test_a_post_of_a_raw_body_of_any_shape_is_like_nothing() -> None:
    call = MoneyCall("post_job", {"title": ["x"]}, NOW, 0.0, {"job_ids": frozenset()})
    assert sign_of_post(call, [job("a")], complete=True, ours=(), made=SENT).sign is Sign.UNCLEAR


@pytest.mark.parametrize(
    ("name", "before", "now", "status", "sign"),
    [
        ("add_positions", 100, 105, JobStatus.RUNNING, Sign.SHOWN),
        ("add_positions", 100, 100, JobStatus.RUNNING, Sign.UNCHANGED),
        ("add_positions", 100, 110, JobStatus.RUNNING, Sign.UNCLEAR),
        ("add_positions", 100, None, JobStatus.RUNNING, Sign.UNCLEAR),
        ("add_positions", None, 105, JobStatus.RUNNING, Sign.CONTRADICTED),
        # A job that was restarted may have finished again since: its positions tell.
        ("restart_job", 100, 105, JobStatus.FINISHED, Sign.SHOWN),
        ("restart_job", 100, 100, JobStatus.FINISHED, Sign.UNCHANGED),
        ("restart_job", 100, 100, JobStatus.PENDING_RESTART, Sign.UNCLEAR),
        ("restart_job", None, 105, JobStatus.FINISHED, Sign.CONTRADICTED),
    ],
)
def test_positions_are_told_by_their_number_first_and_the_status_after(name, before, now, status, sign) -> None:
    call = MoneyCall(name, {"job_id": "j", "positions": 5}, NOW, 0.0, {"num_tasks": before})
    assert sign_of_positions(call, Job("j", num_tasks=now, status=status)).sign is sign


@pytest.mark.parametrize(
    ("before", "now", "sign"),
    [("3.50", "13.50", Sign.SHOWN), ("3.50", "3.50", Sign.UNCLEAR), ("3.50", "9.99", Sign.UNCLEAR)],
)
def test_a_deposit_is_told_by_the_balance_or_not_at_all(before: str, now: str, sign: Sign) -> None:
    call = MoneyCall("deposit", {"amount": 1000}, NOW, 0.0, {"spendable": Decimal(before)})
    assert sign_of_deposit(call, Decimal(now)).sign is sign
    unread = attrs.evolve(call, before={"spendable": None})
    assert sign_of_deposit(unread, Decimal(now)).sign is Sign.CONTRADICTED
