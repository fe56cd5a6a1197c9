"""What is run on this project: `nox` checks all, `nox -s demo` shows the main job, `nox -s bench` measures."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nox

nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "types", "tests"]

TIMED = (
    "tests/test_pacers.py::test_several_processes_use_the_whole_limit_and_never_more",
    "tests/test_pacers.py::test_when_the_server_is_lost_and_comes_back_the_limit_is_never_exceeded",
)
GROUPS = nox.project.load_toml("pyproject.toml")["dependency-groups"]


def found(*versions: str) -> list[str]:
    """A working interpreter for each version that this machine has: nox's own, one on the path, or pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    interpreters = []
    for version in versions:
        own = sys.executable if version == f"{sys.version_info.major}.{sys.version_info.minor}" else None
        on_path = shutil.which(f"python{version}")
        of_pyenv = sorted(map(str, pyenv.glob(f"{version}.*/bin/python{version}")))
        for candidate in (own, on_path, *of_pyenv):
            if candidate and subprocess.run([candidate, "--version"], capture_output=True).returncode == 0:
                interpreters.append(candidate)
                break
    return interpreters


@nox.session
def lint(session: nox.Session) -> None:
    """Lint and format."""
    session.install("ruff>=0.8")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Strict typing of the package, and of the public API as its users see it."""
    session.install(".[sandbox]", *GROUPS["test"], "mypy>=1.13")
    session.run("mypy")


@nox.session(python=found("3.11", "3.12", "3.13"))
def tests(session: nox.Session) -> None:
    """All tests, on each Python found."""
    session.install(".[sandbox]", *GROUPS["test"])
    # Held against the clock by four busy processes, these need a quiet machine: `nox -s soak` runs them.
    session.run("pytest", *(f"--deselect={name}" for name in TIMED), *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """Review 2,000 tasks of a sandbox over real HTTP."""
    session.install(".[sandbox]")
    session.run("picoworkers", "demo", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """The kill test at full size (25 kills, 2,000 ratings), and the tests of pacing against the clock."""
    session.install(".[sandbox]", *GROUPS["test"])
    size = {"PICOWORKERS_KILLS": "25", "PICOWORKERS_TASKS": "2000"}
    session.run("pytest", "-s", "tests/test_kill.py", *TIMED, *session.posargs, env=size)


@nox.session
def bench(session: nox.Session) -> None:
    """Run the benchmarks and print their ratios."""
    session.install(".[redis,sandbox]", "aiolimiter", "pyrate-limiter", "throttled-py")
    for script in ("throttle_rate", "pacing", "journal", "memory"):
        session.run("python", f"benchmarks/{script}.py")
