"""Where the user id and the API secret come from: the environment, the user's own file, or the keyring."""

from __future__ import annotations

import json
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from ..whole_file import whole_file
from .exits import CommandError, CredentialsError

_MOST_BYTES = 8 * 1024
"""A login is some hundred bytes. The parser takes seconds over one long name."""

_OTHERS = 0o077
_SERVICE, _ENTRY = "picoworkers-async", "credentials"
_VARIABLES = ("PICOWORKERS_USER_ID", "PICOWORKERS_API_SECRET")
NO_KEYRING = 'the keyring needs its extra: pip install "picoworkers-async[keyring]"'


@attrs.frozen
class Login:
    """A user id and its API secret, their source, and the service that they name."""

    user_id: str
    api_secret: str = attrs.field(repr=False)
    source: str
    edition: str | None = None
    base_url: str | None = None


def default_path() -> Path:
    """The file in the user's configuration folder."""
    from platformdirs import user_config_path

    return user_config_path("picoworkers_async") / "credentials.toml"


def find_login(file: Path | None, environ: Mapping[str, str]) -> Login:
    """The login of `file` if one is named; else of the environment, the default file, or the keyring.

    Raises `CredentialsError` if there is none, and for a file that others could read.
    """
    if file is not None:
        return read_file(file)
    if any(environ.get(name) for name in _VARIABLES):
        return _from_environment(environ)
    path = default_path()
    if os.path.exists(path):
        return read_file(path)
    login = _from_keyring()
    if login is None:
        remedy = f"set {' and '.join(_VARIABLES)}, or store them by `picoworkers login` (in {path})"
        raise CredentialsError("no credentials", f"{remedy}; --sandbox needs none")
    return login


def _from_environment(environ: Mapping[str, str]) -> Login:
    missing = [name for name in _VARIABLES if not environ.get(name)]
    if missing:
        raise CredentialsError("only half of the credentials are in the environment", f"set {missing[0]}, too")
    return Login(environ[_VARIABLES[0]], environ[_VARIABLES[1]], "the environment")


def read_file(path: Path) -> Login:
    """The login in this file, which must be the user's own, and readable by nobody else."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as opened:
            status = os.fstat(opened.fileno())
            # What was opened is what is judged: the name may lead elsewhere a moment later.
            problem = _file_problem(path, status, getattr(os, "getuid", lambda: None)())
            raw = b"" if problem else opened.read(_MOST_BYTES + 1)
    except OSError as error:
        what = f"{path} cannot be read ({error.strerror or error})"
        raise CredentialsError(what, "name another file, or picoworkers login") from None
    if problem:
        raise CredentialsError(*problem)
    if len(raw) > _MOST_BYTES:
        most = f"name one of at most {_MOST_BYTES // 1024} KiB, or picoworkers login"
        raise CredentialsError(f"{path} is too large for a file of credentials", most)
    return _login_in(raw, path)


def _file_problem(path: Path, status: os.stat_result, user: int | None) -> tuple[str, str] | None:
    """What keeps a file from holding secrets, with what to do; `user` is None where files have no owners."""
    if not stat.S_ISREG(status.st_mode):
        return f"{path} is not a file", "name another one"
    if user is None:
        return None
    if status.st_uid not in (user, 0):
        return f"{path} belongs to somebody else", f"sudo chown {user} {path}"
    if status.st_mode & _OTHERS:
        return f"{path} can be read or written by others", f"chmod 600 {path}"
    return None


def _login_in(raw: bytes, path: Path) -> Login:
    try:
        fields = tomllib.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        # Only the place: the words around it might quote the secret.
        place = re.search(r"line \d+, column \d+", str(error))
        what = f"{path} is not valid TOML in UTF-8{f' ({place[0]})' if place else ''}"
        raise CredentialsError(what, "correct it, or picoworkers login") from None
    return _login_of(fields, str(path))


def _login_of(fields: Mapping[str, Any], source: str) -> Login:
    names = ("user_id", "api_secret", "edition", "base_url")
    values = [fields.get(name) for name in names]
    if not all(isinstance(value, str) for value in values[:2]) or not all(
        isinstance(value, str | None) for value in values[2:]
    ):
        remedy = 'user_id = "..." and api_secret = "..." must be in it, all values in quotes'
        raise CredentialsError(f"{source} cannot be understood", remedy)
    user_id, api_secret, edition, base_url = values
    return Login(str(user_id), str(api_secret), source, edition, base_url)


def _from_keyring() -> Login | None:
    """What the system's keyring has; None for nothing, and where there is no keyring."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return None
    try:
        kept = keyring.get_password(_SERVICE, _ENTRY)
    except KeyringError:
        return None
    except Exception as error:
        # A backend may raise anything, and quote anything.
        what = f"the system's keyring cannot be used ({type(error).__name__})"
        raise CredentialsError(what, "use the environment, or a file by `picoworkers login`") from None
    try:
        fields = None if kept is None else json.loads(kept)
    except (ValueError, TypeError, RecursionError):
        fields = {}
    return None if fields is None else _login_of(fields if isinstance(fields, dict) else {}, "the keyring")


def store_in_keyring(login: Login) -> None:
    """Keep a login in the system's keyring. Raises `CommandError` where there is none."""
    try:
        import keyring
    except ImportError:
        raise CommandError(NO_KEYRING) from None
    try:
        keyring.set_password(_SERVICE, _ENTRY, json.dumps(_fields_of(login)))
    except Exception:
        # Its words are left out: they may quote what was to be kept.
        raise CommandError("the system's keyring cannot be used: store the credentials in a file") from None


def store_in_file(login: Login, path: Path) -> None:
    """Store a login in this file, which only its owner can read from its first byte on."""
    text = "".join(f"{name} = {_toml_text(value)}\n" for name, value in _fields_of(login).items())
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with whole_file(path) as file:
            file.write(text.encode())
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror or error}") from None


def _fields_of(login: Login) -> dict[str, str]:
    fields = {
        "user_id": login.user_id,
        "api_secret": login.api_secret,
        "edition": login.edition,
        "base_url": login.base_url,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _toml_text(value: str) -> str:
    """A text in TOML, which differs from JSON in one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
