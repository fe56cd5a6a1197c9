"""A bot that asks a slow model about each task: the model's slots bound it, not the account's limit."""

import json
import logging
import os
import signal
from functools import partial
from typing import Any

import anyio
import attrs
import httpx
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from picoworkers_async import AsyncPicoworkers, Batch, Job, Later, OutcomeStatus, Rating, Task

MODEL_URL = os.environ.get("MODEL_URL", "http://127.0.0.1:8023/judge")
MODEL_SLOTS = int(os.environ.get("MODEL_SLOTS", "4"))
ANSWER_SECONDS = 60.0  # of one request to the model
ATTEMPTS = 3
DECIDE_SECONDS = ATTEMPTS * ANSWER_SECONDS + 30
SURE = 0.8
LOOK_EVERY_SECONDS = 60
ASK_AGAIN_SECONDS = 3600

log = logging.getLogger("model")


@attrs.frozen
class Opinion:
    good: bool
    confidence: float
    why: str


class ModelBusyError(Exception):
    """The model is overloaded, or being restarted."""


def opinion_in(answer: Any) -> Opinion:
    """What the model said, if it is what was agreed: `"false"` is true to Python, and NaN is not below `SURE`."""
    match answer:
        case {"good": bool(good), "confidence": float(confidence), "why": str(why)} if 0 <= confidence <= 1:
            return Opinion(good, confidence, why)
    raise ValueError("the model's answer is not of the agreed form")


@retry(
    retry=retry_if_exception_type((httpx.TransportError, ModelBusyError)),
    stop=stop_after_attempt(ATTEMPTS),
    wait=wait_exponential_jitter(max=10),
    reraise=True,
)
async def ask(model: httpx.AsyncClient, task: Task, job: Job) -> Opinion:
    question = {"title": job.title, "steps": job.instructions, "proofs": [proof.text for proof in task.proofs]}
    answer = await model.post(MODEL_URL, json=question)
    if answer.status_code in (429, 502, 503, 504):
        raise ModelBusyError(f"HTTP {answer.status_code}")
    answer.raise_for_status()
    return opinion_in(json.loads(answer.content, parse_int=float))


async def decide(model: httpx.AsyncClient, task: Task, job: Job) -> Rating | Later:
    """A model that fails fails its task alone, which is asked about again later.

    The proofs are words of whoever is paid for them, and may tell the model what to say: see the README.
    """
    opinion = await ask(model, task, job)
    if opinion.confidence < SURE:
        return Later(ASK_AGAIN_SECONDS, f"the model is {opinion.confidence:.0%} sure: {opinion.why}")
    return Rating.ok(task, "good") if opinion.good else Rating.not_ok(task, opinion.why, "incorrect")


async def stop_on_signal(batch: Batch) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            batch.stop()


async def main() -> None:
    async with (
        AsyncPicoworkers.from_env() as pico,
        httpx.AsyncClient(timeout=ANSWER_SECONDS) as model,
        pico.review(
            partial(decide, model),
            follow=LOOK_EVERY_SECONDS,
            journal="ratings.db",
            deciding=MODEL_SLOTS,
            decide_timeout=DECIDE_SECONDS,
        ) as batch,
        anyio.create_task_group() as beside,
    ):
        beside.start_soon(stop_on_signal, batch)
        async for outcome in batch:
            if outcome.status is not OutcomeStatus.RATED:
                log.warning("%s: %s", outcome.status.value, outcome.message)
        log.info("%s", await batch.report())
        beside.cancel_scope.cancel()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    anyio.run(main)
