"""The command that was run, to print where it can be resumed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

_ARGUMENTS: ContextVar[tuple[str, ...]] = ContextVar("_ARGUMENTS", default=())


@contextmanager
def invoked_with(arguments: Sequence[str]) -> Iterator[None]:
    """These are the arguments of the command in the block."""
    token = _ARGUMENTS.set(tuple(arguments))
    try:
        yield
    finally:
        _ARGUMENTS.reset(token)


def the_very_command() -> str:
    """The command, ready to paste into a shell."""
    return shlex.join(["picoworkers", *_ARGUMENTS.get()])
