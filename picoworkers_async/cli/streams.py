"""Stdout and stderr of a command while code of the user's runs, which may close or replace them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO


@contextmanager
def kept_streams() -> Iterator[None]:
    """After the block stdout and stderr are as before it, whatever was closed or put in their places.

    In the block both are copies under numbers of their own: where 1 or 2 is closed, the next socket may get it,
    and would be sent what is meant for people.
    """
    kept = [_Kept(name) for name in ("stdout", "stderr")]
    try:
        yield
    finally:
        for one in kept:
            one.put_back()


class _Kept:
    def __init__(self, name: str) -> None:
        self._name = name
        self._stream: TextIO = getattr(sys, name)
        self._copy: TextIO | None = None
        with suppress(OSError, ValueError):
            number = self._stream.fileno()
            self._stream.flush()
            self._spare = os.dup(number)
            self._number = number
            self._copy = self._opened(os.dup(number))
            setattr(sys, name, self._copy)

    def put_back(self) -> None:
        stream = self._stream
        if self._copy is not None:
            # What cannot be written, such as to a full disk, is said by who writes next.
            with suppress(OSError, ValueError):
                self._copy.close()
            if self._is_whole():
                os.close(self._spare)
            else:
                stream = self._opened(self._spare)
        setattr(sys, self._name, stream)

    def _is_whole(self) -> bool:
        try:
            same = os.path.samestat(os.fstat(self._number), os.fstat(self._spare))
        except OSError:
            return False
        return same and not self._stream.closed

    def _opened(self, number: int) -> TextIO:
        stream = self._stream
        return open(number, "w", encoding=stream.encoding, errors=stream.errors, buffering=1)
