"""`pico.jobs`: post jobs, steer them, read their tasks, rate one."""

from __future__ import annotations

from collections.abc import AsyncIterable, Sequence
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import anyio

from .. import codec, endpoints, rules
from ..endpoints import Endpoint
from ..listings.pages import Pages
from ..models import (
    Ack,
    Category,
    Job,
    JobDraft,
    JobStatus,
    Page,
    PostedJob,
    PredictedPosition,
    Rating,
    RatingAck,
    Task,
    WorkerList,
    Zone,
)
from ..models.account import to_money
from ..models.jobs import StatusFilter
from ..rules import DraftCheck
from ..session import Session
from ..throttle import Priority
from .catalogue import MAX_AGE_SECONDS, Catalogue
from .checking import require
from .posting import post

if TYPE_CHECKING:
    from .watching import ChangeOfJob, JobWatch

Order = Literal["asc", "desc"]


class Jobs:
    """Jobs and their tasks (section 3).

    Every method raises `InvalidRequestError` before anything is sent if an argument breaks a documented limit,
    and the errors of `picoworkers_async.errors` for what the service answers.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._catalogue = Catalogue(session)

    async def get_zones(self) -> list[Zone]:
        """The zones a job can target, and the countries that each lets one exclude (section 3.1)."""
        return await self._session.call(endpoints.GET_ZONES, codec.read_zones)

    async def get_lists(self) -> list[WorkerList]:
        """Your lists of workers; a job needs one of at least 10 workers (section 3.2)."""
        return await self._session.call(endpoints.GET_LISTS, codec.read_lists)

    async def get_categories(self) -> list[Category]:
        """The categories, with the least pay for a task in each zone, in US dollars (section 3.3)."""
        return await self._session.call(endpoints.GET_CATEGORIES, codec.read_categories)

    async def check(self, draft: JobDraft, *, max_age: float = MAX_AGE_SECONDS) -> DraftCheck:
        """Check a draft against the limits, the live zones, categories and lists, and the balance (section 3).

        Besides the limits: an unknown zone, category or list, countries that the zone does not let one exclude,
        pay below the category's minimum for the zone (the international one for a list), a list of fewer than 10
        workers, and a certain cost above the balance are `problems`; what only the web site's form minds, and an
        estimated cost above the balance, are `warnings`. Costs nothing, and posts nothing.

        Zones, categories and lists are read once in `max_age` seconds (600; 0 or more) for all checks of this
        client, and again after a change to a list; the balance is read each time. Raises `InvalidRequestError`
        only for `max_age`, and what reading raises.
        """
        return await self._catalogue.check(draft, max_age)

    async def post_job(self, draft: JobDraft, *, test: bool = False) -> PostedJob:
        """Post a job; with `test`, have the service validate it only, at no cost (section 3.4).

        Where the service accepts the post without naming the job (SproutGigs was seen to answer 2xx with an empty
        body), the job is looked for among the jobs, once and for 30 seconds at most: see `PostedJob.note`. Nothing
        is posted twice. Raises `OutcomeUnknownError` if the answer was lost: the job may have been posted. With
        `test`, an empty answer raises `InvalidResponseError`, since it does not say that the draft is valid.
        """
        require(endpoints.POST_JOB, rules.check_draft(draft, self._session.edition))
        body = codec.write_draft(draft, test=test)
        if test:
            return await self._session.call(endpoints.POST_JOB, codec.read_posted_job, body=body)
        return await post(self._session, body)

    async def add_positions(self, job_id: str, positions: int) -> Ack:
        """Add 1 to 9999 positions to a job, each at its task's value (section 3.5).

        Raises `OutcomeUnknownError` if the answer was lost: they may have been added.
        """
        require(endpoints.ADD_POSITIONS, rules.check_job_id(job_id), rules.check_positions(positions))
        body = {"job_id": job_id, "positions": positions}
        return await self._session.call(endpoints.ADD_POSITIONS, codec.read_ack, body=body)

    async def set_speed(self, job_id: str, speed: int) -> Ack:
        """Set how readily the job is shown to workers, 1 (slow) to 1000 (section 3.6)."""
        require(endpoints.SET_SPEED, rules.check_job_id(job_id), rules.check_speed(speed))
        body = {"job_id": job_id, "speed": speed}
        return await self._session.call(endpoints.SET_SPEED, codec.read_ack, body=body)

    async def set_ttr(self, job_id: str, ttr: int) -> Ack:
        """Set the days until a task is rated as satisfied by itself, 1 to 7, on SproutGigs to 90 (section 3.7)."""
        require(endpoints.SET_TTR, rules.check_job_id(job_id), rules.check_ttr(ttr, self._session.edition))
        return await self._session.call(endpoints.SET_TTR, codec.read_ack, body={"job_id": job_id, "ttr": ttr})

    async def get_jobs(
        self,
        *,
        page: int = 1,
        status: JobStatus | StatusFilter | None = None,
        unrated_tasks: bool = False,
        order: Order | None = None,
    ) -> Page[Job]:
        """One page of your active jobs; archived ones are never listed (section 3.8).

        `status` filters by status, `unrated_tasks` keeps only jobs with tasks waiting to be rated. `order` is
        `asc` (the default) or `desc`, by date of creation (SproutGigs).
        """
        checks = (rules.check_page(page), rules.check_status_filter(status))
        require(endpoints.GET_JOBS, *checks, rules.check_order(order, self._session.edition))
        query = {
            "page": page if page != 1 else None,
            "status": None if status is None else str(status).lower(),
            "unrated_tasks": 1 if unrated_tasks else None,
            "order": order,
        }
        began = anyio.current_time()
        jobs = await self._session.call(endpoints.GET_JOBS, codec.read_jobs_page, query=query)
        self._session.baseline.saw_jobs(jobs.items, began)
        return jobs

    def iter_jobs(
        self,
        *,
        status: JobStatus | StatusFilter | None = None,
        unrated_tasks: bool = False,
        order: Order | None = None,
    ) -> Pages[Job]:
        """All your active jobs, page by page, read ahead (section 3.8). Filters and order as in `get_jobs`."""
        order_check = rules.check_order(order, self._session.edition)
        require(endpoints.GET_JOBS, rules.check_status_filter(status), order_check)

        async def fetch(page: int) -> Page[Job]:
            return await self.get_jobs(page=page, status=status, unrated_tasks=unrated_tasks, order=order)

        return Pages(fetch, _job_key, self._session.throttle.max_concurrency)

    async def get_job(self, job_id: str) -> Job:
        """One job by its id (section 3.13)."""
        require(endpoints.GET_JOB, rules.check_job_id(job_id))
        began = anyio.current_time()
        job = await self._session.call(endpoints.GET_JOB, codec.read_job, query={"job_id": job_id})
        self._session.baseline.saw_jobs([job], began)
        return job

    def watch(
        self, job_id: str, *, every: float = 60.0, changes: AsyncIterable[ChangeOfJob] | None = None
    ) -> JobWatch:
        """The changes of one job, as `JobWatch` says: `async for update in pico.jobs.watch(job_id)`."""
        from .watching import JobWatch

        session = self._session.view(priority=Priority.BATCH, group=object()).once()
        return JobWatch(session, Jobs(session).get_job, job_id, every=every, changes=changes)

    async def get_unrated_tasks(
        self, *, page: int = 1, job_id: str | None = None, task_ids: Sequence[str] | None = None
    ) -> Page[Task]:
        """One page of the tasks waiting to be rated, of one job or of all (section 3.9).

        `task_ids`, at most 400 of one job, keeps only those tasks (SproutGigs).
        """
        return await self._get_tasks(endpoints.GET_UNRATED_TASKS, page, job_id, task_ids)

    def iter_unrated_tasks(
        self, *, job_id: str | None = None, task_ids: Sequence[str] | None = None
    ) -> Pages[Task]:
        """All tasks waiting to be rated, page by page, read ahead (section 3.9). Filters as for one page.

        Rating while walking moves the listing underfoot: use `AsyncPicoworkers.review` for that.
        """
        return self._iter_tasks(endpoints.GET_UNRATED_TASKS, job_id, task_ids)

    async def get_rated_tasks(
        self, *, page: int = 1, job_id: str | None = None, task_ids: Sequence[str] | None = None
    ) -> Page[Task]:
        """One page of the tasks that were rated, with `status` and `previous_proofs` (SproutGigs, of 2024).

        Filters as in `get_unrated_tasks`.
        """
        return await self._get_tasks(endpoints.GET_RATED_TASKS, page, job_id, task_ids)

    def iter_rated_tasks(self, *, job_id: str | None = None, task_ids: Sequence[str] | None = None) -> Pages[Task]:
        """All tasks that were rated, page by page, read ahead (SproutGigs, of 2024)."""
        return self._iter_tasks(endpoints.GET_RATED_TASKS, job_id, task_ids)

    async def rate_single_task(self, rating: Rating) -> Ack:
        """Rate one task, which pays its worker or refuses them; it cannot be undone (section 3.10).

        Raises `RefusedError` if the service will not, `OutcomeUnknownError` if the answer was lost.
        """
        require(endpoints.RATE_SINGLE_TASK, rules.check_rating(rating))
        body, known = codec.write_rating(rating), _known([rating])
        return await self._session.call(endpoints.RATE_SINGLE_TASK, codec.read_ack, body=body, known=known)

    async def rate_multiple_tasks(self, ratings: Sequence[Rating]) -> list[RatingAck]:
        """Rate 1 to 1000 tasks of one job in one request (SproutGigs, of 2024); it cannot be undone.

        Gives what the service said to each, in the order of `ratings`; `ok` is None where it said nothing. A
        batch (`AsyncPicoworkers.rate`) gathers ratings into such requests by itself, and settles those.
        Raises `RefusedError` if the service refused them all, `OutcomeUnknownError` if the answer was lost.
        """
        endpoint = endpoints.RATE_MULTIPLE_TASKS
        self._session.require(endpoint)
        require(endpoint, rules.check_ratings(ratings, self._session.edition.ratings_at_once))
        body = codec.write_ratings(ratings)
        acks = await self._session.call(endpoint, codec.read_rating_acks, body=body, known=_known(ratings))
        return [acks.get(rating.task_id, RatingAck(rating.task_id, None)) for rating in ratings]

    async def feature_job(self, job_id: str, amount: Decimal | int | float | str) -> Ack:
        """Pay `amount` US dollars, at least 2.00, to have a job shown before others (SproutGigs, of 2024).

        Raises `OutcomeUnknownError` if the answer was lost: it may have been paid.
        """
        money = to_money(amount)
        require(endpoints.FEATURE_JOB, rules.check_job_id(job_id), rules.check_feature(money))
        body = {"job_id": job_id, "amount": money}
        return await self._session.call(endpoints.FEATURE_JOB, codec.read_ack, body=body)

    async def get_predicted_position(
        self, category_id: str, amount: Decimal | int | float | str
    ) -> PredictedPosition:
        """Where a job of this category would stand, featured with `amount` US dollars (SproutGigs, of 2024)."""
        money, endpoint = to_money(amount), endpoints.GET_PREDICTED_POSITION
        require(endpoint, rules.check_category(category_id), rules.check_feature(money))
        body = {"category_id": category_id, "amount": money}
        return await self._session.call(endpoint, codec.read_predicted_position, body=body)

    async def stop_job(self, job_id: str) -> Ack:
        """Stop a job (section 3.11)."""
        return await self._steer(endpoints.STOP_JOB, job_id)

    async def restart_job(self, job_id: str, positions: int | None = None) -> Ack:
        """Restart a job, with that many positions added if given, 1 to 9999 (section 3.12).

        With positions, raises `OutcomeUnknownError` if the answer was lost: they may have been added.
        """
        if positions is None:
            return await self._steer(endpoints.RESTART_JOB, job_id)
        require(endpoints.RESTART_JOB, rules.check_job_id(job_id), rules.check_positions(positions))
        body = {"job_id": job_id, "positions": positions}
        return await self._session.call(endpoints.RESTART_JOB, codec.read_ack, body=body)

    async def pause_job(self, job_id: str) -> Ack:
        """Pause a job (section 3.14)."""
        return await self._steer(endpoints.PAUSE_JOB, job_id)

    async def resume_job(self, job_id: str) -> Ack:
        """Resume a paused job (section 3.15)."""
        return await self._steer(endpoints.RESUME_JOB, job_id)

    async def _get_tasks(
        self, endpoint: Endpoint, page: int, job_id: str | None, task_ids: Sequence[str] | None
    ) -> Page[Task]:
        self._check_listing(endpoint, page, job_id, task_ids)
        query = {
            "page": page if page != 1 else None,
            "job_id": job_id,
            "task_ids": None if task_ids is None else ",".join(task_ids),
        }
        return await self._session.call(endpoint, partial(codec.read_tasks_page, job_id=job_id), query=query)

    def _iter_tasks(self, endpoint: Endpoint, job_id: str | None, task_ids: Sequence[str] | None) -> Pages[Task]:
        self._check_listing(endpoint, 1, job_id, task_ids)

        async def fetch(page: int) -> Page[Task]:
            return await self._get_tasks(endpoint, page, job_id, task_ids)

        return Pages(fetch, _task_key, self._session.throttle.max_concurrency)

    def _check_listing(
        self, endpoint: Endpoint, page: int, job_id: str | None, task_ids: Sequence[str] | None
    ) -> None:
        checks = [] if job_id is None else rules.check_job_id(job_id)
        ids = rules.check_task_ids(task_ids, self._session.edition)
        require(endpoint, rules.check_page(page), checks, ids)

    async def _steer(self, endpoint: Endpoint, job_id: str) -> Ack:
        require(endpoint, rules.check_job_id(job_id))
        return await self._session.call(endpoint, codec.read_ack, body={"job_id": job_id})


def _job_key(job: Job) -> tuple[str, int]:
    return job.id, 0


def _task_key(task: Task) -> tuple[str, int]:
    return task.id, task.revision_number


def _known(ratings: Sequence[Rating]) -> dict[str, Any]:
    """What is known of the tasks beside what is sent."""
    return {"revisions": {rating.task_id: rating.revision_number for rating in ratings}}
