"""Where the pacer file of an account is, who shares it, and that no stranger put it there."""

from __future__ import annotations

import logging
import os
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from .pacers import PacerError, PacerLost

if TYPE_CHECKING:
    import sqlite3

logger: logging.Logger = logging.getLogger("picoworkers_async")

FOLDER_VARIABLE = "PICOWORKERS_PACER_FOLDER"
# Of an administrator's making: nobody else may make a folder there, so its name alone can be trusted.
MACHINE_FOLDER = Path("/var/lib/picoworkers_async")
_REMEDY = f"Name a file that this user may write, SqlitePacer(path), or a folder for it in {FOLDER_VARIABLE}"

# Closing any descriptor of a file drops the locks that SQLite has on it in this process. So a file that is being
# made is closed before anybody here opens it.
_opening = threading.Lock()


def unusable(what: object, why: str) -> PacerError:
    """The error for a file or folder that cannot be used, and what to do instead."""
    return PacerError(f"pacer {what}: {why}. {_REMEDY}")


def default_file(account: str) -> Path:
    """The file of an account where none was named.

    It is in the folder that `PICOWORKERS_PACER_FOLDER` names; else in that of the machine, if an administrator
    made it and this user may write there; else in the user's own. Raises `PacerError` for a folder that was named
    and cannot be used, or where none is left.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        problem = _problem_of(Path(named))
        if problem is not None:
            raise unusable(f"{FOLDER_VARIABLE}={named}", problem)
        return Path(named) / f"pace-{account}.db"
    folder = _machine_folder()
    return (_own_folder() if folder is None else folder) / f"pace-{account}.db"


def connect(path: Path, *, named: bool) -> sqlite3.Connection:
    """Open the file, or make it. One that nobody `named` is never reached by a link: another user may have put it.

    In a folder that a group may write, what is made is the group's to write too; elsewhere the user's alone.
    """
    import sqlite3  # only who uses a file of SQLite's pays for loading it

    if named:
        with _opening:
            return _connected(str(path))
    with _opening:
        _make(path)
        try:
            if not stat.S_ISREG(os.lstat(path).st_mode):
                raise unusable(path, "it is a link, a folder, or something else that is no file")
            # SQLite follows links while it looks for a file's real name, never when it opens what has that name.
            database = _connected(f"{path.as_uri()}?mode=rw", uri=True)
        except (OSError, sqlite3.Error):
            if os.path.lexists(path):
                raise
            raise PacerLost(f"{path} was deleted just after it was made") from None
    try:
        (found,) = database.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()
        if os.path.basename(found) != path.name or not os.path.samefile(os.path.dirname(found), path.parent):
            raise unusable(path, "it is a link")
    except BaseException:
        database.close()
        raise
    return database


def why_unusable(path: Path, error: sqlite3.Error) -> str:
    """What is wrong with a file that SQLite cannot use, as far as a look at it tells."""
    if error.sqlite_errorname.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_ERROR")):
        return f"it is something else than a pacer's database, or damaged ({error})"
    folder = path.parent
    if not folder.is_dir():
        return f"there is no folder {folder}"
    try:
        found = os.stat(path)
    except OSError:
        return f"it cannot be made ({error if _may_write(folder) else f'this user may not write in {folder}'})"
    if stat.S_ISDIR(found.st_mode):
        return "it is a folder"
    if not _may_write(path):
        return f"this user may not write it: it belongs to user {found.st_uid}, {stat.filemode(found.st_mode)}"
    if not _may_write(folder):
        return f"this user may not write in {folder}, where SQLite keeps a second file beside it"
    return f"it cannot be written ({error})"


def folder_problem(mode: int, owner: int, user: int) -> str | None:
    """Why a folder is not safe to keep a file in that several users write; None if it is."""
    if not stat.S_ISDIR(mode):
        return "it is no folder"
    if mode & stat.S_IWOTH:
        return "anybody may write in it, so a file there may be a stranger's"
    if owner not in (0, user):
        return f"it belongs to another user ({owner})"
    if mode & stat.S_IWGRP and user == 0:
        return "its group may write in it, and root takes no file from others: run this as a user of the group"
    if mode & stat.S_IWGRP and not mode & stat.S_ISGID:
        return "its group may write in it, and what is made in it would not be the group's: chmod g+s"
    return None


def _connected(name: str, *, uri: bool = False) -> sqlite3.Connection:
    import sqlite3  # only who uses a file of SQLite's pays for loading it

    return sqlite3.connect(name, timeout=1.0, isolation_level=None, check_same_thread=False, uri=uri)


def _make(path: Path) -> None:
    # What is there is left as it is, a link that leads nowhere too.
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
    except FileExistsError:
        return
    except OSError as error:
        raise unusable(path, f"it cannot be made ({error.strerror})") from None
    try:
        if os.name == "posix" and os.stat(path.parent).st_mode & stat.S_IWGRP:
            os.fchmod(descriptor, 0o660)
    finally:
        os.close(descriptor)


def _machine_folder() -> Path | None:
    if os.name != "posix" or not os.path.lexists(MACHINE_FOLDER):
        return None
    problem = _problem_of(MACHINE_FOLDER)
    if problem is None:
        return MACHINE_FOLDER
    what = "the pace is not shared with the other users of this machine: %s cannot be used: %s"
    logger.warning(what, MACHINE_FOLDER, problem)
    return None


def _own_folder() -> Path:
    from platformdirs import user_state_path

    folder = user_state_path("picoworkers_async").absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(folder, f"the folder cannot be made ({error.strerror})") from None
    return folder


def _problem_of(folder: Path) -> str | None:
    if not folder.is_absolute():
        return "it is no absolute path"
    try:
        found = os.stat(folder)
    except OSError as error:
        return error.strerror or str(error)
    # Windows has neither owners nor modes to look at.
    problem = folder_problem(found.st_mode, found.st_uid, os.geteuid()) if os.name == "posix" else None
    if problem is None and not _may_write(folder):
        return "this user may not write in it"
    return problem


def _may_write(path: Path) -> bool:
    effective = os.access in os.supports_effective_ids
    return os.access(path, os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0), effective_ids=effective)


def _forget_in_child() -> None:
    """Whoever was opening a file during a fork does not do so in the child."""
    global _opening
    _opening = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
