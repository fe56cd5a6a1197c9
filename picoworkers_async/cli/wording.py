"""Messages of the library and the argument parser in the command's words: options instead of keywords."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from typing import Any

import attrs
from cyclopts import CoercionError, CycloptsError, UnusedCliTokensError

from ..credentials import Hidden
from ..errors import (
    CallError,
    ConflictError,
    InvalidRequestError,
    LimitError,
    PicoworkersError,
    RateLimitedError,
    RefusedError,
)
from ..models import Rating
from ..problems import Problem
from ..problems import shown as shown_value
from ..rating.limits import Limits
from ..rating.outcomes import Outcome
from ..rating.raised import TooLongError
from .options import Options

_NAMES = {"job_id": "job", "columns": "map", "amount": "cents", "path": "file"}
"""The command's names for the library's keywords, where they differ."""
_IN_GROUPS = frozenset(field.name for kind in (Options, Limits) for field in attrs.fields(kind))
_PARAMETERS: ContextVar[dict[str, bool]] = ContextVar("_PARAMETERS")
"""The parameters of the command that runs, and whether they are options."""

_EDITION = re.compile(r"\bedition=(?:SPROUTGIGS|PICOWORKERS)\b")
_KEYWORD = re.compile(r"\b([a-z]+(?:_[a-z]+)*)=(?:True\b)?(?=[ ;,.)]|$)")
_AMOUNT = re.compile(r"Decimal\('([^']*)'\)")
_NONE = re.compile(r", or None for [a-z ]+$")
_OF_A_NETWORK = re.compile(
    r", and for a host of a network that is all yours, if you name it: insecure_http_hosts=\S+"
)
_AGAIN = "; it is safe to send again"
_EXCEPTION = re.compile(r"\(([A-Za-z_]*(?:[Ee]rror|Timeout|Exception|EndOfStream))(?:: (.*))?\)(?=[;.]|$)")
_NUMBERED = re.compile(r"\[Errno -?\d+\] ")
_FAILURES = {
    "ConnectionRefusedError": "the connection was refused",
    "ConnectionResetError": "the connection was broken off",
    "BrokenPipeError": "the connection was broken off",
    "RemoteProtocolError": "the connection was broken off",
    "gaierror": "there is no host of this name, or no network",
    **dict.fromkeys(
        ("TimeoutError", "ConnectTimeout", "ReadTimeout", "WriteTimeout", "PoolTimeout"), "it took too long"
    ),
}
_WANTED = {
    "timedelta": "a time such as 24h, 90m or 7d",
    "datetime": "a day or a moment, such as 2026-01-31 or 2026-01-31T08:30",
    "int": "a whole number, such as 10",
    "float": "a number, such as 2.5",
}
_MOST_OF_AN_ARGUMENT = 300
"""Longer arguments are shortened; up to this length a path is shown whole."""
_LIMIT = re.compile(rf"\b(?:{'|'.join(field.name for field in attrs.fields(Limits) if '_' in field.name)})\b")
_SHARED_PACE = (
    "Share one Throttle between all clients of the account",
    "Give all commands of the account the same --pacer FILE",
)
_PRICE = (
    "tell it by Journal.price()",
    "leave out --pay-per-day and --total, or tell it in Python by Journal.price()",
)
_WITH_USER = re.compile(r"://\S*@")
_COERCION = re.compile(r'unable to convert "(.*)" into (\w+)', re.DOTALL)
_OF_JOURNALS = ("reopen", "withdraw", "prune")


@contextmanager
def parameters_of(command: Callable[..., Any]) -> Iterator[None]:
    """In the block, a problem of a parameter of this command is named by its option."""
    found = inspect.signature(command).parameters.values()
    token = _PARAMETERS.set({one.name: one.kind is one.KEYWORD_ONLY for one in found})
    try:
        yield
    finally:
        _PARAMETERS.reset(token)


def problem_in_words(problem: Problem) -> str:
    """A broken rule: the option or the field, what was given, and what is wanted."""
    name = _name(problem)
    wanted = plain(problem.limit)
    if problem.value is None or isinstance(problem.value, Hidden):
        return f"{name}: {wanted}"
    is_argument = name.startswith("--") or name.isupper()
    match problem.value:
        case Decimal():
            value = f"{problem.value:f}"
        case str() if is_argument and len(problem.value) <= _MOST_OF_AN_ARGUMENT:
            value = repr(problem.value)
        case _:
            value = plain(shown_value(problem.value))
    return f"{name}{' ' if is_argument else ' = '}{value}: {wanted}"


def _name(problem: Problem) -> str:
    parameters = _PARAMETERS.get({})
    path = problem.path[1:] if problem.path[:1] == ("limits",) else problem.path
    if len(path) == 1 and isinstance(path[0], str):
        given = path[0]
        for name in (given, _NAMES.get(given, given)):
            if name in parameters and not parameters[name]:
                return name.upper().replace("_", "-")
            if name in parameters or (name in _IN_GROUPS and "options" in parameters):
                return option(name)
    return problem.field or "(the whole)"


def option(keyword: str) -> str:
    """The option that stands for a keyword of the library."""
    return "--" + _NAMES.get(keyword, keyword).replace("_", "-")


def plain(text: str) -> str:
    """A text of the library without Python's terms."""
    text = _OF_A_NETWORK.sub("", _NONE.sub("", text))
    text = _EDITION.sub(lambda found: found[0].replace("edition=", "--edition ").lower(), text)
    text = _AMOUNT.sub(r"\1", _KEYWORD.sub(lambda found: option(found[1]), text))
    return _EXCEPTION.sub(_failure, text)


