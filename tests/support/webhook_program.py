"""The example of docs/how-to/webhooks.md, on a port of one's own: the program that the test of SIGTERM ends."""

from __future__ import annotations

import signal
import sys

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from picoworkers_async import SPROUTGIGS, AsyncPicoworkers, Batch, Rating
from picoworkers_async.webhooks import Receiver

receiver = Receiver("submitted.db", secret="a-segment-nobody-guesses")
app = Starlette(routes=[Mount("/hooks", receiver)])  # https://.../hooks/a-segment-nobody-guesses


async def serve(batch: Batch) -> None:
    # uvicorn sends the signal that ended it once more, when it is done: here that must not kill the program.
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM):
        # Its access log would show the path of every request, and so the secret.
        await uvicorn.Server(uvicorn.Config(app, access_log=False, port=int(sys.argv[1]))).serve()
        batch.stop()


async def main() -> None:
    async with (
        AsyncPicoworkers.from_env(edition=SPROUTGIGS) as pico,
        receiver.tasks(pico) as tasks,
        pico.review(Rating.ok, tasks=tasks, follow=3600, journal="ratings.db") as batch,
        anyio.create_task_group() as group,
    ):
        group.start_soon(serve, batch)
        async for outcome in batch:
            print(outcome.status.value, outcome.rating, flush=True)


if __name__ == "__main__":
    anyio.run(main)
