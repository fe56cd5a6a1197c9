"""The tests that docs/how-to/testing.md shows are run as they stand, by a pytest of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .pages import ROOT, programs

BLOCKS = programs("docs/how-to/testing.md")


def test_every_test_of_the_docs_passes_on_both_backends(tmp_path: Path) -> None:
    for number, block in enumerate(BLOCKS):
        (tmp_path / f"test_block_{number}.py").write_text(block, encoding="utf-8")
    plugins = ["-p", "anyio.pytest_plugin", "-p", "picoworkers_async.pytest_plugin", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", *plugins],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
    )
    tests = sum(block.count("\nasync def test_") for block in BLOCKS) * 2
    tests += sum(block.count("\ndef test_") for block in BLOCKS)
    assert (done.returncode, f"{tests} passed" in done.stdout) == (0, True), done.stdout + done.stderr
