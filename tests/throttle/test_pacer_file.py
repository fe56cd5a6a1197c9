"""Where the file of a pacer is, and that no stranger can put anything there."""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from picoworkers_async import PacerError, SqlitePacer, Throttle
from picoworkers_async.throttle import pacer_file
from picoworkers_async.throttle.pacers import PacerLost

ROOT = Path(__file__).parents[2]
GROUP = 54001
pytestmark = pytest.mark.skipif(os.name != "posix", reason="owners and modes")


@pytest.fixture(autouse=True)
def nobodys_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No machine's folder yet, and an own one that is empty."""
    monkeypatch.delenv(pacer_file.FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(pacer_file, "MACHINE_FOLDER", tmp_path / "machine")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "own"))
    monkeypatch.setenv("HOME", str(tmp_path / "own"))


def take(path: Path | None = None) -> SqlitePacer:
    """A pacer, of the default file if none is named, that has taken a slot."""
    pacer = SqlitePacer(path)
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
    assert "the pace is not shared" in record.message
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
        ("relative", "not an absolute path"),
        ("{}/nowhere", "No such file"),
        ("{}/file/below", "Not a directory"),
        ("{}/file", "not a folder"),
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


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o2770])
@pytest.mark.parametrize("where", ["by hand", "by a link"])
def test_a_file_in_a_folder_that_others_may_write_is_refused_with_the_remedy(
    tmp_path: Path, mode: int, where: str
) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    if mode == 0o2770 and os.geteuid() == 0:
        os.chown(folder, 0, GROUP)
    elif mode == 0o2770:
        pytest.skip("gives a folder away")
    folder.chmod(mode)
    path = folder / "pace.db"
    if where == "by a link":
        path = tmp_path / "link.db"
        path.symlink_to(folder / "pace.db")
    with pytest.raises(PacerError, match=r"may write in it.*chmod go-w .*RedisPacer") as caught:
        take(path)
    assert f"{folder}, {stat.filemode(folder.stat().st_mode)}" in str(caught.value)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["pace.db", "pace.db-journal"])
def test_a_file_that_others_may_write_is_refused_in_a_safe_folder_too(tmp_path: Path, name: str) -> None:
    """It may be left from a time when they shared the folder."""
    (tmp_path / name).touch()
    (tmp_path / name).chmod(0o666)
    with pytest.raises(PacerError, match=r"anybody may write it, -rw-rw-rw-: chmod go-w"):
        take(tmp_path / "pace.db")


def test_a_file_that_was_named_is_made_for_the_user_alone(tmp_path: Path) -> None:
    take(tmp_path / "pace.db")
    assert stat.S_IMODE((tmp_path / "pace.db").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "pace.db-journal").stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", ["fifo", "link", "folder"])
@pytest.mark.parametrize("is_open", [False, True])
def test_what_is_no_file_in_the_place_of_the_journal_is_an_error_at_once(
    tmp_path: Path, kind: str, is_open: bool
) -> None:
    path, journal = tmp_path / "pace.db", tmp_path / "pace.db-journal"
    pacer = SqlitePacer(path)
    if is_open:
        anyio.run(pacer.reserve, 1.0)
        journal.unlink()
    match kind:
        case "fifo":
            os.mkfifo(journal)
        case "link":
            journal.symlink_to(tmp_path / "elsewhere")
        case "folder":
            journal.mkdir()
    with pytest.raises(PacerError, match="not a file"):
        anyio.run(pacer.reserve, 1.0)


@pytest.mark.parametrize("why", [errno.EMFILE, errno.ENOSPC])
def test_what_may_get_better_by_itself_is_lost_not_fatal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: int
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(why, os.strerror(why))

    monkeypatch.setattr(pacer_file.os, "open", refuse)
    with pytest.raises(PacerLost, match="cannot be made"):
        pacer_file._make(tmp_path / "pace.db")


@pytest.mark.parametrize(
    ("why", "kind"), [(errno.EIO, PacerLost), (errno.ESTALE, PacerLost), (errno.EACCES, PacerError)]
)
@pytest.mark.parametrize("is_open", [False, True])
def test_no_error_of_the_file_system_comes_out_bare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: int, kind: type[Exception], is_open: bool
) -> None:
    pacer = SqlitePacer(tmp_path / "pace.db")
    if is_open:
        anyio.run(pacer.reserve, 1.0)

    def refuse(*_: object) -> object:
        raise OSError(why, os.strerror(why))

    with monkeypatch.context() as patched:
        patched.setattr(pacer_file, "journal_of", refuse)
        with pytest.raises(kind, match="cannot be used"):
            anyio.run(pacer.reserve, 1.0)
    anyio.run(pacer.reserve, 1.0)


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

    def attacked(uri: str) -> sqlite3.Connection:
        path.unlink()
        path.symlink_to(tmp_path / "victim.db")
        database = whole(uri)
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

    def disturbed(uri: str) -> sqlite3.Connection:
        next(tmp_path.rglob("*.db")).unlink()
        return whole(uri)

    monkeypatch.setattr(pacer_file, "_connected", disturbed)
    take()


@pytest.mark.parametrize("used_before", ["used", "unused"])
def test_a_pacer_that_was_made_before_a_fork_is_two_clients_of_one_file(tmp_path: Path, used_before: str) -> None:
    program = [sys.executable, "-m", "tests.support.forked_pacer", str(tmp_path / "pace.db"), used_before]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)
    slots = sorted(slot for slot, _, _ in got["parent"] + got["child"])
    assert min(later - earlier for earlier, later in itertools.pairwise(slots)) >= 10.0
    assert [sharers for _, sharers, _ in got["parent"][-2:]] == [2, 2]
