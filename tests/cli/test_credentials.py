"""Where the credentials come from, which goes first, and that the secret shows nowhere."""

from __future__ import annotations

import os
import stat
import sys
import types
from pathlib import Path

import pytest

from picoworkers_async.cli import asking, credentials, login
from picoworkers_async.cli.connection import find_target
from picoworkers_async.cli.credentials import Login, find_login, read_file, store_in_file, store_in_keyring
from picoworkers_async.cli.exits import CommandError
from picoworkers_async.cli.options import Options
from picoworkers_async.sandbox import Sandbox
from tests.cli.conftest import Run

SECRET = 's3cr3t-"quoted"\\-\x7f-ü'
ENVIRONMENT = {"PICOWORKERS_USER_ID": "env", "PICOWORKERS_API_SECRET": SECRET}

posix = pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")


def write(path: Path, text: str = 'user_id = "file"\napi_secret = "secret"\n', mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def with_keyring(monkeypatch: pytest.MonkeyPatch, *, works: bool = True) -> dict[tuple[str, str], str]:
    """A keyring in place of the system's; gives what it holds."""
    held: dict[tuple[str, str], str] = {}
    keyring, errors = types.ModuleType("keyring"), types.ModuleType("keyring.errors")

    class KeyringError(Exception):
        pass

    def set_password(service: str, name: str, password: str) -> None:
        if not works:
            raise KeyringError(password)
        held[service, name] = password

    def get_password(service: str, name: str) -> str | None:
        if not works:
            raise KeyringError("locked")
        return held.get((service, name))

    errors.KeyringError = KeyringError  # type: ignore[attr-defined]
    keyring.set_password, keyring.get_password = set_password, get_password  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    return held


def test_a_file_that_is_named_goes_before_the_environment_that_before_the_folder_that_before_the_keyring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = write(tmp_path / "named.toml", 'user_id = "named"\napi_secret = "s"\n')
    with_keyring(monkeypatch)
    credentials.store_in_keyring(Login("ring", "s", ""))
    assert find_login(None, {}).user_id == "ring"
    write(credentials.default_path())
    assert find_login(None, {}).user_id == "file"
    assert find_login(None, ENVIRONMENT).user_id == "env"
    assert find_login(named, ENVIRONMENT).user_id == "named"


@pytest.mark.parametrize(
    "held", [5, "[" * 100_000, OSError("the secret"), RuntimeError("the secret")], ids=["5", "deep", "os", "other"]
)
def test_a_keyring_that_does_not_work_is_said_without_its_words(
    run: Run, monkeypatch: pytest.MonkeyPatch, held: object
) -> None:
    with_keyring(monkeypatch)

    def get_password(service: str, name: str) -> object:
        if isinstance(held, Exception):
            raise held
        return held

    monkeypatch.setattr(sys.modules["keyring"], "get_password", get_password)
    ran = run("balance")
    assert ran.code == 2
    assert "keyring" in ran.err
    assert "the secret" not in ran.err


def test_a_keyring_that_fails_at_storing_is_said_without_its_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_keyring(monkeypatch)

    def set_password(service: str, name: str, password: str) -> None:
        raise OSError(password)

    monkeypatch.setattr(sys.modules["keyring"], "set_password", set_password)
    with pytest.raises(CommandError, match="keyring cannot be used") as caught:
        store_in_keyring(Login("user", "the secret", "a test"))
    assert "the secret" not in str(caught.value)


def test_a_file_that_is_nested_too_deeply_is_not_understood(tmp_path: Path) -> None:
    path = write(tmp_path / "c.toml", f'user_id = "a"\napi_secret = "b"\nx = {"[" * 7_000}')
    with pytest.raises(CommandError, match="not valid TOML"):
        find_login(path, {})


@pytest.mark.parametrize("missing", ENVIRONMENT)
def test_half_of_them_in_the_environment_is_a_mistake(missing: str) -> None:
    write(credentials.default_path())
    half = {name: value for name, value in ENVIRONMENT.items() if name != missing}
    with pytest.raises(CommandError, match=missing):
        find_login(None, half)


def test_without_any_the_ways_to_give_them_are_named(run: Run) -> None:
    ran = run("balance")
    assert (ran.code, ran.out) == (2, "")
    assert "PICOWORKERS_API_SECRET" in ran.err
    assert "picoworkers login" in ran.err


@posix
def test_a_file_that_is_too_large_for_a_login_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = write(tmp_path / "c.toml", f"{'a.' * 20_000}a = 1\n")
    with pytest.raises(CommandError, match="too large"):
        read_file(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o610, 0o644])
