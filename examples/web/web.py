"""A web backend for people who rate tasks: any number of worker processes, one budget of requests."""

import logging
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import anyio
from fastapi import Depends, FastAPI, Request
from fastapi import Path as InPath
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.background import BackgroundTask

from picoworkers_async import (
    AsyncPicoworkers,
    AuthenticationError,
    Fate,
    InvalidRequestError,
    Journal,
    JournalBusyError,
    NotFoundError,
    Outcome,
    OutcomeStatus,
    PicoworkersError,
    Rating,
    RedisPacer,
    RefusedError,
    SqlitePacer,
    Throttle,
    to_jsonable,
)

REQUESTS_PER_SECOND = float(os.environ.get("REQUESTS_PER_SECOND", "1"))
PACER_URL = os.environ.get("PACER_URL")  # of a Redis or Valkey, for workers on several machines
PLAIN_HTTP = os.environ.get("PLAIN_HTTP", "").split()  # hosts of sandboxes in a network of our own
JOURNALS = Path(os.environ.get("JOURNALS", "journals"))
MAX_WAIT_SECONDS = 10
ANSWER_WITHIN_SECONDS = 10
STATUSES = {NotFoundError: 404, RefusedError: 409, AuthenticationError: 500}

log = logging.getLogger("web")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, Any], None]:
    JOURNALS.mkdir(mode=0o700, exist_ok=True)
    pacer = RedisPacer(PACER_URL) if PACER_URL else SqlitePacer()
    throttle = Throttle(requests_per_second=REQUESTS_PER_SECOND, pacer=pacer)
    async with AsyncPicoworkers.from_env(throttle=throttle, insecure_http_hosts=PLAIN_HTTP) as pico:
        yield {"pico": pico}


app = FastAPI(title="Rating", lifespan=lifespan)


def account(request: Request) -> AsyncPicoworkers:
    pico: AsyncPicoworkers = request.state.pico
    return pico.with_options(max_wait=MAX_WAIT_SECONDS)


def journal_of(
    job_id: Annotated[str, InPath(pattern="^[0-9A-Za-z]{1,40}$")],
    task_id: Annotated[str, InPath(pattern="^[0-9A-Za-z]{1,40}$")],
    revision: Annotated[int, InPath(ge=0, le=2**31)],
) -> Path:
    """A journal of one rating: whichever worker is asked, and however often, it is sent once."""
    return JOURNALS / f"{job_id}-{task_id}-{revision}.db"


Account = Annotated[AsyncPicoworkers, Depends(account)]
RatingJournal = Annotated[Path, Depends(journal_of)]


@app.get("/healthz")
async def healthz() -> dict[str, bool]:
    return {"ok": True}


@app.get("/balance")
async def balance(pico: Account) -> Any:
    return to_jsonable(await pico.users.get_balances())


@app.get("/jobs")
async def jobs(pico: Account, page: int = 1) -> Any:
    return to_jsonable(await pico.jobs.get_jobs(page=page, status="running"))


@app.get("/jobs/{job_id}/tasks")
async def tasks(job_id: str, pico: Account, page: int = 1) -> Any:
    return to_jsonable(await pico.jobs.get_unrated_tasks(page=page, job_id=job_id))


class Opinion(BaseModel):
    verdict: Literal["ok", "not_ok", "revise"]
    satisfaction: Literal["excellent", "good", "ok", "incorrect", "spam", "dupe"] | None = None
    comment: str | None = None
    bonus: Decimal | None = None


@app.put("/ratings/{job_id}/{task_id}/{revision}")
async def rate(
    job_id: str, task_id: str, revision: int, opinion: Opinion, pico: Account, journal: RatingJournal
) -> JSONResponse:
    """Rate a task. Safe to ask again, which is what to do after a 202, a 5xx, or no answer at all."""
    rating = Rating(job_id, task_id, **opinion.model_dump(), revision_number=revision)
    with anyio.move_on_after(ANSWER_WITHIN_SECONDS):
        return answer_to(rating, await outcome_of(pico, rating, journal))
    return ask_again(BackgroundTask(finish, pico, rating, journal))


@app.get("/ratings/{job_id}/{task_id}/{revision}")
def rating_state(journal: RatingJournal) -> JSONResponse:
    """What is known of a rating, without asking the service."""
    rows = list(Journal(journal).rows()) if journal.exists() else []
    if not rows:
        return JSONResponse({"error": "nobody has rated it here"}, 404)
    return JSONResponse({"state": rows[0].state.value, "message": rows[0].message})


async def outcome_of(pico: AsyncPicoworkers, rating: Rating, journal: Path) -> Outcome:
    async with pico.rate([rating], journal=journal) as batch:
        return await anext(aiter(batch))


async def finish(pico: AsyncPicoworkers, rating: Rating, journal: Path) -> None:
    try:
        await outcome_of(pico, rating, journal)
    except PicoworkersError:
        log.exception("the rating of task %s is left to whoever asks for it again", rating.task_id)


def answer_to(asked: Rating, outcome: Outcome) -> JSONResponse:
    match outcome.status:
        case OutcomeStatus.RATED if outcome.rating == asked:
            return JSONResponse({"status": "rated"})
        case OutcomeStatus.RATED:
            return JSONResponse(to_jsonable({"error": "it was rated otherwise", "stands": outcome.rating}), 409)
        case OutcomeStatus.UNKNOWN:
            return ask_again()
        case OutcomeStatus.REFUSED:
            return JSONResponse({"error": outcome.message}, 409)
    raise outcome.error or RuntimeError(outcome.message)


def ask_again(background: BackgroundTask | None = None) -> JSONResponse:
    content = {"status": "unknown", "what then": "it may have been done; ask again, which pays nobody twice"}
    return JSONResponse(content, 202, {"Retry-After": "5"}, background=background)


@app.exception_handler(JournalBusyError)
async def at_it(request: Request, error: JournalBusyError) -> JSONResponse:
    """Somebody else asked for the same rating, and is being answered."""
    return ask_again()


@app.exception_handler(InvalidRequestError)
async def invalid(request: Request, error: InvalidRequestError) -> JSONResponse:
    """In the shape that FastAPI has for bodies that are wrong."""
    detail = [
        {"type": problem.code, "loc": ["body", *problem.path], "msg": problem.limit, "input": problem.value}
        for problem in error.problems
    ]
    return JSONResponse(to_jsonable({"detail": detail}), 422)


@app.exception_handler(PicoworkersError)
async def failed(request: Request, error: PicoworkersError) -> JSONResponse:
    kinds = (STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    status = next(kinds, 503 if error.fate is Fate.NOT_PROCESSED else 502)
    return JSONResponse({"error": str(error), "fate": error.fate.name}, status)
