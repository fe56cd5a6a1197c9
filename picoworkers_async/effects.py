"""What reading proves about a call whose answer was lost: pure functions over plain values, without a clock.

Batches and `AsyncPicoworkers.settle` both use this judge. A service may act late on a request whose connection
is gone, and its reads may come from a replica that lags. So one sweep that shows no effect proves nothing yet:
it takes two complete sweeps that agree, `settle_after` seconds apart, the second at least that long after the
request ended.
"""

from __future__ import annotations

import enum
import html
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import attrs

from .errors import MoneyCall
from .models import Job, JobStatus, Rating, Task, Verdict
from .models.account import CONTEXT, to_money
from .models.dollars import in_dollars
from .service_clock import Span

MOST_LOOKS = 6
"""After this many sweeps that settled nothing, the answer is "cannot tell"."""

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

    `DID_NOT` holds only if the service acts on a request, and shows that it has, within `settle_after` seconds.
    `reasons` says what was seen. `job_id` is the job that a post made, where it was found.
    """

    effect: Effect
    reasons: tuple[str, ...]
    job_id: str | None = None


class Sign(enum.Enum):
    """What one sweep says by itself."""

    SHOWN = "the effect is there to be seen: enough at once"
    GONE = "what it would have changed is gone, and the service shows no more than that"
    UNCHANGED = "everything is as it was before"
    UNCLEAR = "neither shown nor unchanged"
    CONTRADICTED = "something else happened instead: it can never be told"
    NOTHING = "the sweep was incomplete or stale, and proves nothing"


_AT_ONCE = {Sign.SHOWN: Effect.TOOK_EFFECT, Sign.CONTRADICTED: Effect.CANNOT_TELL}
_AGREED = {Sign.GONE: Effect.TOOK_EFFECT, Sign.UNCHANGED: Effect.DID_NOT, Sign.UNCLEAR: Effect.CANNOT_TELL}


class Finding(NamedTuple):
    """What one sweep says, and why; `job_id` is the job that a post made, where it was found."""

    sign: Sign
    reason: str
    job_id: str | None = None


class Look(NamedTuple):
    """One sweep: when its first read began, in seconds of the event loop's clock, and what it found."""

    began: float
    found: Finding


class Judgement(NamedTuple):
    """What all sweeps together prove. Without an `effect` it is too early: sweep again at `look_at`."""

    effect: Effect | None
    reason: str
    look_at: float = 0.0


def judge(looks: Sequence[Look], *, ended_at: float, settle_after: float) -> Judgement:
    """Weigh the sweeps for one call, in the order in which they were made.

    `ended_at` is when the request ended or was given up. What is shown, or contradicted, needs one sweep.
    Everything else needs two that agree, `settle_after` seconds apart, with none between them that disagrees.
    """
    if not looks:
        return Judgement(None, "nothing has been read yet", ended_at)
    for look in looks:
        if look.found.sign in _AT_ONCE:
            return Judgement(_AT_ONCE[look.found.sign], look.found.reason)
    agreeing = _latest_that_agree(looks, ended_at)
    if len(agreeing) > 1:
        first, last = agreeing[0], agreeing[-1]
        if last.began >= max(first.began, ended_at) + settle_after:
            return Judgement(_AGREED[last.found.sign], last.found.reason)
    reason = looks[-1].found.reason
    if len(looks) >= MOST_LOOKS:
        return Judgement(Effect.CANNOT_TELL, f"{len(looks)} readings settled nothing; the last one: {reason}")
    since = agreeing[0].began if agreeing else looks[-1].began
    return Judgement(None, reason, max(since, ended_at) + settle_after)


def _latest_that_agree(looks: Sequence[Look], ended_at: float) -> list[Look]:
    """The latest sweeps that say the same, earliest first. Those that prove nothing are skipped."""
    telling = [look for look in looks if look.found.sign is not Sign.NOTHING and look.began >= ended_at]
    agreeing: list[Look] = []
    for look in reversed(telling):
        if agreeing and look.found.sign is not agreeing[0].found.sign:
            break
        agreeing.insert(0, look)
    return agreeing


class RatedListing(enum.Enum):
    """What one sweep found in the listing of rated tasks."""

    READ = "it was read"
    UNREAD = "it could not be read whole, or nobody tried"
    MISSING = "there is none: the edition has none, or the service itself says that it is not there"