def test_a_file_that_others_can_read_or_write_is_refused_with_the_remedy(
    run: Run, tmp_path: Path, mode: int
) -> None:
    path = write(tmp_path / "c.toml", f"user_id = 'file'\napi_secret = '{'x' * 20}'\n", mode)
    ran = run("balance", "--credentials", str(path))
    assert (ran.code, ran.out) == (2, "")
    assert f"chmod 600 {path}" in ran.err
    assert "x" * 20 not in ran.err
    path.chmod(0o600)
    assert read_file(path).user_id == "file"


@posix
def test_a_file_of_somebody_else_is_refused_and_so_is_what_is_no_file(tmp_path: Path) -> None:
    def status(mode: int, owner: int) -> os.stat_result:
        return os.stat_result((mode, 0, 0, 1, owner, 0, 0, 0, 0, 0))

    path = tmp_path / "c.toml"
    assert "chown 1000" in str(credentials._file_problem(path, status(stat.S_IFREG | 0o600, 1001), 1000))
    assert credentials._file_problem(path, status(stat.S_IFREG | 0o600, 1000), 1000) is None
    assert credentials._file_problem(path, status(stat.S_IFREG | 0o400, 0), 1000) is None
    assert credentials._file_problem(path, status(stat.S_IFREG | 0o644, 1000), None) is None
    os.mkfifo(path, 0o600)
    with pytest.raises(CommandError, match="not a file"):
        read_file(path)


