"""Whether a call of unknown outcome took effect: by what is there now, against what was known before."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from decimal import Decimal

import attrs

from .errors import MoneyCall, OutcomeUnknownError
from .listings.sweep import Listing, whole_listing
from .models import Job, JobStatus, Page, Task, Verdict
from .resources import Jobs, Users

_CLOCK_SLACK = timedelta(minutes=2)
_STOPPED = frozenset({JobStatus.FINISHED, JobStatus.DECLINED})


class Effect(enum.Enum):
    """What became of a call whose answer was lost."""

    TOOK_EFFECT = "took effect"
    DID_NOT = "did not take effect"
    CANNOT_TELL = "cannot tell"


@attrs.frozen
class Settlement:
    """What reading says about a call of unknown outcome, and why.

    It holds for the moment of reading: a service that is slow enough may still act on a call it has received.
    `job_id` is the job that a post made, where it was found.
    """

    effect: Effect
    reasons: tuple[str, ...]
    job_id: str | None = None


def settle_post(call: MoneyCall, jobs: Sequence[Job]) -> Settlement:
    """A job was posted if there is one like it that was not there before."""
    draft = call.body
    like = [
        job
        for job in jobs
        if job.id not in call.before["job_ids"]
        and (job.title, job.category_id, job.task_value)
        == (draft["title"], draft["category_id"], Decimal(draft["task_value"]))
        and draft.get("num_tasks") in (None, job.num_tasks)
    ]
    if not like:
        return Settlement(Effect.DID_NOT, (f"none of the {len(jobs)} jobs listed is like it and new",))
    ids = ", ".join(job.id for job in like)
    if len(like) > 1:
        return Settlement(Effect.CANNOT_TELL, (f"several jobs are like it and were not known before: {ids}",))
    made = like[0].created_at
    if made is None or made < call.sent_at - _CLOCK_SLACK:
        why = f"job {ids} is like it and was not known before, but by the service's clock it is older: {made}"
        return Settlement(Effect.CANNOT_TELL, (why,))
    why = f"job {ids} has its title, category and pay, was not known before, and was made since"
    return Settlement(Effect.TOOK_EFFECT, (why,), like[0].id)


def settle_positions(call: MoneyCall, job: Job) -> Settlement:
    """Positions were added if the job has that many more than before."""
    before, added, now = call.before["num_tasks"], call.body["positions"], job.num_tasks
    if call.name == "restart_job" and job.status in _STOPPED:
        return Settlement(Effect.DID_NOT, (f"the job is {job.status}, so it was not restarted",))
    if before is None or now is None:
        why = "the number of positions before is not known: the job was not read since it last changed"
        return Settlement(Effect.CANNOT_TELL, (why,))
    counts = f"the job had {before} positions, and has {now}"
    if now == before + added:
        return Settlement(Effect.TOOK_EFFECT, (f"{counts}: {added} more",))
    if now == before:
        return Settlement(Effect.DID_NOT, (counts,))
    return Settlement(Effect.CANNOT_TELL, (f"{counts}: something else changed it too",))


def settle_deposit(call: MoneyCall, spendable: Decimal) -> Settlement:
    """Funds were added if the balance shows them; that it does not yet proves nothing."""
    before, amount = call.before["spendable"], Decimal(call.body["amount"]) / 100
    if before is None:
        why = "the balance before is not known: it was not read since money last moved"
        return Settlement(Effect.CANNOT_TELL, (why,))
    counts = f"${before} could be spent before, ${spendable} now"
    if spendable == before + amount:
        return Settlement(Effect.TOOK_EFFECT, (f"{counts}: ${amount} more",))
    why = "a deposit shows in the balance only after a while" if spendable == before else "other money moved too"
    return Settlement(Effect.CANNOT_TELL, (counts, why))


def settle_rating(call: MoneyCall, listing: Listing) -> Settlement:
    """A task was rated if it no longer waits for it."""
    task_id = call.body["task_id"]
    if task_id in listing.revisions:
        if call.body["task_rating"] == Verdict.REVISE.value:
            why = "the task is listed as unrated: perhaps still, perhaps handed in again"
            return Settlement(Effect.CANNOT_TELL, (why,))
        return Settlement(Effect.DID_NOT, ("the task is still listed as unrated",))
    if listing.complete:
        return Settlement(Effect.TOOK_EFFECT, ("the task is no longer listed as unrated",))
    return Settlement(Effect.CANNOT_TELL, ("the listing of unrated tasks keeps changing",))


def settle_ratings(call: MoneyCall, listing: Listing) -> Settlement:
    """Ratings sent together took effect, or did not, if that holds for every one of them."""
    effects = []
    for item in call.body["tasks"]:
        one = {"job_id": call.body["job_id"], "task_id": item["id"], "task_rating": item["rating"]}
        effects.append(settle_rating(attrs.evolve(call, body=one), listing).effect)
    counts = {effect: effects.count(effect) for effect in Effect if effect in effects}
    why = ", ".join(f"{count} of {len(effects)} tasks: {effect.value}" for effect, count in counts.items())
    return Settlement(next(iter(counts)) if len(counts) == 1 else Effect.CANNOT_TELL, (why,))


async def settle(error: OutcomeUnknownError, jobs: Jobs, users: Users) -> Settlement:
    """Read what the call would have changed, and decide. Reads only; never sends the call again."""
    call = error.sent
    if call is None:
        return Settlement(Effect.CANNOT_TELL, ("the error does not say what was sent",))
    match call.name:
        case "post_job":
            return settle_post(call, await jobs.iter_jobs().collect())
        case "add_positions" | "restart_job":
            return settle_positions(call, await jobs.get_job(call.body["job_id"]))
        case "deposit":
            return settle_deposit(call, (await users.get_balances()).spendable)
        case "rate_multiple_tasks":
            return settle_ratings(call, await whole_listing(_listing_of(jobs, call.body["job_id"])))
        case "rate_single_task":
            return settle_rating(call, await whole_listing(_listing_of(jobs, call.body["job_id"])))
    return Settlement(Effect.CANNOT_TELL, (f"nothing that can be read shows the effect of {call.name}",))


def _listing_of(jobs: Jobs, job_id: str) -> Callable[[int], Awaitable[Page[Task]]]:
    async def fetch(page: int) -> Page[Task]:
        return await jobs.get_unrated_tasks(page=page, job_id=job_id)

    return fetch