class Sighting(NamedTuple):
    """Where one sweep found a task.

    `complete` says that all unrated tasks asked for were read. `listed` is the revision in which it is listed as
    unrated, None if it is not. `rated` is the task as it is listed among the rated, None if it is not, and
    `rated_listing` what that means.
    """

    complete: bool
    listed: int | None = None
    rated: Task | None = None
    rated_listing: RatedListing = RatedListing.UNREAD

    @property
    def revision(self) -> int:
        """The revision that it was seen in; 0 if it was not seen."""
        return self.listed or (self.rated.revision_number if self.rated is not None else 0)


def sign_of_rating(rating: Rating, seen: Sighting, *, known_revision: int, refused: bool) -> Finding:
    """What one sweep says about a rating whose answer was lost.

    `known_revision` is the highest revision of the task that was ever seen: a sweep that shows a lower one is
    stale. `refused` says that a repeat of the rating was refused, which may only mean that the first had taken
    effect.
    """
    if seen.listed is not None:
        return _sign_of_listed(rating, seen, known_revision=known_revision, refused=refused)
    if seen.rated is not None:
        return _sign_of_rated(rating, seen.rated, known_revision)
    if not seen.complete:
        return Finding(Sign.NOTHING, "the listing of unrated tasks could not be read whole")
    if seen.rated_listing is RatedListing.MISSING:
        return Finding(Sign.GONE, "the task is no longer listed as unrated")
    if seen.rated_listing is RatedListing.UNREAD:
        return Finding(Sign.NOTHING, "it is no longer listed as unrated, but the rated tasks could not be read")
    if rating.verdict == Verdict.REVISE:
        return Finding(Sign.GONE, "the task is listed neither as unrated nor as rated, as one that was sent back")
    return Finding(Sign.UNCLEAR, "the task is listed neither as unrated nor as rated")


def _sign_of_listed(rating: Rating, seen: Sighting, *, known_revision: int, refused: bool) -> Finding:
    listed = seen.listed or 0
    if listed < known_revision:
        return Finding(Sign.NOTHING, f"the listing is stale: revision {listed}, but {known_revision} was seen")
    if rating.revision_number is None:
        if rating.verdict == Verdict.REVISE:
            return Finding(Sign.UNCLEAR, "the task is listed as unrated: perhaps still, perhaps handed in again")
    elif listed > rating.revision_number:
        if rating.verdict == Verdict.REVISE:
            return Finding(Sign.SHOWN, f"the task was handed in again, in revision {listed}")
        return Finding(Sign.CONTRADICTED, f"something else sent the task back: it is listed in revision {listed}")
    if not seen.complete:
        return Finding(Sign.NOTHING, "the task is listed as unrated, but the listing could not be read whole")
    if refused:
        return Finding(Sign.UNCLEAR, "the task is still listed as unrated, but a repeat of the rating was refused")
    return Finding(Sign.UNCHANGED, "the task is still listed as unrated")


def _sign_of_rated(rating: Rating, rated: Task, known_revision: int) -> Finding:
    revision = rated.revision_number
    if revision < known_revision:
        return Finding(Sign.NOTHING, f"the rated tasks are stale: {revision}, but {known_revision} was seen")
    later = rating.revision_number is not None and revision > rating.revision_number
    if rating.verdict == Verdict.REVISE:
        if later:
            return Finding(Sign.SHOWN, f"the task was handed in again, and rated in revision {revision}")
        return Finding(Sign.CONTRADICTED, f"the task was to be sent back, and is listed as rated {rated.status}")
    if later:
        return Finding(Sign.CONTRADICTED, f"the task is listed as rated in revision {revision}, a later one")
    if not rated.status:
        return Finding(Sign.UNCLEAR, "the task is listed as rated, but not with which verdict")
    # No document has the other words: whatever is rated and not OK was rated as not ok.
    if (rated.verdict == Verdict.OK) is (rating.verdict == Verdict.OK):
        return Finding(Sign.SHOWN, f"the task is listed as rated {rated.status}")
    return Finding(Sign.CONTRADICTED, f"the task is listed as rated {rated.status}, not as sent")


