"""A bot that rates for months: `python bot.py bot.toml`; add `dry` to see what it would do."""

import json
import logging
import math
import os
import signal
import socket
import sys
import tomllib
from collections.abc import Iterable
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
    Problem,
    ProblemCode,
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
STARTING_AGAIN_DOES_NOT_HELP = (AuthenticationError, InvalidRequestError, InvalidResponseError, JournalError)
PLAIN = {*vars(logging.makeLogRecord({})), "message", "asctime"}

NUMBERS = ("requests_per_second", "look_every", "due_within", "decide_timeout", "tell_every")
KEYS = (*NUMBERS, "journal", "port", "limits")

log = logging.getLogger("bot")


def decide(task: Task, job: Job) -> Rating | Later | None:
    """What to think of a task: yours to write."""
    if not task.proofs:
        return Later(3600, "nothing was handed in yet")
    return Rating.ok(task, "good", bonus="0.05")


def config_of(path: str) -> dict[str, Any]:
    """What the file says. Raises `InvalidRequestError` with each wrong key, its value and the remedy."""
    try:
        config = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidRequestError(path, [Problem((), path, str(error), ProblemCode.FORMAT)], sends=False) from None
    limits = config.get("limits")
    problems = unknown_keys((), config, KEYS)
    problems += [Problem(key, None, "add this key", ProblemCode.REQUIRED) for key in KEYS if key not in config]
    for key in NUMBERS:
        if not is_number(config.get(key, 1)):
            problems.append(Problem(key, config[key], "a number above 0", ProblemCode.RANGE))
    if type(config.get("port", 1)) is not int or not 0 <= config.get("port", 1) <= 65535:
        problems.append(Problem("port", config["port"], "a port, 0 to 65535", ProblemCode.RANGE))
    if not isinstance(config.get("journal", ""), str):
        problems.append(Problem("journal", config["journal"], "the name of a file", ProblemCode.TYPE))
    if isinstance(limits, dict):
        problems += unknown_keys(("limits",), limits, [field.name for field in attrs.fields(Limits)])
    elif "limits" in config:
        problems.append(Problem("limits", limits, "a table, [limits]", ProblemCode.TYPE))
    if problems:
        raise InvalidRequestError(path, problems, sends=False)
    return config


def unknown_keys(path: tuple[str, ...], table: dict[str, Any], known: Iterable[str]) -> list[Problem]:
    remedy = f"no such key; there are {', '.join(known)}"
    return [Problem((*path, key), table[key], remedy, ProblemCode.UNKNOWN) for key in table if key not in known]


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def listener_at(port: int) -> socket.socket:
    """A socket on loopback, for `/metrics` and `/healthz`."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        remedy = f"end what listens there, or set another one: {error.strerror or error}"
        problem = Problem("port", port, remedy, ProblemCode.CONFLICT)
        raise InvalidRequestError("listen", [problem], sends=False) from None


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


async def answer_until_told_to_stop(batch: Batch, listener: socket.socket) -> None:
    """Serve `/metrics`, and `/healthz` as long as the event loop turns; SIGTERM or SIGINT stops the batch."""

    async def healthz(request: Request) -> JSONResponse:
        return JSONResponse(to_jsonable(batch.progress()))

    async def scraped(request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    app = Starlette(routes=[Route("/healthz", healthz), Route("/metrics", scraped)])
    # uvicorn sends the signal that ended it once more, when it is done: here that must not kill the bot.
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT):
        config = uvicorn.Config(app, log_config=None, log_level="warning", access_log=False)
        await uvicorn.Server(config).serve(sockets=[listener])
        batch.stop()


async def tell_progress(batch: Batch, every: float) -> None:
    while True:
        await anyio.sleep(every)
        log.info("so far", extra={"progress": batch.progress()})


async def run(config: dict[str, Any], *, dry: bool) -> None:
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
        with listener_at(config["port"]) as listener:
            await follow(pico, config, limits, listener)


async def follow(pico: AsyncPicoworkers, config: dict[str, Any], limits: Limits, listener: socket.socket) -> None:
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
        beside.start_soon(answer_until_told_to_stop, batch, listener)
        beside.start_soon(tell_progress, batch, config["tell_every"])
        async for outcome in batch:
            if outcome.status is OutcomeStatus.UNKNOWN:
                log.error("somebody has to look: %s", outcome.message, extra={"outcome": outcome})
        log.info("%s", await batch.report())
        beside.cancel_scope.cancel()


def first_of(group: BaseExceptionGroup[Any]) -> Any:
    error = group.exceptions[0]
    return first_of(error) if isinstance(error, BaseExceptionGroup) else error


def main(path: str, *options: str) -> int:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("httpx").setLevel(logging.WARNING)  # else it logs every request
    code = 0
    try:
        config = config_of(path)
        anyio.run(lambda: run(config, dry="dry" in options))
    except* STARTING_AGAIN_DOES_NOT_HELP as wrong:
        code = 2
        error = first_of(wrong)
        problems = [
            {"key": problem.field, "value": problem.value, "remedy": problem.limit}
            for problem in getattr(error, "problems", ())
        ]
        log.error("somebody has to look: %s", error, exc_info=error, extra={"problems": problems})
    except* PicoworkersError:
        code = 1
        log.exception("it ended early; starting it again goes on")
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
