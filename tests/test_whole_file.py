"""A file that appears whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from picoworkers_async.whole_file import whole_file


def test_a_file_that_is_not_finished_does_not_appear_and_leaves_nothing_behind(tmp_path: Path) -> None:
    place = tmp_path / "paid.csv"
    place.write_text("before")
    with pytest.raises(TypeError), whole_file(place) as file:
        file.writelines([b"half", "and no bytes"])  # type: ignore[list-item]
    assert place.read_text() == "before"
    assert os.listdir(tmp_path) == ["paid.csv"]


@pytest.mark.parametrize("has_links", [True, False])
def test_one_that_appeared_meanwhile_is_kept_unless_it_may_be_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError

    if not has_links:
        monkeypatch.setattr(os, "link", no_links)
    place = tmp_path / "todo.csv"
    with whole_file(place, overwrite=False) as file:
        file.write(b"first")
    with pytest.raises(FileExistsError), whole_file(place, overwrite=False) as file:
        file.write(b"second")
    assert place.read_bytes() == b"first"
    with whole_file(place) as file:
        file.write(b"third")
    assert place.read_bytes() == b"third"
    assert os.listdir(tmp_path) == ["todo.csv"]