def sign_of_post(
    call: MoneyCall,
    jobs: Sequence[Job],
    *,
    complete: bool,
    ours: Collection[str],
    made: Span | None,
    rival: bool = False,
) -> Finding:
    """What the listing of jobs says about a job that was posted. `ours` are jobs known to be of other posts.

    `made` is when the service may have made it, by the service's own clock. Where that is None (not known),
    every job that was not known before is a candidate. `rival` says that another post of a similar job is in
    flight, or of unknown fate: the job may be that one's.

    The service may trim and escape titles, so a new job that is not recognised may still be the one.
    """
    unknown = [job for job in jobs if job.id not in call.before["job_ids"] and job.id not in ours]
    since = [job for job in unknown if _may_be_made_since(job, made)]
    like = [job for job in unknown if _is_like(job, call.body)]
    if len(like) == 1 and not rival and _was_made_in(like[0], made):
        why = f"job {like[0].id} has its title, category and pay, was not known before, and was made since"
        return Finding(Sign.SHOWN, why, like[0].id)
    candidates = sorted({job.id for job in (*like, *since)})
    if candidates:
        listed = ", ".join(candidates[:10])
        return Finding(Sign.UNCLEAR, f"not known before, and perhaps the one that was posted: job {listed}")
    if not complete:
        return Finding(Sign.NOTHING, "the listing of jobs could not be read whole")
    return Finding(Sign.UNCHANGED, f"none of the {len(jobs)} jobs listed was made since")


def _may_be_made_since(job: Job, made: Span | None) -> bool:
    return job.created_at is None or made is None or job.created_at >= made.earliest - _CLOCK_SLACK


def _was_made_in(job: Job, made: Span | None) -> bool:
    """Whether a job was certainly made while the post was in flight; the service gives whole seconds."""
    if job.created_at is None or made is None:
        return False
    return made.earliest.replace(microsecond=0) <= job.created_at <= made.latest


def likeness(title: object, category_id: object, task_value: Any) -> tuple[object, ...]:
    """What two jobs share if they cannot be told apart once they come back from the service."""
    return (_plain(title), category_id, to_money(task_value))


def _is_like(job: Job, draft: Mapping[str, Any]) -> bool:
    posted = likeness(draft.get("title"), draft.get("category_id"), draft.get("task_value"))
    return likeness(job.title, job.category_id, job.task_value) == posted and draft.get("num_tasks") in (
        None,
        job.num_tasks,
    )


def _plain(title: object) -> str:
    """A title without the service's possible changes to it."""
    text = title if isinstance(title, str) else ""
    for _ in range(2):
        text = html.unescape(text)
    return " ".join(text.split()).casefold()


def sign_of_positions(call: MoneyCall, job: Job) -> Finding:
    """What the job says about positions that were added: judged by their number first, then by its status."""
    before, added, now = call.before["num_tasks"], call.body["positions"], job.num_tasks
    if before is None:
        return Finding(
            Sign.CONTRADICTED, "the number of positions before is not known: the job was not read before"
        )
    counts = f"the job had {before} positions, and has {now}"
    if now == before + added:
        return Finding(Sign.SHOWN, f"{counts}: {added} more")
    if now != before:
        return Finding(Sign.UNCLEAR, f"{counts}: something else changed it too")
    if call.name == "restart_job" and job.status not in _STOPPED:
        return Finding(Sign.UNCLEAR, f"{counts}, but it is {job.status}")
    return Finding(Sign.UNCHANGED, counts)


def sign_of_deposit(call: MoneyCall, spendable: Decimal) -> Finding:
    """What the balance says about funds that were added. A balance without them proves nothing yet."""
    before, amount = call.before["spendable"], CONTEXT.scaleb(Decimal(call.body["amount"]), -2)
    if before is None:
        return Finding(Sign.CONTRADICTED, "the balance before is not known: it was not read since money moved")
    counts = f"{in_dollars(before)} could be spent before, {in_dollars(spendable)} now"
    if spendable == CONTEXT.add(before, amount):
        return Finding(Sign.SHOWN, f"{counts}: {in_dollars(amount)} more")
    why = "a deposit shows in the balance only after a while" if spendable == before else "other money moved too"
    return Finding(Sign.UNCLEAR, f"{counts}; {why}")
