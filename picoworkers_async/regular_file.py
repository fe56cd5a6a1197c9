"""Opening a file that somebody named: a pipe or a device, which may never end or never begin, is refused."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_regular(path: Path) -> BinaryIO:
    """The file, open to be read. Raises `OSError` for what cannot be opened, and for what is no regular file."""
    file = open(path, "rb", opener=_at_once)  # noqa: SIM115
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return file


def _at_once(name: str, flags: int) -> int:
    """Without waiting for whoever would write into a pipe."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))
