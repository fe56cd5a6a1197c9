"""One batch at a time on a file: a lock on the file itself, which ends with the process that holds it."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

from ..errors import JournalBusyError, JournalError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_FAR_OFF = 1 << 62
_TRIES = 5
# Whoever asks whether a file is held takes it for a moment, which is no reason to be refused.
_ASKED_FOR_SECONDS = 0.02

# SQLite's own locks on a file are lost when this process closes any other descriptor of it. So a file that is held
# here is recognised before it is opened again.
_held: dict[tuple[int, int], int] = {}
_mutex = threading.Lock()


class FileLock:
    """Holds a file for one batch, under whatever name it is reached, until `release`.

    Creates the file if it is not there. Raises `JournalBusyError` if another batch holds it, in this process or
    another, and `OSError` if it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path: Path = path.resolve()
        with _mutex:
            for _ in range(_TRIES):
                if self._take():
                    return
        raise JournalError(path, "it keeps being replaced by another file")

    def is_there(self) -> bool:
        """Whether the path still leads to the file that is held."""
        try:
            return _identity(os.stat(self.path)) == self._key
        except OSError:
            return False

    def release(self) -> None:
        """Release the file. SQLite's connection to it must be closed before."""
        with _mutex:
            descriptor = _held.pop(self._key, None)
            if descriptor is not None:
                os.close(descriptor)

    def _take(self) -> bool:
        """Open and lock the file. False if it was replaced meanwhile."""
        if self.path.exists() and _identity(os.stat(self.path)) in _held:
            raise self._taken()
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
        try:
            self._key = _identity(os.fstat(descriptor))
            if not (_lock(descriptor) or _lock_later(descriptor)):
                raise self._taken()
            if not self.is_there():
                os.close(descriptor)
                return False
        except BaseException:
            os.close(descriptor)
            raise
        _held[self._key] = descriptor
        return True

    def _taken(self) -> JournalError:
        return JournalBusyError(self.path, "another batch has it open; it serves one at a time")


def is_held(path: Path) -> bool:
    """Whether anyone holds this file, in this process or another. Raises `OSError` if it cannot be opened."""
    with _mutex:
        if _identity(os.stat(path)) in _held:
            return True
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
        try:
            return not _lock(descriptor)
        finally:
            os.close(descriptor)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, _FAR_OFF, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _lock_later(descriptor: int) -> bool:
    """Try again: whoever only asked whether it is held may release it in a moment."""
    for _ in range(_TRIES):
        time.sleep(_ASKED_FOR_SECONDS)
        if _lock(descriptor):
            return True
    return False


def _forget_in_child() -> None:
    """A forked child must not keep the lock of a parent that has ended."""
    for descriptor in _held.values():
        os.close(descriptor)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
