"""Each example says in 25 lines what it shows, and how to run it in two commands."""

from __future__ import annotations

import re
import shlex

import pytest

from .programs import EXAMPLES, commands

NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/README.md"))
PROGRAMS = sorted(set(NAMES) - {"container"})
SANDBOX = "python -m picoworkers_async.sandbox --port 8022 --edition sproutgigs &"


def test_every_folder_has_a_readme_and_is_in_the_list_of_all() -> None:
    folders = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())
    listed = re.findall(r"^\| \[(\w+)\]\(\1/\) \|", (EXAMPLES / "README.md").read_text("utf-8"), re.MULTILINE)
    assert folders == NAMES == sorted(listed)


@pytest.mark.parametrize("name", NAMES)
def test_a_readme_is_short_has_two_commands_and_links_to_what_is_there(name: str) -> None:
    text = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 25
    assert len(commands(name)) == 2
    for link in re.findall(r"\]\(([^)#:]+)", text):
        assert (EXAMPLES / name / link).exists(), link


@pytest.mark.parametrize("name", PROGRAMS)
def test_its_commands_serve_the_sandbox_of_sandbox_env_and_run_the_program(name: str) -> None:
    serve, run = commands(name)
    assert serve == SANDBOX
    assert run.startswith("env $(cat ../sandbox.env) ")
    assert any((EXAMPLES / name / word.replace("web:app", "web.py")).is_file() for word in shlex.split(run))


def test_the_sandbox_that_they_serve_is_the_one_of_sandbox_env() -> None:
    lines = (EXAMPLES / "sandbox.env").read_text(encoding="utf-8").splitlines()
    account = dict(line.split("=", 1) for line in lines)
    port = SANDBOX.split()[4]
    assert account["PICOWORKERS_BASE_URL"] == f"http://127.0.0.1:{port}/api/"
    assert account["PICOWORKERS_EDITION"] == SANDBOX.split()[6]
