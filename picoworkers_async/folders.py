"""Who else may write in a folder. SQLite believes files beside its own, so whoever can put them there rules it.

A rollback journal beside a database may have SQLite delete any file of the user who opens that database.
"""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path
from typing import NamedTuple

logger: logging.Logger = logging.getLogger("picoworkers_async")

_warned_of: set[tuple[str, Path]] = set()


class Exposure(NamedTuple):
    """Others may write in the folder, or rename it: `why`, and whether everybody may (`by_all`)."""

    folder: Path
    mode: str
    why: str
    by_all: bool
    is_mine: bool


def exposure(folder: Path) -> Exposure | None:
    """Who besides root and this user may put files in this folder, or replace it; None for nobody.

    The folder must be root's or the user's, and others must not be able to write to it. The same holds for every
    folder above it, unless it has the sticky bit, as /tmp has, so that nobody can rename what is another's. A
    group may write only if it is the user's own: of the user's name, with nobody else in it. Always None on
    Windows, which has no such modes. Raises `OSError` for a folder that cannot be checked.
    """
    if os.name != "posix":
        return None
    real = Path(os.path.realpath(folder))
    for above in (real, *real.parents):
        found = os.stat(above)
        why = why_exposed(found, os.geteuid(), is_above=above != real)
        if why is not None:
            mode, by_all = stat.filemode(found.st_mode), bool(found.st_mode & stat.S_IWOTH)
            return Exposure(above, mode, why, by_all, found.st_uid == os.geteuid())
    return None


def warn_of_exposure(what: str, path: Path) -> None:
    """Warn once that everybody may write in the folder of an SQLite file, such as a "journal".

    Raises `OSError` for a folder that cannot be checked.
    """
    found = exposure(path.parent)
    if found is not None and found.by_all and (what, path.parent) not in _warned_of:
        _warned_of.add((what, path.parent))
        line = "%s %s: anybody may write in the folder %s (%s), and so delete this user's files"
        logger.warning(line, what, path, found.folder, found.mode)


def why_exposed(found: os.stat_result, user: int, *, is_above: bool = False) -> str | None:
    """Why others may change a file or folder, or (`is_above`) rename what is in it; None if they may not."""
    if is_above and found.st_mode & stat.S_ISVTX:
        return None
    if found.st_mode & stat.S_IWOTH:
        return "anybody may write in it" if stat.S_ISDIR(found.st_mode) else "anybody may write it"
    if not is_above and found.st_uid not in (0, user):
        return f"it belongs to another user ({found.st_uid})"
    if found.st_mode & stat.S_IWGRP and not _is_own_group(found.st_gid, user):
        return f"its group ({found.st_gid}) may write " + ("in it" if stat.S_ISDIR(found.st_mode) else "it")
    return None


def _is_own_group(group: int, user: int) -> bool:
    """Whether it is the user's private group, as many distributions create for each user."""
    import grp
    import pwd

    try:
        me, mine = pwd.getpwuid(user), grp.getgrgid(group)
    except KeyError:
        return False
    return group == me.pw_gid and mine.gr_name == me.pw_name and set(mine.gr_mem) <= {me.pw_name}