@pytest.mark.parametrize(
    "text",
    [
        'user_id = "a"\napi_secret = SECRETWORD',
        'user_id = "a"\napi_secret = "SECRETWORD',
        'user_id = "a"\nSECRETWORD',
        'user_id = "a"\n"SECRETWORD" = 1\n"SECRETWORD" = 2',
        'user_id = "a"\napi_secret = ["SECRETWORD"]',
        'user_id = 5\napi_secret = "SECRETWORD"',
        'user_id = "a"\napi_secret = "SECRETWORD"\nedition = 5',
        'user_id = "a"\napi-secret = "SECRETWORD"',
        "\xff",
    ],
)
def test_a_file_that_cannot_be_understood_is_named_and_nothing_in_it_is_shown(
    run: Run, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(text.encode("latin-1"))
    path.chmod(0o600)
    ran = run("balance", "--credentials", str(path))
    assert (ran.code, ran.out) == (2, "")
    assert str(path) in ran.err
    assert "SECRETWORD" not in ran.err
    assert "Traceback" not in ran.err


def test_a_file_that_is_not_there_is_said(run: Run, tmp_path: Path) -> None:
    assert "cannot be read" in run("balance", "--credentials", str(tmp_path / "no.toml")).err


@posix
@pytest.mark.parametrize("secret", [SECRET, "a'b", "\t\x01\U0001f600", "\\u0041"])
def test_what_is_stored_comes_back_and_is_its_owners_alone(tmp_path: Path, secret: str) -> None:
    path = tmp_path / "new" / "folder" / "c.toml"
    before = os.umask(0)
    try:
        store_in_file(Login("me", secret, "", "sproutgigs", "https://x.example/api/"), path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    kept = read_file(path)
    assert (kept.user_id, kept.api_secret, kept.edition) == ("me", secret, "sproutgigs")
    assert [entry.name for entry in path.parent.iterdir()] == ["c.toml"]
    assert secret not in repr(kept)


def test_an_option_goes_before_the_environment_and_that_before_the_file() -> None:
    write(
        credentials.default_path(),
        'user_id = "f"\napi_secret = "s"\nedition = "sproutgigs"\nbase_url = "https://f/"',
    )
    from_file = find_target(Options(), {})
    assert (from_file.edition.name, from_file.base_url) == ("sproutgigs", "https://f/")
    environ = {"PICOWORKERS_EDITION": "picoworkers", "PICOWORKERS_BASE_URL": "https://e/"}
    from_environment = find_target(Options(), environ)
    assert (from_environment.edition.name, from_environment.base_url) == ("picoworkers", "https://e/")
    by_option = find_target(Options(edition="sproutgigs", base_url="https://o/"), environ)
    assert (by_option.edition.name, by_option.base_url) == ("sproutgigs", "https://o/")


def test_a_sandbox_is_never_sent_the_credentials() -> None:
    write(credentials.default_path())
    for options in (Options(sandbox=True), Options(sandbox=True, base_url="http://127.0.0.1:1/api/")):
        target = find_target(options, {**ENVIRONMENT, "PICOWORKERS_BASE_URL": "https://e/"})
        assert target.login.user_id == "user_id"
        assert target.base_url == options.base_url


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is typed when login asks."""
    answers = ["user_id", "api_secret"]
    monkeypatch.setattr(login, "ask_login", lambda: tuple(answers))
    return answers


@pytest.mark.usefixtures("service")
def test_login_tries_the_credentials_and_stores_them(run: Run, typed: list[str]) -> None:
    ran = run("login", "--sandbox", "--edition", "picoworkers", "--json")
    assert ran.code == 0
    kept = find_login(None, {})
    assert [kept.user_id, kept.api_secret, kept.edition] == [*typed, "picoworkers"]
    assert ran.document == {"stored": str(credentials.default_path())}
    assert "api_secret" not in ran.err


@pytest.mark.usefixtures("service")
def test_login_stores_nothing_that_is_not_accepted(run: Run, typed: list[str]) -> None:
    typed[1] = "wrong-secret"
    ran = run("login", "--sandbox")
    assert ran.code == 2
    assert "not stored" in ran.err
    assert "wrong-secret" not in ran.err
    assert not credentials.default_path().exists()


@pytest.mark.usefixtures("service", "typed")
def test_login_asks_before_it_replaces_a_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(credentials.default_path())
    monkeypatch.setattr(asking, "is_at_terminal", lambda: True)
    monkeypatch.setattr("sys.stdin.readline", lambda: "n\n", raising=False)
    ran = run("login", "--sandbox")
    assert ran.code == 1
    assert f"Replace the credentials in {path}?" in ran.err
    assert read_file(path).user_id == "file"


@pytest.mark.usefixtures("service", "typed")
def test_login_keeps_them_in_the_keyring(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "[keyring]" in run("login", "--sandbox", "--keyring").err
    held = with_keyring(monkeypatch)
    assert run("login", "--sandbox", "--keyring").code == 0
    assert len(held) == 1
    assert find_login(None, {}).source == "the keyring"
    assert not credentials.default_path().exists()
    with_keyring(monkeypatch, works=False)
    ran = run("login", "--sandbox", "--keyring")
    assert ran.code == 2
    assert "api_secret" not in ran.err
    with pytest.raises(CommandError, match="no credentials"):
        find_login(None, {})


def test_login_needs_a_terminal(run: Run, service: Sandbox) -> None:
    ran = run("login", "--sandbox")
    assert ran.code == 2
    assert "needs a terminal" in ran.err
    assert service.requests == []
    assert not asking.is_at_terminal()
