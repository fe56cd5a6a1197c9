"""Find the pacer file of an account, and make sure that nobody else can have put something in its place."""

from __future__ import annotations

import errno
import logging
import os
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from ..folders import exposure, why_exposed
from ..problems import Problem, ProblemCode
from .pacers import PacerError, PacerLost

if TYPE_CHECKING:
    import sqlite3

logger: logging.Logger = logging.getLogger("picoworkers_async")

FOLDER_VARIABLE = "PICOWORKERS_PACER_FOLDER"
# Of an administrator's making: nobody else may make a folder there, so its name alone can be trusted.
MACHINE_FOLDER = Path("/var/lib/picoworkers_async")
_REMEDY = (
    f"Name a file that this user may write, SqlitePacer(path), or a folder for it in {FOLDER_VARIABLE}; "
    "several users of a machine share a RedisPacer on loopback"
)
BUSY_SECONDS = 1.0
# Too many open files, a full disk, a network that is away: what was wrong may be over when it is tried again.
_PASSING = ("EMFILE", "ENFILE", "ENOMEM", "ENOSPC", "EDQUOT", "EIO", "EINTR", "EAGAIN", "ESTALE", "ETIMEDOUT")
_FOR_GOOD = (
    "SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_ERROR", "SQLITE_CONSTRAINT", "SQLITE_MISMATCH", "SQLITE_TOOBIG",
    "SQLITE_PERM", "SQLITE_AUTH",
)  # fmt: skip

# Closing any descriptor of a file drops the locks that SQLite has on it in this process. So a file that is being
# made is closed before anybody here opens it.
_opening = threading.Lock()


def unusable(what: object, why: str) -> PacerError:
    """The error for a file or folder that cannot be used, with what to do instead."""
    return PacerError(f"pacer {what}: {why}. {_REMEDY}")


def default_file(account: str) -> Path:
    """The file of an account if none was named.

    It is in the folder that `PICOWORKERS_PACER_FOLDER` names; else in the machine's, if an administrator made it
    for this user; else in the user's own. Raises `PacerError` for a folder that was named and cannot be used, or
    if none is left.
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
    """Open the file, or create it, for this user alone. Only one that was `named` may be reached by a link.

    Raises `PacerError` unless nobody else may write the file, SQLite's files beside it, and their folder.
    """
    import sqlite3  # only who uses a file of SQLite's pays for loading it

    real = Path(os.path.realpath(path)) if named else path.absolute()
    for folder in dict.fromkeys((path.parent, real.parent)):
        problem = _exposed(folder)
        if problem is not None:
            raise unusable(path, problem)
    with _opening:
        _make(real)
        try:
            for one in (str(real), journal_of(real)):
                problem = _problem_of_file(one)
                if problem is not None:
                    raise unusable(one, problem)
            # SQLite follows links while it looks for a file's real name, never when it opens what has that name.
            database = _connected(f"{real.as_uri()}?mode=rw")
        except (OSError, sqlite3.Error):
            if os.path.lexists(real):
                raise
            raise PacerLost(f"{path} was deleted just after it was made") from None
    try:
        (found,) = database.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()
        if os.path.basename(found) != real.name or not os.path.samefile(os.path.dirname(found), real.parent):
            raise unusable(path, "it is a link")
    except BaseException:
        database.close()
        raise
    return database


def journal_of(path: Path) -> str:
    """The rollback journal that SQLite keeps beside a file."""
    return f"{path}-journal"


def check_journal(path: Path) -> None:
    """Raises `PacerError` if SQLite would wait for ever for a FIFO in the place of its journal."""
    try:
        found = os.lstat(journal_of(path))
    except FileNotFoundError:
        return
    if not stat.S_ISREG(found.st_mode):
        raise unusable(journal_of(path), _NO_FILE)


def error_of(path: Path, error: sqlite3.Error) -> PacerError | PacerLost:
    """`PacerError` for what lasts until somebody repairs it, `PacerLost` for what may pass by itself."""
    name = getattr(error, "sqlite_errorname", "")
    may_pass = name.startswith("SQLITE_CANTOPEN") and path.parent.is_dir() and _may_write(path.parent)
    if may_pass and not path.is_dir() and (not path.exists() or _may_write(path)):
        return PacerLost(str(error))
    unless_mended = (*_FOR_GOOD, "SQLITE_READONLY", "SQLITE_CANTOPEN")
    if name == "SQLITE_READONLY_DBMOVED" or not name.startswith(unless_mended):
        return PacerLost(str(error))
    return unusable(path, why_unusable(path, error))


def system_error(path: Path, error: OSError, tried: str = "used") -> PacerError | PacerLost:
    """The same for an error of the system, when it was `tried` to use or create the file."""
    why = f"it cannot be {tried} ({error.strerror})"
    if errno.errorcode.get(error.errno or 0) in _PASSING:
        return PacerLost(f"{path}: {why}")
    return unusable(path, why)


def why_unusable(path: Path, error: sqlite3.Error) -> str:
    """What is wrong with a file that SQLite cannot use, as far as can be seen."""
    if error.sqlite_errorname.startswith(_FOR_GOOD):
        return f"it is not a pacer's database, or it is damaged ({error})"
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


_NO_FILE = "it is a link, a folder, or something else that is not a file"


def path_problems(path: object) -> list[Problem]:
    """What keeps this from being the path of a pacer's file."""
    try:
        text = os.fspath(path)  # type: ignore[call-overload]
    except TypeError:
        text = None
    if not isinstance(text, str):
        return [Problem("path", path, "the path of a file", ProblemCode.TYPE)]
    if "\0" in text:
        return [Problem("path", path, "the path of a file, without NUL characters", ProblemCode.FORMAT)]
    return []


