"""A call that changes something: made once, settled by reading if its answer was lost, and reported."""

from __future__ import annotations

import enum
from collections.abc import Awaitable
from typing import Any

import anyio
import attrs

from ..client import AsyncPicoworkers
from ..effects import Effect, Settlement
from ..errors import AuthenticationError, CallError, Fate, OutcomeUnknownError, PicoworkersError, RefusedError
from ..models import Ack, PostedJob
from .exits import Exit
from .output import print_json, reader_may_leave, say
from .wording import error_in_words, plain


class Ending(enum.StrEnum):
    """What became of a call."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"


_CODES = {
    Ending.DONE: Exit.DONE,
    Ending.REFUSED: Exit.FAILED,
    Ending.FAILED: Exit.FAILED,
    Ending.UNKNOWN: Exit.UNKNOWN,
}


@attrs.frozen
class Result:
    """What became of a call, in words, and the job that it made, if known."""

    outcome: Ending
    message: str | None = None
    job_id: str | None = None
    url: str | None = None

    @property
    def code(self) -> Exit:
        """The exit code for it."""
        return _CODES[self.outcome]


async def act(pico: AsyncPicoworkers, what: str, call: Awaitable[Ack | PostedJob]) -> Result:
    """Make the call, which does `what`, once; if its answer was lost, find out whether it took effect.

    Raises errors that say that nothing was done because of a mistake in the command, such as
    `InvalidRequestError`, or in the credentials.
    """
    try:
        return _result_of(await call)
    except OutcomeUnknownError as error:
        return await _settle(pico, what, error)
    except AuthenticationError:
        raise
    except CallError as error:
        return failed(error)
    except anyio.get_cancelled_exc_class() as stopped:
        stopped.add_note(f"to {what} may have taken effect: check before you repeat it")
        raise


def _result_of(answer: Ack | PostedJob) -> Result:
    if isinstance(answer, PostedJob):
        return Result(Ending.DONE, answer.note or answer.message, answer.job_id, answer.url)
    return Result(Ending.DONE, answer.message)


def failed(error: CallError) -> Result:
    """What an error says about the call that it ended."""
    if isinstance(error, RefusedError):
        return Result(Ending.REFUSED, error.message)
    # What is not known to cost money is not of unknown outcome, but may yet have been done.
    again = "" if error.fate is Fate.NOT_PROCESSED else "; it may have been done, but repeating it does no harm"
    return Result(Ending.FAILED, f"{error_in_words(error)}{again}")


async def _settle(pico: AsyncPicoworkers, what: str, error: OutcomeUnknownError) -> Result:
    say(
        f"the answer was lost ({_reason(error)})",
        "checking whether it took effect, which may take a minute; nothing is sent again",
    )
    try:
        settled = await pico.settle(error)
    except PicoworkersError as lost:
        return Result(Ending.UNKNOWN, f"whether it took effect could not be read: {error_in_words(lost)}")
    except anyio.get_cancelled_exc_class() as stopped:
        stopped.add_note(f"to {what} may have taken effect: check before you repeat it")
        raise
    return result_of_settlement(settled)


def _reason(error: OutcomeUnknownError) -> str:
    return error_in_words(error.reason) if isinstance(error.reason, CallError) else plain(str(error.reason))


def result_of_settlement(settled: Settlement) -> Result:
    """What reading says about a call whose answer was lost."""
    why = "; ".join(settled.reasons)
    match settled.effect:
        case Effect.TOOK_EFFECT:
            return Result(Ending.DONE, f"reading shows that it took effect: {why}", settled.job_id)
        case Effect.DID_NOT:
            return Result(Ending.FAILED, f"reading shows that it did not take effect: {why}; you may repeat it")
    return Result(Ending.UNKNOWN, f"it may have taken effect: {why}")


def finish(result: Result, what: str, *, json: bool, **more: Any) -> Exit:
    """Report the result on stderr and, as JSON with `more` beside it, on stdout; returns the exit code."""
    said = f": {result.message}" if result.message else ""
    named = f" (job {result.job_id})" if result.job_id else ""
    say(f"{what}: {result.outcome.value}{named}{said}")
    if result.outcome is Ending.UNKNOWN:
        say("check, here or on the web site, whether it took effect before you repeat it")
    if json:
        with reader_may_leave():
            print_json({**attrs.asdict(result), **more})
    return result.code
