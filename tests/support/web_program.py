"""A web backend as a user would write it, one of several worker processes that share a pacer's file.

The environment names the service, the file and the rate.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request

from picoworkers_async import AsyncPicoworkers, SqlitePacer, Throttle

PACE_FILE, RATE = "TEST_PACE_FILE", "TEST_RATE"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    throttle = Throttle(requests_per_second=float(os.environ[RATE]), pacer=SqlitePacer(os.environ[PACE_FILE]))
    async with AsyncPicoworkers.from_env(throttle=throttle) as pico:
        yield {"pico": pico}


app = FastAPI(lifespan=lifespan)


@app.get("/worker")
async def worker() -> int:
    return os.getpid()


@app.get("/balance")
async def balance(request: Request) -> dict[str, str | int]:
    balances = await request.state.pico.users.get_balances()
    return {"spendable": str(balances.spendable), "worker": os.getpid()}
