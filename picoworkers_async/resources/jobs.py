"""`pico.jobs`: post jobs, steer them, read their tasks, rate one."""

from __future__ import annotations

from .. import codec, endpoints, rules
from ..endpoints import Endpoint
from ..errors import InvalidRequestError
from ..models import Ack, Category, Job, JobDraft, JobStatus, Page, PostedJob, Rating, Task, WorkerList, Zone
from ..paging import Pages
from ..session import Session
from .checking import require


class Jobs:
    """Jobs and their tasks (section 3).

    Every method raises `InvalidRequestError` before anything is sent if an argument breaks a documented limit,
    and the errors of `picoworkers_async.errors` for what the service answers.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get_zones(self) -> list[Zone]:
        """The zones a job can target, and the countries that each lets one exclude (section 3.1)."""
        return await self._session.call(endpoints.GET_ZONES, codec.read_zones)

    async def get_lists(self) -> list[WorkerList]:
        """Your lists of workers; a job needs one of at least 10 workers (section 3.2)."""
        return await self._session.call(endpoints.GET_LISTS, codec.read_lists)

    async def get_categories(self) -> list[Category]:
        """The categories, with the least pay for a task in each zone, in US dollars (section 3.3)."""
        return await self._session.call(endpoints.GET_CATEGORIES, codec.read_categories)

    async def check(self, draft: JobDraft) -> None:
        """Check a draft against the documented limits and the live zones, categories and lists (sections 3.1-3.4).

        Besides the limits: an unknown zone, category or list, countries that the zone does not let one
        exclude, pay below the category's minimum for the zone (the international one for a list), a list of
        fewer than 10 workers. Raises `InvalidRequestError` with all that is wrong. Three reads, no cost.
        """
        problems = list(rules.check_draft(draft, self._session.edition))
        live = (await self.get_zones(), await self.get_categories(), await self.get_lists())
        problems += rules.check_draft_live(draft, *live)
        if problems:
            raise InvalidRequestError("jobs.check", problems)

    async def post_job(self, draft: JobDraft, *, test: bool = False) -> PostedJob:
        """Post a job; with `test`, have the service validate it only, at no cost (section 3.4).

        Raises `OutcomeUnknownError` if the answer was lost: the job may have been posted.
        """
        require(endpoints.POST_JOB, rules.check_draft(draft, self._session.edition))
        body = codec.write_draft(draft, test=test)
        posted = await self._session.call(endpoints.POST_JOB, codec.read_posted_job, body=body)
        self._session.memory.posted(posted.job_id)
        return posted

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
        self, *, page: int = 1, status: JobStatus | str | None = None, unrated_tasks: bool = False
    ) -> Page[Job]:
        """One page of your active jobs; archived ones are never listed (section 3.8).

        `status` filters by status, `unrated_tasks` keeps only jobs with tasks waiting to be rated.
        """
        require(endpoints.GET_JOBS, rules.check_page(page), rules.check_status_filter(status))
        query = {
            "page": page if page != 1 else None,
            "status": None if status is None else str(status).lower(),
            "unrated_tasks": 1 if unrated_tasks else None,
        }
        jobs = await self._session.call(endpoints.GET_JOBS, codec.read_jobs_page, query=query)
        self._session.memory.saw_jobs(jobs.items)
        return jobs

    def iter_jobs(self, *, status: JobStatus | str | None = None, unrated_tasks: bool = False) -> Pages[Job]:
        """All your active jobs, page by page, read ahead (section 3.8). Filters as in `get_jobs`."""
        require(endpoints.GET_JOBS, rules.check_status_filter(status))

        async def fetch(page: int) -> Page[Job]:
            return await self.get_jobs(page=page, status=status, unrated_tasks=unrated_tasks)

        return Pages(fetch, _job_key, self._session.throttle.max_concurrency)

    async def get_job(self, job_id: str) -> Job:
        """One job by its id (section 3.13)."""
        require(endpoints.GET_JOB, rules.check_job_id(job_id))
        job = await self._session.call(endpoints.GET_JOB, codec.read_job, query={"job_id": job_id})
        self._session.memory.saw_jobs([job])
        return job

    async def get_unrated_tasks(self, *, page: int = 1, job_id: str | None = None) -> Page[Task]:
        """One page of the tasks waiting to be rated, of one job or of all (section 3.9)."""
        checks = [] if job_id is None else rules.check_job_id(job_id)
        require(endpoints.GET_UNRATED_TASKS, rules.check_page(page), checks)
        query = {"page": page if page != 1 else None, "job_id": job_id}
        return await self._session.call(endpoints.GET_UNRATED_TASKS, codec.read_tasks_page, query=query)

    def iter_unrated_tasks(self, *, job_id: str | None = None) -> Pages[Task]:
        """All tasks waiting to be rated, page by page, read ahead (section 3.9).

        Rating while walking moves the listing underfoot: use `AsyncPicoworkers.review` for that.
        """
        if job_id is not None:
            require(endpoints.GET_UNRATED_TASKS, rules.check_job_id(job_id))

        async def fetch(page: int) -> Page[Task]:
            return await self.get_unrated_tasks(page=page, job_id=job_id)

        return Pages(fetch, _task_key, self._session.throttle.max_concurrency)

    async def rate_single_task(self, rating: Rating) -> Ack:
        """Rate one task, which pays its worker or refuses them; it cannot be undone (section 3.10).

        Raises `RefusedError` if the service will not, `OutcomeUnknownError` if the answer was lost.
        """
        require(endpoints.RATE_SINGLE_TASK, rules.check_rating(rating))
        body = codec.write_rating(rating)
        return await self._session.call(endpoints.RATE_SINGLE_TASK, codec.read_ack, body=body)

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

    async def _steer(self, endpoint: Endpoint, job_id: str) -> Ack:
        require(endpoint, rules.check_job_id(job_id))
        return await self._session.call(endpoint, codec.read_ack, body={"job_id": job_id})


def _job_key(job: Job) -> tuple[str, int]:
    return job.id, 0


def _task_key(task: Task) -> tuple[str, int]:
    return task.id, task.revision_number
