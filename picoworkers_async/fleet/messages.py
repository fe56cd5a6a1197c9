"""What goes to the deciders and comes back, as plain values: pure functions, and JSON alone.

`SCHEMA` is the number of this form. It changes whenever one side could misread the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..classify import in_words
from ..errors import InvalidRequestError
from ..models import Job, Rating, Task
from ..models.from_plain import from_plain
from ..models.to_plain import to_jsonable
from ..rating.asking import Decision
from ..rating.later import Later
from ..version import __version__

SCHEMA = 1
FUNCTION = "decide"
"""What the engine calls the one function that deciders have."""
_LOST_WORDS = "Task expired!"
"""What the engine says of a task that it found without its data."""


class Question(NamedTuple):
    """A task to decide, and after how many tries it is given up."""

    task: Task
    job: Job | None
    tries: int


class NotDecided(NamedTuple):
    """Nobody could decide the task, in words."""

    message: str


class Lost(NamedTuple):
    """The broker has neither the task nor its decision: it has to be asked about again."""


class Answer(NamedTuple):
    """What came back: `identity` tells two answers to the same question apart; it was the `tries`-th try."""

    decision: Decision | NotDecided | Lost
    identity: tuple[object, ...]
    tries: int


class OtherVersionError(Exception):
    """The other side has another version of this library."""


def question_id(task: Task) -> str:
    """Which piece of work this is about: the same in every run, so that none is asked about twice at a time."""
    return f"{task.job_id}:{task.id}:{task.revision_number}"


def write_question(question: Question, name: str) -> dict[str, Any]:
    """The question, for the deciders of this name."""
    task, job = to_jsonable(question.task), to_jsonable(question.job)
    return {**_signed(), "name": name, "tries": question.tries, "task": task, "job": job}


def read_question(message: object, name: str) -> Question:
    """The question of a message. Raises `OtherVersionError`, and `ValueError` for what is no question."""
    fields = _checked(message)
    if fields.get("name") != name:
        raise ValueError(f"the task is for the deciders named {fields.get('name')!r}, and these are {name!r}")
    tries = fields.get("tries")
    if not isinstance(tries, int) or isinstance(tries, bool) or tries < 1:
        raise ValueError(f"the message allows {tries!r:.80} tries")
    try:
        task = from_plain(Task, fields.get("task"), "reading a task")
        job = None if fields.get("job") is None else from_plain(Job, fields["job"], "reading a job")
    except InvalidRequestError as error:
        raise OtherVersionError(_versions(fields, f"; {error}")) from None
    return Question(task, job, tries)


def write_decision(decision: Decision | NotDecided) -> dict[str, Any]:
    """What was decided."""
    match decision:
        case None:
            said: dict[str, Any] = {"gave": "none"}
        case NotDecided(message):
            said = {"gave": "nothing", "message": message}
        case Later():
            said = {"gave": "later", "later": to_jsonable(decision)}
        case _:
            said = {"gave": "rating", "rating": to_jsonable(decision)}
    return {**_signed(), **said}


def read_decision(message: object) -> Decision | NotDecided:
    """What was decided; what cannot be read is not decided."""
    try:
        fields = _checked(message)
        match fields.get("gave"):
            case "none":
                return None
            case "nothing":
                return NotDecided(str(fields.get("message")))
            case "later":
                return from_plain(Later, fields.get("later"), "reading what a decider gave")
            case "rating":
                return from_plain(Rating, fields.get("rating"), "reading what a decider gave")
    except Exception as error:
        # Whoever can write to the broker can have written anything.
        return NotDecided(f"what came back from a decider cannot be read: {in_words(error)}")
    return NotDecided(f"a decider gave {fields.get('gave')!r:.80}")


def read_answer(record: str | bytes) -> Answer:
    """The engine's record of a task that ended; what is no such record is not decided."""
    try:
        fields = json.loads(record)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, Mapping):
        return Answer(NotDecided(f"the broker has {record!r:.80} for a decision"), (record,), 1)
    given, tries = fields.get("r"), fields.get("t")
    identity = tuple(repr(fields.get(name)) for name in ("w", "st", "ft", "t"))
    times = tries if isinstance(tries, int) and tries > 0 else 1
    if fields.get("s") is True:
        return Answer(read_decision(given), identity, times)
    words = str(given.get("message")) if isinstance(given, Mapping) else repr(given)
    return Answer(
        Lost() if words == _LOST_WORDS else NotDecided(f"the broker's engine: {words:.200}"), identity, times
    )


def encode(value: object) -> str:
    """A message of the engine as JSON; an exception of its own becomes its kind and text."""
    return json.dumps(value, default=to_jsonable, separators=(",", ":"))


def _signed() -> dict[str, Any]:
    return {"schema": SCHEMA, "version": __version__}


def _checked(message: object) -> Mapping[str, Any]:
    """The fields of a message of this schema."""
    if not isinstance(message, Mapping):
        raise ValueError(f"a message is a {type(message).__name__}, and no mapping")
    if message.get("schema") != SCHEMA:
        raise OtherVersionError(_versions(message, ""))
    return message


def _versions(fields: Mapping[str, Any], more: str) -> str:
    theirs, schema = fields.get("version"), fields.get("schema")
    return (
        f"the other side has picoworkers-async {theirs!s:.20} (schema {schema!s:.20}), and this one {__version__} "
        f"(schema {SCHEMA}): install the same version on both{more}"
    )
