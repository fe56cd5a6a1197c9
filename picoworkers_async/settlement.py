"""Settle a single call of unknown outcome: read what it would have changed until its effect is known."""

from __future__ import annotations

import anyio
import attrs

from .effects import (
    Effect,
    Judgement,
    Look,
    Settlement,
    judge,
    sign_of_deposit,
    sign_of_positions,
    sign_of_rating,
)
from .errors import MoneyCall, OutcomeUnknownError
from .listings.lookup import look_up, most_looked_up
from .listings.posted import look_for_post
from .models import Rating, Verdict
from .resources import Jobs, Users
from .session import Session
from .settling import settling


async def settle(error: OutcomeUnknownError, session: Session, jobs: Jobs, users: Users) -> Settlement:
    """Read what the call would have changed, as often as it takes to be sure. Never sends the call again."""
    if not isinstance(error, OutcomeUnknownError):
        raise TypeError(f"settle takes an OutcomeUnknownError, not {type(error).__name__}")
    call = error.sent
    if call is None:
        return Settlement(Effect.CANNOT_TELL, ("the error does not say what was sent",))
    # One that was pickled does not know when it ended by this clock; that was before now in any case.
    call = attrs.evolve(call, ended_at=min(call.ended_at, anyio.current_time()))
    ratings = 1 if "task_id" in call.body else len(call.body.get("tasks", ()))
    with settling(session.observers, call.name, ratings):
        return await _settle(call, session, jobs, users)


async def _settle(call: MoneyCall, session: Session, jobs: Jobs, users: Users) -> Settlement:
    if call.name in ("rate_single_task", "rate_multiple_tasks"):
        return await _settle_ratings(call, session)
    looks: list[Look] = []
    while True:
        look = await _look(call, session, jobs, users)
        if look is None:
            why = f"nothing that can be read shows the effect of {call.name}"
            return Settlement(Effect.CANNOT_TELL, (why,))
        looks.append(look)
        judgement = judge(looks, ended_at=call.ended_at, settle_after=session.settle_after)
        if judgement.effect is not None:
            if judgement.effect is not Effect.CANNOT_TELL:
                session.baseline.settled(call)
            job_id = look.found.job_id if judgement.effect is Effect.TOOK_EFFECT else None
            if job_id is not None:
                session.baseline.posted(job_id, call)
            return Settlement(judgement.effect, (judgement.reason,), job_id)
        await anyio.sleep_until(judgement.look_at)


async def _look(call: MoneyCall, session: Session, jobs: Jobs, users: Users) -> Look | None:
    """Read once what the call would have changed; None if nothing shows that."""
    began = anyio.current_time()
    match call.name:
        case "post_job":
            return await look_for_post(call, session)
        case "add_positions" | "restart_job":
            return Look(began, sign_of_positions(call, await jobs.get_job(call.body["job_id"])))
        case "deposit":
            return Look(began, sign_of_deposit(call, (await users.get_balances()).spendable))
    return None


async def _settle_ratings(call: MoneyCall, session: Session) -> Settlement:
    """Ratings that were sent together took effect, or did not, if that holds for every one of them."""
    ratings = _ratings_of(call)
    looks: dict[str, tuple[Look, ...]] = dict.fromkeys(ratings, ())
    highest = {task_id: rating.revision_number or 0 for task_id, rating in ratings.items()}
    judged: dict[str, Judgement] = {}
    at_once = most_looked_up(session.edition) or len(ratings)
    while len(judged) < len(ratings):
        open_ids = [task_id for task_id in ratings if task_id not in judged]
        wait_until = 0.0
        for start in range(0, len(open_ids), at_once):
            lookup = await look_up(session, call.body["job_id"], open_ids[start : start + at_once])
            for task_id, sighting in lookup.seen.items():
                found = sign_of_rating(ratings[task_id], sighting, known_revision=highest[task_id], refused=False)
                highest[task_id] = max(highest[task_id], sighting.revision)
                looks[task_id] = (*looks[task_id], Look(lookup.began, found))
                judgement = judge(looks[task_id], ended_at=call.ended_at, settle_after=session.settle_after)
                if judgement.effect is not None:
                    judged[task_id] = judgement
                wait_until = max(wait_until, judgement.look_at)
        if len(judged) < len(ratings):
            await anyio.sleep_until(wait_until)
    return _add_up(list(judged.values()))


def _ratings_of(call: MoneyCall) -> dict[str, Rating]:
    """The ratings that were sent, as far as sweeps concern them, in the revisions that were known."""
    body, revisions = call.body, call.before.get("revisions", {})
    items = (
        [(body["task_id"], body["task_rating"])]
        if call.name == "rate_single_task"
        else [(item["id"], item["rating"]) for item in body["tasks"]]
    )
    return {
        task_id: Rating(body["job_id"], task_id, Verdict(verdict), revision_number=revisions.get(task_id))
        for task_id, verdict in items
    }


def _add_up(judgements: list[Judgement]) -> Settlement:
    if len(judgements) == 1:
        (only,) = judgements
        return Settlement(only.effect or Effect.CANNOT_TELL, (only.reason,))
    effects = [judgement.effect for judgement in judgements]
    counts = {effect: effects.count(effect) for effect in Effect if effect in effects}
    why = ", ".join(f"{count} of {len(effects)} tasks: {effect.value}" for effect, count in counts.items())
    reasons = tuple(dict.fromkeys(judgement.reason for judgement in judgements))
    return Settlement(next(iter(counts)) if len(counts) == 1 else Effect.CANNOT_TELL, (why, *reasons[:10]))
