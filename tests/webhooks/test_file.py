"""The file of postbacks: made, brought up to date, and refused where it is of something else."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from picoworkers_async.webhooks import SubmittedError
from picoworkers_async.webhooks import file as file_module
from picoworkers_async.webhooks.changes import Change, Changes
from picoworkers_async.webhooks.submitted import Submitted
from tests.support.receiving import durable_changes, rows

DATA = Path(__file__).parent / "data"
HELD = [("09876abce173", "81204582ff321c", 0, 2), ("abc123dfae98", "99900012abcd1f", 1, -1), ("abc123dfae98", "99923817f2bce4", 1, -1)]  # fmt: skip  # noqa: E501
ALL = "SELECT job_id, task_id, waiting, revision FROM submitted ORDER BY task_id"
SCHEMA = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite%' ORDER BY name"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file of the first version, as it was written by the code of its time."""
    return Path(shutil.copy(DATA / "submitted-1.db", tmp_path / "submitted.db"))


def test_a_file_of_the_first_version_keeps_its_tasks_and_takes_changes(old: Path) -> None:
    Changes(old).note([Change("j", "paused", "")])
    assert rows(old, ALL) == HELD
    assert durable_changes(old) == [("j", "paused", "")]
    lookup = Submitted(old).next_lookup(400)
    assert lookup is not None
    assert lookup.job_id == "abc123dfae98"


def test_an_old_file_becomes_what_a_new_one_is(old: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.db"
    for path in (old, new):
        Submitted(path).begin()
    for query in (SCHEMA, "PRAGMA user_version", "PRAGMA application_id", "SELECT * FROM handled"):
        assert rows(old, query) == rows(new, query)


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = old.read_bytes()
    monkeypatch.setattr(file_module, "_STEPS", (file_module._STEPS[0], (*file_module._STEPS[1], "NO SQL")))
    with pytest.raises(SubmittedError, match="NO"):
        Submitted(old).begin()
    assert old.read_bytes() == before


def test_a_file_of_a_later_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "submitted.db"
    Submitted(path).begin()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 4")
    before = path.read_bytes()
    with pytest.raises(SubmittedError, match="version is 4, and only up to 3"):
        Submitted(path).begin()
    assert path.read_bytes() == before


@pytest.mark.parametrize("pragma", ["user_version = 1", "application_id = 5", "user_version = -1"])
def test_an_empty_database_that_is_marked_as_something_else_is_refused(tmp_path: Path, pragma: str) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA {pragma}")
    with pytest.raises(SubmittedError, match="something else"):
        Submitted(path).begin()


@pytest.mark.skipif(os.name != "posix", reason="modes")
@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o755])
def test_postbacks_in_a_folder_that_everybody_may_write_are_warned_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int
) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(mode)
    for _ in range(2):
        Changes(folder / "postbacks.db").note([Change("j", "paused", "")])
        Submitted(folder / "postbacks.db").next_lookup(400)
    told = [record for record in caplog.records if "anybody may write in the folder" in record.getMessage()]
    assert len(told) == (mode != 0o755)
    assert all((record.levelname, record.name) == ("WARNING", "picoworkers_async") for record in told)
