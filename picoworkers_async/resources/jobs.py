"""`pico.jobs`: post jobs, steer them, read their tasks, rate them."""

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
    """Jobs and their tasks (section 3 of the API document).

    Every method raises `InvalidRequestError` before it sends anything if an argument breaks a documented limit,
    and the errors of `picoworkers_async.errors` for what the service answers.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._catalogue = Catalogue(session)

    async def get_zones(self) -> list[Zone]:
        """Get the zones that a job can target, and the countries that each lets you exclude.

        Source: section 3.1 of the API document.
        """
        return await self._session.call(endpoints.GET_ZONES, codec.read_zones)

    async def get_lists(self) -> list[WorkerList]:
        """Get your lists of workers; a job needs a list of at least 10 workers.

        Source: section 3.2 of the API document.
        """
        return await self._session.call(endpoints.GET_LISTS, codec.read_lists)

    async def get_categories(self) -> list[Category]:
        """Get the categories, with the least pay for a task in each zone, in US dollars.

        Source: section 3.3 of the API document.
        """
        return await self._session.call(endpoints.GET_CATEGORIES, codec.read_categories)

    async def check(self, draft: JobDraft, *, max_age: float = MAX_AGE_SECONDS) -> DraftCheck:
        """Check a draft against the limits, the live zones, categories and lists, and the balance.

        Costs nothing, and posts nothing. Besides broken limits, these are `problems`: an unknown zone, category
        or list; countries that the zone does not let you exclude; pay below the category's minimum for the zone
        (for a list, the international one); a list of fewer than 10 workers; and a certain cost above the
        balance. These are `warnings`: what only the web site's form objects to, and an estimated cost above the
        balance.

        Zones, categories and lists are read once in `max_age` seconds (600; 0 or more) for all checks of this
        client, and again after a change to a list; the balance is read each time. Raises `InvalidRequestError`
        only for `max_age`, and what reading raises. Source: section 3 of the API document.
        """
        return await self._catalogue.check(draft, max_age)

    async def post_job(self, draft: JobDraft, *, test: bool = False) -> PostedJob:
        """Post a job; with `test`, have the service only validate it, at no cost.

        Nothing is posted twice. If the service accepts the post without naming the job (SproutGigs was seen to
        answer 2xx with an empty body), the jobs are read once, for 30 seconds at most, to find it: see
        `PostedJob.note`.

        Raises `OutcomeUnknownError` if the answer was lost: the job may have been posted. With `test`, an empty
        answer raises `InvalidResponseError`, because it does not say that the draft is valid. Source: section
        3.4 of the API document.
        """
        require(endpoints.POST_JOB, rules.check_draft(draft, self._session.edition))
        body = codec.write_draft(draft, test=test)
        if test:
            return await self._session.call(endpoints.POST_JOB, codec.read_posted_job, body=body)
        return await post(self._session, body)

    async def add_positions(self, job_id: str, positions: int) -> Ack:
        """Add 1 to 9999 positions to a job; each costs its task's value.

        Raises `OutcomeUnknownError` if the answer was lost: they may have been added. Source: section 3.5 of the
        API document.
        """
        require(endpoints.ADD_POSITIONS, rules.check_job_id(job_id), rules.check_positions(positions))
        body = {"job_id": job_id, "positions": positions}
        return await self._session.call(endpoints.ADD_POSITIONS, codec.read_ack, body=body)

    async def set_speed(self, job_id: str, speed: int) -> Ack:
        """Set how readily the job is shown to workers, from 1 (slow) to 1000.

        Source: section 3.6 of the API document.
        """
        require(endpoints.SET_SPEED, rules.check_job_id(job_id), rules.check_speed(speed))
        body = {"job_id": job_id, "speed": speed}
        return await self._session.call(endpoints.SET_SPEED, codec.read_ack, body=body)

    async def set_ttr(self, job_id: str, ttr: int) -> Ack:
        """Set the days until a task is rated as satisfied by itself: 1 to 7, on SproutGigs 1 to 90.

        Source: section 3.7 of the API document.
        """
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
        """Get one page of your active jobs; archived ones are never listed.

        `status` keeps only jobs of that status, `unrated_tasks` only jobs with tasks waiting to be rated.
        `order` sorts by creation date, `asc` (the default) or `desc` (SproutGigs only). Source: section 3.8 of
        the API document.
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
        """Iterate over all your active jobs, with pages read ahead. Filters and order as in `get_jobs`.

        Source: section 3.8 of the API document.
        """
        order_check = rules.check_order(order, self._session.edition)
        require(endpoints.GET_JOBS, rules.check_status_filter(status), order_check)

        async def fetch(page: int) -> Page[Job]:
            return await self.get_jobs(page=page, status=status, unrated_tasks=unrated_tasks, order=order)

        return Pages(fetch, _job_key, self._session.throttle.max_concurrency)

    async def get_job(self, job_id: str) -> Job:
        """Get one job by its id. Raises `NotFoundError` if it is not there.

        Source: section 3.13 of the API document.
        """
        require(endpoints.GET_JOB, rules.check_job_id(job_id))
        began = anyio.current_time()
        job = await self._session.call(endpoints.GET_JOB, codec.read_job, query={"job_id": job_id})
        self._session.baseline.saw_jobs([job], began)
        return job

    def watch(
        self, job_id: str, *, every: float = 60.0, changes: AsyncIterable[ChangeOfJob] | None = None
    ) -> JobWatch:
        """Watch one job for changes: `async for update in pico.jobs.watch(job_id)`. `JobWatch` has the details."""
        from .watching import JobWatch

        session = self._session.view(priority=Priority.BATCH, group=object()).once()
        return JobWatch(session, Jobs(session).get_job, job_id, every=every, changes=changes)

    async def get_unrated_tasks(
        self, *, page: int = 1, job_id: str | None = None, task_ids: Sequence[str] | None = None
    ) -> Page[Task]:
        """Get one page of the tasks waiting to be rated, of one job or of all.

        `task_ids`, at most 400 of one job, keeps only those tasks (SproutGigs only). Source: section 3.9 of the
        API document.
        """
        return await self._get_tasks(endpoints.GET_UNRATED_TASKS, page, job_id, task_ids)

    def iter_unrated_tasks(
        self, *, job_id: str | None = None, task_ids: Sequence[str] | None = None
    ) -> Pages[Task]:
        """Iterate over all tasks waiting to be rated, with pages read ahead. Filters as in `get_unrated_tasks`.

        Rating during the walk moves the listing, and tasks are missed: use `AsyncPicoworkers.review` for that.
        Source: section 3.9 of the API document.
        """
        return self._iter_tasks(endpoints.GET_UNRATED_TASKS, job_id, task_ids)

    async def get_rated_tasks(
        self, *, page: int = 1, job_id: str | None = None, task_ids: Sequence[str] | None = None
    ) -> Page[Task]:
        """Get one page of the tasks that were rated, with `status` and `previous_proofs` (SproutGigs only).

        Filters as in `get_unrated_tasks`. Source: the API document of 2024.
        """
        return await self._get_tasks(endpoints.GET_RATED_TASKS, page, job_id, task_ids)

    def iter_rated_tasks(self, *, job_id: str | None = None, task_ids: Sequence[str] | None = None) -> Pages[Task]:
        """Iterate over all tasks that were rated, with pages read ahead (SproutGigs only).

        Filters as in `get_unrated_tasks`. Source: the API document of 2024.
        """
        return self._iter_tasks(endpoints.GET_RATED_TASKS, job_id, task_ids)

    async def rate_single_task(self, rating: Rating) -> Ack:
        """Rate one task, which pays its worker or refuses them; it cannot be undone.

        Raises `RefusedError` if the service refuses, `OutcomeUnknownError` if the answer was lost. Source:
        section 3.10 of the API document.
        """
        require(endpoints.RATE_SINGLE_TASK, rules.check_rating(rating))
        body, known = codec.write_rating(rating), _known([rating])
        return await self._session.call(endpoints.RATE_SINGLE_TASK, codec.read_ack, body=body, known=known)

    async def rate_multiple_tasks(self, ratings: Sequence[Rating]) -> list[RatingAck]:
        """Rate 1 to 1000 tasks of one job in one request (SproutGigs only). It cannot be undone.

        Returns what the service said about each, in the order of `ratings`; `ok` is None where it said nothing.
        A batch (`AsyncPicoworkers.rate`) gathers ratings into such requests by itself, and settles those.

        Raises `RefusedError` if the service refused them all, `OutcomeUnknownError` if the answer was lost.
        Source: the API document of 2024.
        """
        endpoint = endpoints.RATE_MULTIPLE_TASKS
        self._session.require(endpoint)
        require(endpoint, rules.check_ratings(ratings, self._session.edition.ratings_at_once))
        body = codec.write_ratings(ratings)
        acks = await self._session.call(endpoint, codec.read_rating_acks, body=body, known=_known(ratings))
        return [acks.get(rating.task_id, RatingAck(rating.task_id, None)) for rating in ratings]

    async def feature_job(self, job_id: str, amount: Decimal | int | float | str) -> Ack:
        """Pay `amount` US dollars, at least 2.00, to have a job shown before others (SproutGigs only).

        Raises `OutcomeUnknownError` if the answer was lost: it may have been paid. Source: the API document of
        2024.
        """
        money = to_money(amount)
        require(endpoints.FEATURE_JOB, rules.check_job_id(job_id), rules.check_feature(money))
        body = {"job_id": job_id, "amount": money}
        return await self._session.call(endpoints.FEATURE_JOB, codec.read_ack, body=body)

    async def get_predicted_position(
        self, category_id: str, amount: Decimal | int | float | str
    ) -> PredictedPosition:
        """Get the place of a job of this category, featured for `amount` US dollars (SproutGigs only).

        Source: the API document of 2024.
        """
        money, endpoint = to_money(amount), endpoints.GET_PREDICTED_POSITION
        require(endpoint, rules.check_category(category_id), rules.check_feature(money))
        body = {"category_id": category_id, "amount": money}
        return await self._session.call(endpoint, codec.read_predicted_position, body=body)

    async def stop_job(self, job_id: str) -> Ack:
        """Stop a job. Source: section 3.11 of the API document."""
        return await self._steer(endpoints.STOP_JOB, job_id)

    async def restart_job(self, job_id: str, positions: int | None = None) -> Ack:
        """Restart a job; `positions`, 1 to 9999, adds that many.

        With positions, raises `OutcomeUnknownError` if the answer was lost: they may have been added. Source:
        section 3.12 of the API document.
        """
        if positions is None:
            return await self._steer(endpoints.RESTART_JOB, job_id)
        require(endpoints.RESTART_JOB, rules.check_job_id(job_id), rules.check_positions(positions))
        body = {"job_id": job_id, "positions": positions}
        return await self._session.call(endpoints.RESTART_JOB, codec.read_ack, body=body)

    async def pause_job(self, job_id: str) -> Ack:
        """Pause a job. Source: section 3.14 of the API document."""
        return await self._steer(endpoints.PAUSE_JOB, job_id)

    async def resume_job(self, job_id: str) -> Ack:
        """Resume a paused job. Source: section 3.15 of the API document."""
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
    """What is known of the tasks besides what is sent."""
    return {"revisions": {rating.task_id: rating.revision_number for rating in ratings}}
