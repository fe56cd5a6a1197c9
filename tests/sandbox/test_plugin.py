"""The pytest plugin, as pytest loads it in every run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from picoworkers_async import PICOWORKERS, SPROUTGIGS, AsyncPicoworkers, Rating, events
from picoworkers_async.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
TEST = "def test_it(picoworkers_sandbox):\n    assert picoworkers_sandbox.requests == []\n"
ORDINARY = "def test_it():\n    assert True\n"


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


def run_test(text: str, folder: Path, *missing: str) -> subprocess.CompletedProcess[str]:
    """Run a test with the plugin, where these packages cannot be imported."""
    (folder / "test_it.py").write_text(text)
    program = f"""
import sys, pytest
sys.modules.update(dict.fromkeys({missing!r}))
sys.exit(pytest.main(["-q", "-p", "picoworkers_async.pytest_plugin", "-p", "no:cacheprovider", "test_it.py"]))
"""
    return run(program, folder)


def test_tests_that_name_no_fixture_of_ours_run_without_the_extra(tmp_path: Path) -> None:
    done = run_test(ORDINARY, tmp_path, "starlette", "uvicorn")
    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout + done.stderr


@pytest.mark.parametrize("missing", ["", "starlette", "uvicorn"])
def test_without_the_extra_the_fixture_says_what_to_install(tmp_path: Path, missing: str) -> None:
    done = run_test(TEST, tmp_path, *filter(None, [missing]))
    if missing:
        assert done.returncode == 1, done.stderr
        assert f"needs {missing}; install `picoworkers-async[sandbox]`" in done.stdout
        assert "Traceback" not in done.stdout
    else:
        assert done.returncode == 0, done.stdout


@pytest.mark.anyio
async def test_the_client_of_each_edition_is_entered_and_talks_to_the_sandbox_of_that_name(
    picoworkers_sandbox: Sandbox,
    picoworkers_client: AsyncPicoworkers,
    sproutgigs_sandbox: Sandbox,
    sproutgigs_client: AsyncPicoworkers,
) -> None:
    assert (picoworkers_client.edition, sproutgigs_client.edition) == (PICOWORKERS, SPROUTGIGS)
    for sandbox, pico in ((picoworkers_sandbox, picoworkers_client), (sproutgigs_sandbox, sproutgigs_client)):
        sandbox.add_tasks(sandbox.add_job(), 3)
        assert (await pico.review_all(Rating.ok)).rated == len(sandbox.ledger) == 3
        assert pico.throttle.requests_per_second is None


@pytest.mark.anyio
async def test_a_client_made_by_a_sandbox_has_its_login_and_takes_options() -> None:
    sandbox = Sandbox(user_id="somebody", api_secret="secret")
    seen: list[events.Event] = []
    async with sandbox.client(on_event=seen.append) as pico:
        await pico.users.get_balances()
    assert [request.status for request in sandbox.requests] == [200]
    assert seen
