"""What names a journal: the path of a file, or the address of one in PostgreSQL."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from ..errors import InvalidRequestError
from ..problems import Problem, ProblemCode

DEFAULT_NAME = "picoworkers"

_SCHEMES = ("postgresql://", "postgres://")
_LIKE_AN_ADDRESS = re.compile(r"\s*postgres(ql)?(\+\w+)?:", re.IGNORECASE)
_NO_FILES = ("", ":memory:")
_NAME = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,62}", re.ASCII)
_HIDDEN = "(hidden)"
_NOT_INSTALLED = "a journal in PostgreSQL needs psycopg; install `picoworkers-async[postgres]`"
_URL = "postgresql://user@host/database, as libpq takes it, and ?journal=name where there are several"
_NAME_LIMIT = "a name of small letters, digits and _, at most 63, that does not begin with a digit or pg_"


class JournalUrl:
    """The address of a journal in PostgreSQL. Its text is without the password, and without libpq's settings.

    `name` is the journal's, and its schema's in the database. Raises `InvalidRequestError` for what is no such
    address, and `ImportError` without psycopg.
    """

    def __init__(self, url: str) -> None:
        problems = _url_problems("path", url)
        if problems:
            raise InvalidRequestError("Journal", problems, sends=False)
        given, name = _parted(url)
        self.name: str = name
        self._settings: dict[str, Any] = dict(_settings(given))
        self._shown = _shown(self._settings, name)

    def __str__(self) -> str:
        return self._shown

    def __repr__(self) -> str:
        return f"JournalUrl({self._shown!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JournalUrl) and (self.name, self._settings) == (other.name, other._settings)

    def __hash__(self) -> int:
        return hash(self._shown)

    def settings(self) -> dict[str, Any]:
        """What libpq is given, the password too."""
        return dict(self._settings)

    def hide(self, text: str) -> str:
        """A text of the server or of libpq, without the password."""
        password = self._settings.get("password")
        # As a word alone: inside of others a short one would be told by what is missing.
        return re.sub(rf"(?<!\w){re.escape(str(password))}(?!\w)", _HIDDEN, text) if password else text


Place = Path | JournalUrl


def is_url(path: object) -> bool:
    """Whether this is meant as an address of a journal in PostgreSQL."""
    return isinstance(path, str) and path.lower().startswith(_SCHEMES)


def place_of(path: str | os.PathLike[str]) -> Place:
    """The journal that is meant. Raises as `JournalUrl`."""
    return JournalUrl(path) if isinstance(path, str) and is_url(path) else Path(path)


def journal_problems(field: str, path: object) -> list[Problem]:
    """What keeps this from naming a journal. Raises `ImportError` for an address, without psycopg."""
    if isinstance(path, str) and is_url(path):
        return _url_problems(field, path)
    return file_problems(field, path)


def file_problems(field: str, path: object) -> list[Problem]:
    """What keeps this from being the path of a journal's file."""
    if not isinstance(path, str | os.PathLike):
        return [Problem(field, path, "the path of a file, or a Journal", ProblemCode.TYPE)]
    if path in _NO_FILES:
        limit = "the path of a file; leave journal= out for a batch that remembers nothing"
        return [Problem(field, path, limit, ProblemCode.FORMAT)]
    # An address of another form, or made into a path, may hold a password all the same.
    if any(map(_LIKE_AN_ADDRESS.match, Path(path).parts)):
        limit = (
            "the path of a file; an address in PostgreSQL is a str that begins with postgresql://, for a "
            "program's rate, review or Journal, and for `picoworkers journal`"
        )
        return [Problem(field, f"postgresql:{_HIDDEN}", limit, ProblemCode.FORMAT)]
    return []


def _url_problems(field: str, url: str) -> list[Problem]:
    try:
        import psycopg
    except ImportError:
        raise ImportError(_NOT_INSTALLED) from None
    # The address may hold a password, in any of its parts.
    shown = f"{url.partition('://')[0]}://{_HIDDEN}"
    given, name = _parted(url)
    problems = []
    if not _NAME.fullmatch(name) or name in ("public", "information_schema"):
        problems.append(Problem(f"{field}?journal", name, _NAME_LIMIT, ProblemCode.FORMAT))
    try:
        # Some take a whole address for the name of a database, with a password that would be shown.
        database = str(_settings(given).get("dbname"))
        is_one = "://" not in database and "=" not in database
    except (psycopg.Error, ValueError):
        is_one = False
    if not is_one:
        problems.append(Problem(field, shown, _URL, ProblemCode.FORMAT))
    return problems


def _settings(url: str) -> Mapping[str, Any]:
    from psycopg.conninfo import conninfo_to_dict

    return conninfo_to_dict(url)


def _parted(url: str) -> tuple[str, str]:
    """The address for libpq, and the name of the journal."""
    address, mark, query = url.partition("?")
    ours = [one for one in query.split("&") if one.startswith("journal=")]
    others = [one for one in query.split("&") if one not in ours]
    name = unquote(ours[-1].removeprefix("journal=")) if ours else DEFAULT_NAME
    return address + (mark + "&".join(others) if any(others) else ""), name


def _shown(settings: Mapping[str, Any], name: str) -> str:
    user, host, port, database = (settings.get(key) for key in ("user", "host", "port", "dbname"))
    server = f"{quote(str(user), safe='')}@" if user else ""
    server += str(host) if host and not str(host).startswith("/") else quote(str(host or ""), safe="")
    server += f":{port}" if port else ""
    return f"postgresql://{server}/{database or ''}?journal={name}"
