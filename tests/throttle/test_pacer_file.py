"""Where the file of a pacer is that nobody named: who shares it, and that no stranger can put one there."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from picoworkers_async import PacerError, SqlitePacer, Throttle
from picoworkers_async.throttle import pacer_file

ROOT = Path(__file__).parents[2]
GROUP, FIRST, SECOND, STRANGER = 54001, 54011, 54012, 54013
pytestmark = pytest.mark.skipif(os.name != "posix", reason="owners and modes")
only_root = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="becomes other users")


@pytest.fixture(autouse=True)
def nobodys_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No machine's folder yet, and an own one that is empty."""
    monkeypatch.delenv(pacer_file.FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(pacer_file, "MACHINE_FOLDER", tmp_path / "machine")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "own"))
    monkeypatch.setenv("HOME", str(tmp_path / "own"))


def take() -> SqlitePacer:
    """A pacer of the default file that has taken a slot."""
    pacer = SqlitePacer()
    pacer.bind("account")
    anyio.run(Throttle(4, 1.0, pacer=pacer).acquire)
    return pacer


def test_without_a_folder_of_the_machine_the_file_is_the_users_own(tmp_path: Path) -> None:
    take()
    (found,) = tmp_path.rglob("*.db")
    assert found.is_relative_to(tmp_path / "own")
    assert stat.S_IMODE(found.stat().st_mode) == 0o600


def test_the_folder_of_the_machine_is_used_where_an_administrator_made_it(tmp_path: Path) -> None:
    (tmp_path / "machine").mkdir(mode=0o700)
    assert str(tmp_path / "machine" / "pace-account.db") in repr(take())


def test_a_folder_of_the_machine_that_cannot_be_used_is_told_and_the_users_own_is_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "machine").mkdir()
    (tmp_path / "machine").chmod(0o1777)
    assert str(tmp_path / "own") in repr(take())
    (record,) = caplog.records
    assert "not shared with the other users" in record.message
    assert "anybody may write in it" in record.message


def test_the_folder_that_the_environment_names_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("machine", "named"):
        (tmp_path / name).mkdir(mode=0o700)
    monkeypatch.setenv(pacer_file.FOLDER_VARIABLE, str(tmp_path / "named"))
    assert str(tmp_path / "named" / "pace-account.db") in repr(take())


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("relative", "no absolute path"),
        ("{}/nowhere", "No such file"),
        ("{}/file/below", "Not a directory"),
        ("{}/file", "no folder"),
        ("{}/open", "anybody may write in it"),
        ("/proc", "may not write|cannot be made|belongs to another"),
    ],
)
def test_a_named_folder_that_cannot_be_used_is_an_error_with_the_reason_and_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, reason: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o1777)
    named = folder.format(tmp_path)
    monkeypatch.setenv(pacer_file.FOLDER_VARIABLE, named)
    with pytest.raises(PacerError, match=reason) as caught:
        take()
    assert named in str(caught.value)
    assert f"SqlitePacer(path), or a folder for it in {pacer_file.FOLDER_VARIABLE}" in str(caught.value)
    assert not (tmp_path / "own").exists()


def test_an_own_folder_that_cannot_be_made_is_told_at_the_first_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    for name in ("XDG_STATE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "file" / "below"))
    SqlitePacer().bind("account")
    with pytest.raises(PacerError, match=r"below.*the folder cannot be made \(Not a directory\). Name a file"):
        take()


DIRECTORY = stat.S_IFDIR


@pytest.mark.parametrize(
    ("mode", "owner", "user", "problem"),
    [
        (DIRECTORY | 0o700, 1000, 1000, None),
        (DIRECTORY | 0o2770, 0, 1000, None),
        (DIRECTORY | 0o2770, 1000, 1000, None),
        (DIRECTORY | 0o755, 0, 0, None),
        (DIRECTORY | 0o1777, 0, 1000, "anybody may write"),
        (DIRECTORY | 0o2770, 1001, 1000, "belongs to another user"),
        (DIRECTORY | 0o755, 1000, 0, "belongs to another user"),
        (DIRECTORY | 0o2770, 0, 0, "root takes no file"),
        (DIRECTORY | 0o770, 0, 1000, "chmod g+s"),
        (stat.S_IFREG | 0o600, 0, 0, "no folder"),
    ],
)
def test_what_makes_a_folder_safe_to_share(mode: int, owner: int, user: int, problem: str | None) -> None:
    found = pacer_file.folder_problem(mode, owner, user)
    assert found is None if problem is None else problem in (found or "")


def victim(tmp_path: Path) -> Path:
    """Somebody's database, which an attacker would have us write to."""
    path = tmp_path / "victim.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE theirs (a)")
    return path


