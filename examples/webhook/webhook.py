"""Review what the service posts: its webhook, in a FastAPI application behind a path of a proxy."""

import logging
import os
import signal

import anyio
import uvicorn
from fastapi import FastAPI

from picoworkers_async import AsyncPicoworkers, Batch, OutcomeStatus, Rating, Task
from picoworkers_async.webhooks import Receiver

PORT = int(os.environ.get("PORT", "8000"))
PROXY_PATH = os.environ.get("PROXY_PATH", "/rating")  # what the proxy takes off, see nginx.conf
LOOK_EVERY_SECONDS = 3600  # at the whole listing, for what was never posted

log = logging.getLogger("webhook")
receiver = Receiver("submitted.db", signing_secret=os.environ["SIGNING_SECRET"])
app = FastAPI(title="Rating")
app.mount("/hooks", receiver)  # https://example.com/rating/hooks/, with the slash at its end


@app.get("/healthz")
async def healthz() -> dict[str, bool]:
    return {"ok": True}


def decide(task: Task) -> Rating:
    """What to think of a task: yours to write."""
    return Rating.ok(task, "good") if task.proofs else Rating.not_ok(task, "No proof was handed in.")


async def serve_until_told_to_stop(batch: Batch) -> None:
    # uvicorn sends the signal that ended it once more, when it is done: here that must not kill the program.
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM):
        config = uvicorn.Config(app, port=PORT, root_path=PROXY_PATH, log_level="warning")
        await uvicorn.Server(config).serve()
        batch.stop()


async def main() -> None:
    async with (
        AsyncPicoworkers.from_env() as pico,
        receiver.tasks(pico) as tasks,
        pico.review(decide, tasks=tasks, follow=LOOK_EVERY_SECONDS, journal="ratings.db") as batch,
        anyio.create_task_group() as beside,
    ):
        beside.start_soon(serve_until_told_to_stop, batch)
        async for outcome in batch:
            if outcome.status is not OutcomeStatus.RATED:
                log.warning("%s: %s", outcome.status.value, outcome.message)
        log.info("%s", await batch.report())
        beside.cancel_scope.cancel()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    anyio.run(main)
