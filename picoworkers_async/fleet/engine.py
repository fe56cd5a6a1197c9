"""The engine, streaq, as a fleet uses it: JSON alone, nothing fetched ahead, and what a coordinator asks of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import attrs
from streaq import Worker
from streaq.constants import REDIS_CHANNEL, REDIS_PREFIX

from ..errors import InvalidRequestError
from ..problems import Problem, ProblemCode
from ..settings import seconds_problems
from .messages import FUNCTION, Answer, Question, encode, read_answer, write_question

KEPT_SECONDS = 86400
"""How long a decision waits in the broker for its coordinator, and a task for a decider."""
CONNECT_SECONDS = 5.0
_HOST = re.compile(r"[\w.-]*(:\d*)?(/\d*)?")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_SCHEMES = ("redis", "rediss")


@attrs.frozen
class Found:
    """What the broker has of a question: an answer, or the question itself."""

    answer: Answer | None
    is_there: bool


def make_engine(url: str, name: str, *, timeout: float, **options: Any) -> Worker[Any]:
    """An engine for the deciders of this name. No answer of the broker may take longer than `timeout` seconds."""
    connection = {"connect_timeout": CONNECT_SECONDS, "stream_timeout": timeout}
    return Worker(
        url,
        redis_kwargs=connection,
        queue_name=queue_of(name),
        serializer=encode,
        deserializer=json.loads,
        **options,
    )


def queue_of(name: str) -> str:
    return f"picoworkers:{name}"


def channels_of(name: str) -> str:
    """Where the engine tells that a task has ended; the id of the task follows."""
    return f"{REDIS_PREFIX}{queue_of(name)}{REDIS_CHANNEL}"


async def look(engine: Worker[Any], names: Sequence[str], used: Sequence[str]) -> dict[str, Found]:
    """What the broker has of these questions, after the answers that are `used` were deleted."""
    async with engine.redis.pipeline(transaction=True) as pipe:
        if used:
            pipe.delete([engine.results_key + name for name in used])
        answers = [pipe.get(engine.results_key + name) for name in names]
        there = [pipe.exists([engine.task_key + name]) for name in names]
    found = {}
    for name, answer, is_there in zip(names, answers, there, strict=True):
        record = await answer
        found[name] = Found(None if record is None else read_answer(record), bool(await is_there))
    return found


async def ask(engine: Worker[Any], questions: Mapping[str, Question], name: str) -> None:
    """Give the broker these questions; one that it has stays as it is."""
    tasks = []
    for question_id, question in questions.items():
        task = engine.enqueue_unsafe(FUNCTION, write_question(question, name))
        task.id = question_id
        task.parent.expire = KEPT_SECONDS
        tasks.append(task)
    await engine.enqueue_many(tasks)


def broker_problems(url: object, name: object) -> list[Problem]:
    """What keeps these from being a broker's address and a fleet's name. The address may hold a password."""
    problems = []
    if not _is_address(url):
        limit = "an address such as redis://:password@host:6379/0"
        problems.append(Problem("url", _shown(url), limit, ProblemCode.FORMAT))
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        problems.append(Problem("name", name, "1 to 64 letters, digits, and any of _ . -", ProblemCode.FORMAT))
    return problems


def _shown(url: object) -> object:
    """What may be shown of an address that is none: a password may be anywhere in it."""
    return "(hidden)" if isinstance(url, str) and not _HOST.fullmatch(url) else url


def whole_problems(field: str, value: object, most: int) -> list[Problem]:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most:
        return []
    return [Problem(field, value, f"a whole number from 1 to {most:,}", ProblemCode.RANGE)]


def lease_problems(lease: float) -> list[Problem]:
    if seconds_problems("lease", lease) or lease < 1:
        return [Problem("lease", lease, "a finite number of seconds, 1 or more", ProblemCode.RANGE)]
    return []


def check(call: str, problems: list[Problem]) -> None:
    """Raises `InvalidRequestError` if there are problems."""
    if problems:
        raise InvalidRequestError(call, problems, sends=False)


def _is_address(url: object) -> bool:
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
