"""Questions to the person at the terminal."""

from __future__ import annotations

import getpass
import io
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .exits import CommandError, Exit
from .output import say
from .safe_text import safe


def confirm(question: str, *, yes: bool, option: str = "--yes") -> None:
    """Go on only if the answer is yes; `yes` answers in advance, and so does `option`.

    Raises `CommandError` if the answer is no, and where there is no terminal to ask at.
    """
    if yes:
        return
    if not is_at_terminal():
        remedy = f"nothing was done: there is no terminal to ask at, so add {option} to do it"
        raise CommandError(question, remedy)
    with ctrl_c_at_once():
        answer = _read(safe(question) + " [y/N] ")
    if answer.lower() not in ("y", "yes"):
        raise CommandError("nothing was done", code=Exit.FAILED)


def is_at_terminal() -> bool:
    """Whether somebody can read a question and answer it."""
    # A process that was started with them closed has None there.
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def ask_login() -> tuple[str, str]:
    """Ask for the user id and, without echo, the API secret. Raises `CommandError` where there is no terminal."""
    if not is_at_terminal():
        raise CommandError("login asks for the secret, which needs a terminal; without one, use the environment")
    say("You find the user id and the API secret in the settings of your account.")
    with ctrl_c_at_once():
        return _read("User id: "), getpass.getpass("API secret (not shown): ", sys.stderr).strip()


def _read(prompt: str) -> str:
    _drop_what_was_typed_before()
    sys.stderr.write(prompt)
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def _drop_what_was_typed_before() -> None:
    """Drop what was typed before the question was shown: it answers something else."""
    try:
        import termios
    except ModuleNotFoundError:
        # Windows has its own ways.
        import msvcrt

        while msvcrt.kbhit():  # type: ignore[attr-defined]
            msvcrt.getwch()  # type: ignore[attr-defined]
    else:
        # A stream that stands in for a terminal, as an editor's console does, has no queue of its own.
        with suppress(io.UnsupportedOperation, termios.error):
            termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


@contextmanager
def ctrl_c_at_once() -> Iterator[None]:
    """Ctrl-C as outside an event loop, which would only note it until the blocking call is over.

    Enter it before the question is shown: whoever sees it may press Ctrl-C.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
