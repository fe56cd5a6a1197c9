"""What the project's files say about the project itself is true: releases, hooks, rooms, what is packed."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from constraints.refresh import bound, lines, lower_bounds, normalized, wanted

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pinned(name: str) -> dict[str, set[str]]:
    text = (ROOT / "constraints" / name).read_text(encoding="utf-8")
    found: dict[str, set[str]] = {}
    for pin, version in re.findall(r"^([a-z0-9-]+)==([^\s;]+)", text, re.MULTILINE):
        found.setdefault(pin, set()).add(version)
    return found


def commands(session: str) -> set[str]:
    """The commands that a session of noxfile.py runs, as far as they are written out."""
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    (function,) = (one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == session)
    calls = [one for one in ast.walk(function) if isinstance(one, ast.Call)]
    runs = [call for call in calls if ast.unparse(call.func) == "session.run"]
    return {" ".join(one.value for one in run.args if isinstance(one, ast.Constant)) for run in runs}


def test_the_hooks_before_a_commit_run_what_ci_runs() -> None:
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    entries = set(re.findall(r"^\s+entry: (.+)$", text, re.MULTILINE))
    assert entries == commands("lint") | {"mypy"}
    assert "mypy" in commands("types")


@pytest.mark.parametrize("name", ["newest.txt", "oldest.txt"])
def test_every_requirement_has_a_release_in_the_lock(name: str) -> None:
    """Else `nox -s lock` is due."""
    needed = {normalized(bound(one)[0]) for one in wanted(PROJECT)[1:]} | lower_bounds(PROJECT).keys()
    assert needed <= pinned(name).keys()


def test_the_oldest_releases_are_the_lower_bounds_of_the_package_and_its_extras() -> None:
    """Else `nox -s lock` is due."""
    oldest = pinned("oldest.txt")
    for name, version in lower_bounds(PROJECT).items():
        (pin,) = oldest[name]
        assert release(pin) == release(version), name


def release(version: str) -> list[int]:
    numbers = [int(number) for number in version.split(".")]
    return numbers + [0] * (3 - len(numbers))


def test_the_lock_names_no_place() -> None:
    for path in (ROOT / "constraints").glob("*.txt"):
        assert not re.search(r"[/\\@]", path.read_text(encoding="utf-8"))


def test_a_lock_has_one_line_for_all_pythons_that_agree_and_markers_where_they_differ() -> None:
    resolved = {"3.11": {"a": "1", "b": "1"}, "3.12": {"a": "1", "b": "2", "c": "3"}}
    assert lines(resolved).splitlines() == [
        "a==1",
        'b==1 ; python_version == "3.11"',
        'b==2 ; python_version == "3.12"',
        "c==3",
    ]


def test_the_map_for_contributors_has_every_room() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    package = ROOT / "picoworkers_async"
    rooms = {one.parent.name for one in package.glob("*/__init__.py")}
    assert {name for name in rooms if f"`{name}/`" not in text} == set()
    named = set(re.findall(r"`(?:picoworkers_async/)?([a-z_]+\.py|[a-z_]+/)`", text))
    there = {one.name for one in package.iterdir()} | {one.name for one in ROOT.iterdir()}
    assert {one for one in named if one.strip("/") not in there} == set()


def test_every_session_that_contributors_are_told_of_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    there = {one.name for one in tree.body if isinstance(one, ast.FunctionDef) and one.decorator_list}
    told = {name for names in re.findall(r"nox -s ((?:[a-z]+ ?)+)", text) for name in names.split()}
    assert told
    assert told <= there


def test_every_marker_of_the_tests_is_explained_to_contributors() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    markers = [one.partition(":")[0] for one in PROJECT["tool"]["pytest"]["ini_options"]["markers"]]
    assert [one for one in markers if f"`{one}`" not in text] == []
