"""docs/reference/command-line.md names every command and exit code, and no more."""

from __future__ import annotations

import re
from pathlib import Path

from picoworkers_async.cli.app import app
from picoworkers_async.cli.exits import Exit
from picoworkers_async.cli.journal import journal

DOCS = (Path(__file__).parents[2] / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")
COMMANDS = DOCS.partition("## Commands")[2].partition("\n## ")[0]


def test_every_command_has_its_line_in_the_docs() -> None:
    rows = re.findall(r"^\| (`.*?) \| [a-z]", COMMANDS, re.MULTILINE)
    named = {re.match(r"(journal )?[a-z-]+", code)[0] for row in rows for code in re.findall(r"`(.*?)`", row)}
    commands = {name for name in app if not name.startswith("-")}
    commands |= {f"journal {name}" for name in journal if not name.startswith("-")}
    assert {re.sub(r"^journal [A-Z].*", "journal", name).strip() for name in named} == commands


def test_every_exit_code_has_its_line_in_the_docs() -> None:
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", DOCS, re.MULTILINE)] == [int(code) for code in Exit]
