"""A bot that rates for months: `python bot.py bot.toml`; with `dry` behind it, it says what it would do."""

import json
import logging
import os
import signal
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import attrs
import uvicorn
from opentelemetry import metrics
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from picoworkers_async import (
    AsyncPicoworkers,
    AuthenticationError,
    Batch,
    InvalidRequestError,
    InvalidResponseError,
    Job,
    JournalError,
    Later,
    Limits,
    OutcomeStatus,
    PicoworkersError,
    Rating,
    RedisPacer,
    SqlitePacer,
    Task,
    Throttle,
    to_jsonable,
)
from picoworkers_async.telemetry import Telemetry

PACER_URL = os.environ.get("PACER_URL")  # of a Redis or Valkey, where other machines call for the account too
PLAIN_HTTP = os.environ.get("PLAIN_HTTP", "").split()  # hosts of sandboxes in a network of our own
SETTINGS = {
    "requests_per_second",
    "look_every",
    "due_within",
    "decide_timeout",
    "tell_every",
    "journal",
    "port",
    "limits",
}
PLAIN = {*vars(logging.makeLogRecord({})), "message", "asctime"}

log = logging.getLogger("bot")


class ConfigError(Exception):
    """The configuration is not what this program can go by."""


STARTING_AGAIN_DOES_NOT_HELP = (
    AuthenticationError,
    ConfigError,
    InvalidRequestError,
    InvalidResponseError,
    JournalError,
)


def decide(task: Task, job: Job) -> Rating | Later | None:
    """What to think of a task: yours to write."""
    if not task.proofs:
        return Later(3600, "nothing was handed in yet")
    return Rating.ok(task, "good", bonus="0.05")


class JsonLines(logging.Formatter):
    """One JSON object for each record; the fields of the library's events are in it."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in PLAIN},
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(to_jsonable(line))


def config_in(path: str) -> dict[str, Any]:
    """What the file sets, all of it known: a limit that is misspelt, or not in `[limits]`, would bound nothing."""
    try:
        config = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error
    limits = {f"limits.{name}" for name in config.get("limits", ())} - {
        f"limits.{field.name}" for field in attrs.fields(Limits)
    }
    wrong = sorted((config.keys() ^ SETTINGS) | limits)
    if wrong:
        raise ConfigError(f"{path}: missing, or not known there: {', '.join(wrong)}")
    return config


async def answer_until_told_to_stop(batch: Batch, port: int) -> None:
    """Serve `/metrics`, and `/healthz` as long as the event loop turns; SIGTERM or SIGINT stops the batch."""

    async def healthz(request: Request) -> JSONResponse:
        return JSONResponse(to_jsonable(batch.progress()))

    async def scraped(request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    app = Starlette(routes=[Route("/healthz", healthz), Route("/metrics", scraped)])
    # uvicorn sends the signal that ended it once more, when it is done: here that must not kill the bot.
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT):
        config = uvicorn.Config(app, port=port, log_config=None, log_level="warning", access_log=False)
        await uvicorn.Server(config).serve()
        batch.stop()


async def tell_progress(batch: Batch, every: float) -> None:
    while True:
        await anyio.sleep(every)
        log.info("so far", extra={"progress": batch.progress()})


async def run(path: str, *, dry: bool) -> None:
    config = config_in(path)
    pacer = RedisPacer(PACER_URL) if PACER_URL else SqlitePacer()
    throttle = Throttle(requests_per_second=config["requests_per_second"], pacer=pacer)
    limits = Limits(**config["limits"])
    metrics.set_meter_provider(MeterProvider([PrometheusMetricReader()]))
    async with AsyncPicoworkers.from_env(
        throttle=throttle, insecure_http_hosts=PLAIN_HTTP, on_event=Telemetry()
    ) as pico:
        if dry:
            async with pico.review(decide, dry_run=True, limits=limits) as batch:
                log.info("%s", await batch.report(), extra={"spend": batch.spend()})
            return
        async with (
            pico.review(
                decide,
                follow=config["look_every"],
                journal=config["journal"],
                limits=limits,
                on_limit="wait",
                decide_timeout=config["decide_timeout"],
                due_within=config["due_within"],
            ) as batch,
            anyio.create_task_group() as beside,
        ):
            beside.start_soon(answer_until_told_to_stop, batch, config["port"])
            beside.start_soon(tell_progress, batch, config["tell_every"])
            async for outcome in batch:
                if outcome.status is OutcomeStatus.UNKNOWN:
                    log.error("somebody has to look: %s", outcome.message, extra={"outcome": outcome})
            log.info("%s", await batch.report())
            beside.cancel_scope.cancel()


def main(path: str, *options: str) -> int:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    code = 0
    try:
        anyio.run(lambda: run(path, dry="dry" in options))
    except* STARTING_AGAIN_DOES_NOT_HELP as wrong:
        code = 2
        log.error("somebody has to look", exc_info=wrong)
    except* PicoworkersError:
        code = 1
        log.exception("it ended early; starting it again goes on")
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
