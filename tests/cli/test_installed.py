"""The installed command in processes of its own: at a terminal, in a pipe, and interrupted."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from anyio.from_thread import start_blocking_portal

from picoworkers_async import __version__
from picoworkers_async.cli import credentials
from picoworkers_async.sandbox import Faults, Sandbox

COMMAND = str(Path(sys.executable).parent / "picoworkers")
SECONDS = 60
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7]m")
JOB = "fc7b3bd10d08"

# Python warns of forking beside threads, which pytest's own workers have; the child does nothing but exec.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def picoworkers(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, timeout=SECONDS, **options)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Sandbox, str]]:
    """A sandbox with a job that runs and one that does not, and its address."""
    sandbox = Sandbox()
    sandbox.add_job(id=JOB, title="Play a video", num_tasks=50, task_value="0.10")
    sandbox.set_job_status(sandbox.add_job(), "paused")
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(sandbox.serve()) as url:
        yield sandbox, url


@pytest.fixture
def at(served: tuple[Sandbox, str]) -> list[str]:
    """The options that ask the served sandbox."""
    return ["--sandbox", "--base-url", served[1]]


def added(served: tuple[Sandbox, str]) -> int:
    """How often positions were added."""
    return sum("add-positions" in request.path for request in served[0].requests)


def at_terminal(*arguments: str, **options) -> pexpect.spawn:
    options.setdefault("dimensions", (40, 200))
    env = {**os.environ, "TERM": "xterm-256color", **options.pop("env", {})}
    return pexpect.spawn(COMMAND, list(arguments), encoding="utf-8", timeout=SECONDS, env=env, **options)


def ended(child: pexpect.spawn) -> tuple[str, int]:
    """What it printed until its end, and its exit code."""
    child.expect(pexpect.EOF)
    child.close()
    return child.before, child.exitstatus


def test_in_a_pipe_there_are_no_colours_and_json_is_alone_on_stdout(at: list[str]) -> None:
    table = picoworkers("jobs", *at)
    assert table.returncode == 0
    assert "running" in table.stdout
    assert "\x1b" not in table.stdout + table.stderr
    plain = picoworkers("jobs", *at, "--json")
    assert [json.loads(line)["status"] for line in plain.stdout.splitlines()] == ["running", "paused"]
    assert plain.stderr == ""


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [(["jobs"], 0, ""), (["pause", "nowhere"], 1, "pause nowhere: refused: Job not found.\n")],
    ids=["listing", "refusal"],
)
def test_a_reader_who_has_enough_is_no_error_and_hides_none(
    at: list[str], command: list[str], code: int, said: str
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ran = subprocess.run(
            [COMMAND, *command, *at, "--json"], stdout=writing, stderr=subprocess.PIPE, text=True, timeout=SECONDS
        )
    finally:
        os.close(writing)
    assert (ran.returncode, ran.stderr) == (code, said)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
@pytest.mark.parametrize("streams", [">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full", "2>/dev/full"])
def test_what_was_paid_for_is_done_wherever_the_words_about_it_go(
    served: tuple[Sandbox, str], at: list[str], streams: str
) -> None:
    before = added(served)
    command = shlex.join([COMMAND, "add-positions", JOB, "1", "--yes", "--json", *at])
    ran = subprocess.run(
        ["/bin/sh", "-c", f"{command} {streams}"], capture_output=True, text=True, timeout=SECONDS
    )
    assert ran.returncode == 0
    assert added(served) == before + 1
    assert "Traceback" not in ran.stderr
    assert ("stdout cannot be written" in ran.stderr) is (streams == ">/dev/full")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
@pytest.mark.parametrize(("streams", "code"), [(">&-", 0), ("2>&-", 0), (">/dev/full", 1)])
def test_a_listing_that_goes_nowhere_is_no_error_and_one_that_cannot_be_written_is(
    at: list[str], streams: str, code: int
) -> None:
    command = shlex.join([COMMAND, "jobs", *at])
    ran = subprocess.run(
        ["/bin/sh", "-c", f"{command} {streams}"], capture_output=True, text=True, timeout=SECONDS
    )
    assert ran.returncode == code
    assert ran.stderr == ("" if code == 0 else "picoworkers: No space left on device\n")


def test_at_a_terminal_states_have_colours_unless_they_are_not_wanted(at: list[str]) -> None:
    printed, code = ended(at_terminal("jobs", *at))
    assert code == 0
    assert COLOUR.search(printed)
    printed, code = ended(at_terminal("jobs", *at, env={"NO_COLOR": "1"}))
    assert code == 0
    assert "running" in printed
    assert not COLOUR.search(printed)


def test_a_yes_that_was_typed_before_the_question_is_no_answer_to_it(at: list[str], tmp_path: Path) -> None:
    # What is typed ahead reaches the terminal before the command reads; the question is then still open.
    child = pexpect.spawn(
        "/bin/sh", ["-c", f"sleep 1; exec {COMMAND} deposit 5000 --sandbox"], encoding="utf-8", timeout=SECONDS
    )
    child.send("y\n")
    child.expect_exact("[y/N] ")
    child.send("n\n")
    printed, code = ended(child)
    assert "nothing was done" in printed
    assert code == 1


def test_a_table_is_as_wide_as_the_terminal(at: list[str]) -> None:
    printed, _ = ended(at_terminal("jobs", *at, dimensions=(40, 60), env={"NO_COLOR": "1"}))
    widths = [len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in printed.splitlines() if "not shown" not in line]
    assert 50 <= max(widths) <= 60


def test_a_question_at_the_terminal_is_answered_there(served: tuple[Sandbox, str], at: list[str]) -> None:
    for answer, code, more in (("n", 1, 0), ("y", 0, 1)):
        before = added(served)
        child = at_terminal("add-positions", JOB, "10", *at)
        child.expect_exact("[y/N] ")
        child.sendline(answer)
        assert ended(child)[1] == code
        assert added(served) == before + more


def test_ctrl_c_at_a_question_sends_nothing_and_has_exit_code_130(
    served: tuple[Sandbox, str], at: list[str]
) -> None:
    before = added(served)
    child = at_terminal("add-positions", JOB, "10", *at)
    child.expect_exact("[y/N] ")
    child.sendintr()
    printed, code = ended(child)
    assert code == 130
    assert "nothing more was sent" in printed
    assert added(served) == before


def test_a_sandbox_is_served_until_it_is_interrupted() -> None:
    command = [COMMAND, "sandbox", "--tasks", "6"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            plain = picoworkers("tasks", "--sandbox", "--base-url", url, "--json")
            assert len(plain.stdout.splitlines()) == 6
            process.send_signal(signal.SIGINT)
            _, words = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
    assert process.returncode == 130
    assert f"--base-url {url}" in words
    assert words.rstrip().endswith("stopped")


def test_login_asks_for_the_secret_without_showing_it(at: list[str], home: Path) -> None:
    child = at_terminal("login", *at)
    child.expect_exact("User id: ")
    child.sendline("user_id")
    child.expect_exact("(not shown): ")
    child.waitnoecho()
    child.sendline("api_secret")
    printed, code = ended(child)
    assert code == 0
    assert "api_secret" not in printed
    path = credentials.default_path()
    assert home in path.parents
    assert credentials.read_file(path).api_secret == "api_secret"
    # What was stored is what the next command uses.
    assert picoworkers("balance", "--base-url", at[-1]).returncode == 0


def test_without_the_extra_one_line_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['cyclopts'] = None\n"
        "from picoworkers_async.cli.main import main\n"
        "sys.exit(main(['balance']))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=SECONDS)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.count("\n") == 1
    assert 'pip install "picoworkers-async[cli]"' in ran.stderr


def test_without_the_sandbox_the_remedy_is_named() -> None:
    program = (
        "import sys; sys.modules['uvicorn'] = None\n"
        "from picoworkers_async.cli.main import main\n"
        "print([int(main(one)) for one in (['balance', '--sandbox'], ['demo'], ['sandbox'])])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=SECONDS)
    assert ran.stdout == "[2, 2, 2]\n"
    assert ran.stderr.count('pip install "picoworkers-async[cli,sandbox]"') == 3


def test_interrupted_on_the_wire_it_says_that_it_may_have_taken_effect() -> None:
    sandbox = Sandbox(faults=Faults(slow=1.0, slow_seconds=30.0, only={"add_positions"}))
    sandbox.add_job(id=JOB, num_tasks=50, task_value="0.10")
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(sandbox.serve()) as url:
        command = [COMMAND, "add-positions", JOB, "10", "--yes", "--sandbox", "--base-url", url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                until = time.monotonic() + SECONDS
                while not any("add-positions" in request.path for request in sandbox.requests):
                    assert time.monotonic() < until
                    time.sleep(0.02)
                process.send_signal(signal.SIGINT)
                _, words = process.communicate(timeout=SECONDS)
            finally:
                process.kill()
    assert process.returncode == 130
    assert f"to add positions to job {JOB} may have taken effect" in words
    assert "nothing more was sent" not in words


@pytest.mark.parametrize("module", ["picoworkers_async", "picoworkers_async.cli.main"])
def test_the_command_is_a_module_too(module: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", module, "--version"], capture_output=True, text=True, timeout=SECONDS
    )
    assert (ran.returncode, ran.stdout.strip(), ran.stderr) == (0, __version__, "")


def test_help_is_on_stdout() -> None:
    helped = picoworkers("--help")
    assert (helped.returncode, helped.stderr) == (0, "")
    assert "--install-completion" in helped.stdout
    for name in ("balance", "post", "journal", "doctor"):
        assert re.search(rf"\b{name}\b", helped.stdout)


@pytest.mark.parametrize("command", ["--help", "rate --help", "journal --help", "--version", "demo"])
def test_a_reader_who_leaves_early_ends_a_command_without_a_word(command: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as nobody:
        done = subprocess.run(
            [COMMAND, *command.split()], stdout=nobody, stderr=subprocess.PIPE, text=True, timeout=SECONDS
        )
    assert (done.returncode, done.stderr) == (0, "")
