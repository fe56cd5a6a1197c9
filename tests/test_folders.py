"""Who else may write in a folder: nobody, where SQLite's files are."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from picoworkers_async import folders

pytestmark = pytest.mark.skipif(os.name != "posix", reason="owners and modes")
ME, MY_GROUP, SHARED, CROWDED = 1000, 1000, 100, 1001
DIRECTORY = stat.S_IFDIR


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user with a group of its own, one in a group of many, and one whose own group another has joined."""
    names = {ME: ("me", MY_GROUP), 2000: ("other", SHARED), 3000: ("crowded", CROWDED)}
    groups = {MY_GROUP: ("me", []), SHARED: ("users", []), CROWDED: ("crowded", ["me"])}

    def user_of(number: int) -> object:
        name, group = names[number]
        return SimpleNamespace(pw_name=name, pw_gid=group)

    def group_of(number: int) -> object:
        name, members = groups[number]
        return SimpleNamespace(gr_name=name, gr_mem=members)

    monkeypatch.setattr(pwd, "getpwuid", user_of)
    monkeypatch.setattr(grp, "getgrgid", group_of)


@pytest.mark.parametrize(
    ("mode", "owner", "group", "user", "is_above", "why"),
    [
        (0o700, ME, MY_GROUP, ME, False, None),
        (0o755, 0, 0, ME, False, None),
        (0o775, ME, MY_GROUP, ME, False, None),
        (0o777, ME, MY_GROUP, ME, False, "anybody"),
        (0o1777, 0, 0, ME, False, "anybody"),
        (0o755, 1001, 1001, ME, False, "another user"),
        (0o755, ME, ME, 0, False, "another user"),
        (0o770, ME, SHARED, ME, False, "group"),
        (0o2770, 0, SHARED, 2000, False, "group"),
        (0o775, 3000, CROWDED, 3000, False, "group"),
        (0o775, 4000, MY_GROUP, 4000, False, "group"),
        (0o1777, 0, 0, ME, True, None),
        (0o777, 0, 0, ME, True, "anybody"),
        (0o775, 0, SHARED, ME, True, "group"),
        (0o755, 1001, 1001, ME, True, None),
    ],
)
def test_what_lets_others_write(
    users: None, mode: int, owner: int, group: int, user: int, is_above: bool, why: str | None
) -> None:
    found = os.stat_result((DIRECTORY | mode, 0, 0, 1, owner, group, 0, 0, 0, 0))
    got = folders.why_exposed(found, user, is_above=is_above)
    assert got is None if why is None else why in (got or "")


def test_a_folder_above_that_anybody_may_rename_it_in_is_found_also_behind_a_link(tmp_path: Path) -> None:
    inner = tmp_path / "open" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "link").symlink_to(inner)
    assert folders.exposure(tmp_path / "link") is None
    (tmp_path / "open").chmod(0o777)
    found = folders.exposure(tmp_path / "link")
    assert found is not None
    assert (found.folder, found.by_all) == (tmp_path / "open", True)
    (tmp_path / "open").chmod(0o1777)
    assert folders.exposure(tmp_path / "link") is None
