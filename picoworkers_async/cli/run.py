"""Run one command: its arguments, its event loop, and the exit codes of its errors."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any

import anyio
from cyclopts import CycloptsError

from ..errors import AuthenticationError, InvalidRequestError, OutcomeUnknownError, PicoworkersError, leading_error
from .app import app
from .exits import CommandError, Exit
from .invoked import invoked_with
from .output import PipeConsole, open_closed_streams, print_nowhere, say
from .wording import parameters_of, problem_in_words, reading_in_words, usage_in_words

_GO_ON = "interrupted: nothing more was sent; the same command may be run again"
_UNTIL_STOPPED = ("watch", "sandbox")


def run(arguments: Sequence[str]) -> int:
    """Run the command that these arguments name; returns its exit code."""
    open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a letter shows its code, and no command fails for it.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        command, bound, _ = app.parse_args(
            list(arguments), console=PipeConsole(), print_error=False, exit_on_error=False
        )
        is_endless = command.__name__ in _UNTIL_STOPPED or any(map(bound.arguments.get, ("watch", "keep")))
        with invoked_with(arguments), parameters_of(command):
            return _run(lambda: command(*bound.args, **bound.kwargs), is_endless=is_endless)
    except CycloptsError as error:
        say(f"picoworkers: {usage_in_words(error)}", "see picoworkers --help, or the command's")
        return Exit.USAGE
    except KeyboardInterrupt:
        say("", _GO_ON)
        return Exit.INTERRUPTED


def _run(command: Callable[[], Any], *, is_endless: bool) -> int:
    notes: list[str] = []
    try:
        code = _call(command, notes)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        # The terminal shows ^C where the line was.
        say("", *([f"interrupted: {note}" for note in notes] or ["stopped" if is_endless else _GO_ON]))
        return Exit.INTERRUPTED
    except SystemExit as error:
        # A function that decides called `sys.exit`: its code says nothing about the batch.
        say("", f"picoworkers: a function of yours ended it by {error!r}; the same command may be run again")
        return Exit.FAILED
    except Exception as error:
        said = leading_error(error)
        if isinstance(said, OSError):
            return _not_written(said)
        if not isinstance(said, PicoworkersError | CommandError):
            raise
        first, *others = in_words(said)
        say(f"picoworkers: {first}", *others)
        return code_of(said)


def _not_written(error: OSError) -> Exit:
    print_nowhere()
    if isinstance(error, BrokenPipeError):
        # A listing that nobody reads any more is not read on.
        return Exit.DONE
    # Such as a full disk behind stdout.
    say(f"picoworkers: {error.strerror or error}{f': {error.filename}' if error.filename else ''}")
    return Exit.FAILED


def _call(command: Callable[[], Any], notes: list[str]) -> int:
    async def in_loop(waiting: Any) -> Any:
        try:
            return await waiting
        except anyio.get_cancelled_exc_class() as stopped:
            notes.extend(getattr(stopped, "__notes__", ()))
            raise

    result = command()
    if inspect.iscoroutine(result):
        result = anyio.run(in_loop, result)
    return Exit.DONE if result is None else int(result)


def code_of(error: PicoworkersError | CommandError) -> Exit:
    """The exit code for this error."""
    match error:
        case CommandError():
            return error.code
        case InvalidRequestError() | AuthenticationError():
            return Exit.USAGE
        case OutcomeUnknownError():
            return Exit.UNKNOWN
    return Exit.FAILED


def in_words(error: PicoworkersError | CommandError) -> list[str]:
    """An error for the person at the terminal, with what to do about it."""
    if isinstance(error, InvalidRequestError):
        return ["nothing was sent; correct this:", *(f"  {problem_in_words(one)}" for one in error.problems)]
    return list(error.lines) if isinstance(error, CommandError) else [reading_in_words(error)]
