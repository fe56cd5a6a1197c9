"""A file that appears whole or not at all: it is written beside its place, and moved there when it is complete."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(path: Path, *, overwrite: bool = True) -> Iterator[BinaryIO]:
    """Write the file in the block; at its end it is put in its place, readable for its owner only.

    Raises `OSError`, such as `FileExistsError` if a file has appeared there that must not be overwritten.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _put(name, path, overwrite=overwrite)
    finally:
        Path(name).unlink(missing_ok=True)


def _put(name: str, path: Path, *, overwrite: bool) -> None:
    if not overwrite:
        try:
            os.link(name, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            if path.exists():
                raise FileExistsError(f"{path} exists") from None
        else:
            return
    os.replace(name, path)