def _failure(found: re.Match[str]) -> str:
    name, said = found[1], found[2]
    return f"({_FAILURES.get(name) or _NUMBERED.sub('', said or '') or name})"


def error_in_words(error: PicoworkersError) -> str:
    """An error on one line, without the name of the library's method."""
    match error:
        case RefusedError():
            return error.what
        case InvalidRequestError():
            return "; ".join(map(problem_in_words, error.problems))
        case LimitError():
            return limit_in_words(_of_limit(error))
        case ConflictError(first=Rating() as first, second=Rating() as second):
            task = f"task {first.task_id} of job {first.job_id} has two different ratings in this batch"
            return f"{task}: {first.verdict.value} stands, {second.verdict.value} was not sent"
        case RateLimitedError():
            return error.what.replace(*_SHARED_PACE)
    return plain(error.what if isinstance(error, CallError) else str(error).replace(*_PRICE))


def limit_in_words(text: str) -> str:
    """What is said about a limit, which is named by its option."""
    return _LIMIT.sub(lambda found: option(found[0]), text)


def _of_limit(error: LimitError) -> str:
    """What is said about the limit of an error, which is named once."""
    said = str(error).removeprefix(f"{error.limit}: ")
    is_named = error.limit not in {field.name for field in attrs.fields(Limits)} or error.limit in said
    return said if is_named else f"{option(error.limit)}: {said}"


def outcome_in_words(outcome: Outcome) -> str | None:
    """Why a rating did not go well; what the service or the user's function said stays as it is."""
    match outcome.error:
        case None | RefusedError():
            return outcome.message
        case TooLongError():
            said = outcome.message or ""
            return said.replace("decide took longer than decide_timeout", "it took longer than --decide-timeout")
        case PicoworkersError():
            return error_in_words(outcome.error)
    return outcome.message


def reading_in_words(error: PicoworkersError) -> str:
    """The same for a command that only reads, which may be run again anyway."""
    return error_in_words(error).removesuffix(_AGAIN)


def usage_in_words(error: CycloptsError) -> str:
    """What is wrong with the arguments, with an example that works."""
    if isinstance(error, UnusedCliTokensError):
        tokens = list(error.unused_tokens or ())
        if tokens and tokens[0] in _OF_JOURNALS and "journal" in (error.command_chain or ()):
            return f"the order is: picoworkers journal {tokens[0]} FILE"
        return f"more than this command takes: {_WITH_USER.sub('://(hidden)@', ' '.join(tokens))}"
    said = str(error)
    found = _COERCION.search(said) if isinstance(error, CoercionError) else None
    if found is not None and found[2] in _WANTED:
        return f'{said[: found.start()]}"{found[1]}" is not {_WANTED[found[2]]}'
    return said