@pytest.mark.parametrize("target", ["victim.db", "not-there", "folder"])
def test_a_link_in_the_place_of_the_file_is_refused_and_what_it_leads_to_stays_as_it_is(
    tmp_path: Path, target: str
) -> None:
    before = victim(tmp_path).read_bytes()
    (tmp_path / "folder").mkdir()
    (tmp_path / "machine").mkdir(mode=0o700)
    (tmp_path / "machine" / "pace-account.db").symlink_to(tmp_path / target)
    with pytest.raises(PacerError, match="it is a link"):
        take()
    assert (tmp_path / "victim.db").read_bytes() == before
    assert not (tmp_path / "not-there").exists()
    assert list((tmp_path / "folder").iterdir()) == []


def test_a_link_that_takes_the_place_of_the_file_while_it_is_opened_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = victim(tmp_path).read_bytes()
    (tmp_path / "machine").mkdir(mode=0o700)
    path, whole = tmp_path / "machine" / "pace-account.db", pacer_file._connected

    def attacked(name: str, *, uri: bool = False) -> sqlite3.Connection:
        path.unlink()
        path.symlink_to(tmp_path / "victim.db")
        database = whole(name, uri=uri)
        path.unlink()
        path.touch()
        return database

    monkeypatch.setattr(pacer_file, "_connected", attacked)
    with pytest.raises(PacerError, match="it is a link"):
        take()
    assert (tmp_path / "victim.db").read_bytes() == before


def test_a_file_that_is_deleted_while_it_is_opened_is_lost_not_fatal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pacer_file._connected

    def disturbed(name: str, *, uri: bool = False) -> sqlite3.Connection:
        next(tmp_path.rglob("*.db")).unlink()
        return whole(name, uri=uri)

    monkeypatch.setattr(pacer_file, "_connected", disturbed)
    take()


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A folder of root's for the users of a group, where each of them gets to."""
    above = Path(tempfile.mkdtemp(prefix="pacer-users-"))
    above.chmod(0o755)
    folder = above / "shared"
    folder.mkdir()
    os.chown(folder, 0, GROUP)
    folder.chmod(0o2770)
    yield folder
    shutil.rmtree(above)


def as_user(user: int, groups: list[int], folder: Path, home: Path) -> tuple[dict, str]:
    """What a program of this user printed, and what it logged."""
    program = [
        sys.executable,
        "-m",
        "tests.support.pacer_user",
        str(user),
        ",".join(map(str, groups)),
        str(folder),
    ]
    places = {"HOME": str(home), "XDG_STATE_HOME": str(home), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        program, cwd=ROOT, env={**os.environ, **places}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


@only_root
def test_users_of_the_folders_group_share_one_file_and_another_user_has_its_own(shared_folder: Path) -> None:
    home = shared_folder.parent / "home"
    home.mkdir()
    os.chown(home, STRANGER, STRANGER)
    one, _ = as_user(FIRST, [GROUP], shared_folder, home)
    other, _ = as_user(SECOND, [GROUP], shared_folder, home)
    assert other["pacer"] == one["pacer"] == f"SqlitePacer({str(shared_folder / 'pace-account.db')!r})"
    assert other["sharers"] == 2
    assert other["slot"] - one["slot"] >= 100.0
    stranger, logged = as_user(STRANGER, [STRANGER], shared_folder, home)
    assert str(home) in stranger["pacer"]
    assert stranger["sharers"] == 1
    assert f"{shared_folder} cannot be used: this user may not write in it" in logged


@only_root
def test_a_file_that_another_user_made_for_itself_is_an_error_that_says_whose_it_is(shared_folder: Path) -> None:
    path = shared_folder / "pace-account.db"
    path.touch()
    os.chown(path, FIRST, FIRST)
    path.chmod(0o600)
    got, _ = as_user(SECOND, [GROUP], shared_folder, shared_folder.parent)
    assert f"it belongs to user {FIRST}, -rw-------" in got["error"]
    assert str(path) in got["error"]


@pytest.mark.parametrize("used_before", ["used", "unused"])
def test_a_pacer_that_was_made_before_a_fork_is_two_clients_of_one_file(tmp_path: Path, used_before: str) -> None:
    program = [sys.executable, "-m", "tests.support.forked_pacer", str(tmp_path / "pace.db"), used_before]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)
    slots = sorted(slot for slot, _, _ in got["parent"] + got["child"])
    assert min(later - earlier for earlier, later in itertools.pairwise(slots)) >= 10.0
    assert [sharers for _, sharers, _ in got["parent"][-2:]] == [2, 2]