def _connected(uri: str) -> sqlite3.Connection:
    import sqlite3  # only who uses a file of SQLite's pays for loading it

    return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def _make(path: Path) -> None:
    # What is there is left as it is, a link that leads nowhere too.
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
    except FileExistsError:
        return
    except OSError as error:
        raise system_error(path, error, "made") from None
    os.close(descriptor)


def _problem_of_file(path: str) -> str | None:
    """Why this file, or what is in its place, is not safe to open; None if it is, or does not exist."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return _NO_FILE
    problem = why_exposed(found, os.geteuid()) if os.name == "posix" else None
    return None if problem is None else f"{problem}, {stat.filemode(found.st_mode)}: chmod go-w"


def _exposed(folder: Path) -> str | None:
    """Why not only this user may write in a folder; None if only this user may."""
    try:
        found = exposure(folder)
    except FileNotFoundError:
        return f"there is no folder {folder}"
    if found is None:
        return None
    remedy = f": chmod go-w {found.folder}" if found.is_mine else ""
    return f"{found.why}, the folder {found.folder}, {found.mode}, so others control what is in it{remedy}"


def _machine_folder() -> Path | None:
    if os.name != "posix" or not os.path.lexists(MACHINE_FOLDER):
        return None
    problem = _problem_of(MACHINE_FOLDER)
    if problem is None:
        return MACHINE_FOLDER
    what = "the pace is not shared with programs that use the folder of the machine: %s cannot be used: %s"
    logger.warning(what, MACHINE_FOLDER, problem)
    return None


def _own_folder() -> Path:
    from platformdirs import user_state_path

    folder = user_state_path("picoworkers_async").absolute()
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(folder, f"the folder cannot be made ({error.strerror})") from None
    return folder


def _problem_of(folder: Path) -> str | None:
    if not folder.is_absolute():
        return "it is not an absolute path"
    try:
        if not stat.S_ISDIR(os.stat(folder).st_mode):
            return "it is not a folder"
        problem = _exposed(folder)
    except OSError as error:
        return error.strerror or str(error)
    if problem is None and not _may_write(folder):
        return "this user may not write in it"
    return problem


def _may_write(path: Path) -> bool:
    effective = os.access in os.supports_effective_ids
    return os.access(path, os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0), effective_ids=effective)


def _forget_in_child() -> None:
    """A thread that was opening a file during a fork does not exist in the child."""
    global _opening
    _opening = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
