"""A web backend as a user would write it: it posts drafts and lists jobs over one client.

A draft that is wrong is answered 422, in the shape that FastAPI has for wrong bodies of its own.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from picoworkers_async import AsyncPicoworkers, InvalidRequestError, JobDraft, to_jsonable


def make_app(pico: AsyncPicoworkers) -> FastAPI:
    """The application, over a client that is open while it serves."""
    app = FastAPI()

    @app.exception_handler(InvalidRequestError)
    async def invalid(request: Request, error: InvalidRequestError) -> JSONResponse:
        detail = [
            {
                "type": problem.code,
                "loc": ["body", *problem.path],
                "msg": problem.limit,
                "input": problem.value,
            }
            for problem in error.problems
        ]
        return JSONResponse(to_jsonable({"detail": detail}), status_code=422)

    @app.post("/jobs", status_code=201)
    async def post_job(fields: dict[str, Any]) -> Any:
        posted = await pico.jobs.post_job(JobDraft.from_dict(fields))
        return to_jsonable(posted)

    @app.get("/jobs")
    async def list_jobs(page: int = 1) -> Any:
        return to_jsonable(await pico.jobs.get_jobs(page=page))

    return app
