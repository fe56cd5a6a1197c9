"""The pytest plugin, as pytest loads it in every run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEST = "def test_it(picoworkers_sandbox):\n    assert picoworkers_sandbox.requests == []\n"


def run(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    env = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run([sys.executable, "-c", program], cwd=folder, env=env, capture_output=True, text=True)


def test_loading_it_imports_no_extra_and_no_part_of_the_sandbox(tmp_path: Path) -> None:
    program = """
import sys, pytest, _pytest
import picoworkers_async.pytest_plugin
print(*sorted(sys.modules))
"""
    done = run(program, tmp_path)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "picoworkers_async" in loaded, done.stderr
    assert not loaded & {"starlette", "uvicorn", "cattrs", "tenacity", "sqlite3", "redis", "trio"}
    assert not [name for name in done.stdout.split() if name.startswith("picoworkers_async.sandbox")]


@pytest.mark.parametrize("missing", ["", "starlette", "uvicorn"])
def test_without_the_extra_the_fixture_says_what_to_install(tmp_path: Path, missing: str) -> None:
    (tmp_path / "test_it.py").write_text(TEST)
    program = f"""
import sys, pytest
sys.modules.update({{name: None for name in [{missing!r}] if name}})
sys.exit(pytest.main(["-q", "-p", "picoworkers_async.pytest_plugin", "-p", "no:cacheprovider", "test_it.py"]))
"""
    done = run(program, tmp_path)
    if missing:
        assert done.returncode == 1, done.stderr
        assert f"needs {missing}; install `picoworkers-async[sandbox]`" in done.stdout
        assert "Traceback" not in done.stdout
    else:
        assert done.returncode == 0, done.stdout
