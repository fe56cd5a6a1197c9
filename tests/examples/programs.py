"""The examples as a user runs them: in a folder of their own, by the command of their README, over real HTTP."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import anyio
from anyio.abc import Process

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
ENOUGH_SECONDS = 120
"""For whatever a program does here, on the busiest of machines."""


def commands(name: str) -> list[str]:
    """The commands of an example's README, a line each."""
    readme = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```sh\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    return block.splitlines()


def command_of(name: str, *more: str) -> list[str]:
    """How its README runs the example, with more arguments; by this Python."""
    words = shlex.split(commands(name)[-1].removeprefix("env $(cat ../sandbox.env) "))
    while "=" in words[0]:
        del words[0]  # the test says where things are by itself
    start = [sys.executable] if words[0] == "python" else [sys.executable, "-m", words[0]]
    return [*start, *words[1:], *more]


def copy_of(name: str, folder: Path) -> Path:
    """A copy of the example in this folder."""
    return Path(shutil.copytree(EXAMPLES / name, folder / name))


def environment(url: str, folder: Path, **more: str) -> dict[str, str]:
    """That of `sandbox.env`, where the sandbox is at this URL and the pace is kept in this folder."""
    lines = (EXAMPLES / "sandbox.env").read_text(encoding="utf-8").splitlines()
    account = dict(line.split("=", 1) for line in lines)
    here = {"PYTHONPATH": str(ROOT), "PICOWORKERS_BASE_URL": url, "PICOWORKERS_PACER_FOLDER": str(folder)}
    return {**os.environ, **account, **here, "PYTHONUNBUFFERED": "1", **more}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class Ended(NamedTuple):
    code: int
    out: str
    err: str


async def ended(command: list[str], folder: Path, env: dict[str, str]) -> Ended:
    """Run a program to its end."""
    with anyio.fail_after(ENOUGH_SECONDS):
        done = await anyio.run_process(command, cwd=folder, env=env, check=False)
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


async def until(true: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    with anyio.fail_after(ENOUGH_SECONDS):
        while not true():  # noqa: ASYNC110
            await anyio.sleep(0.02)


@asynccontextmanager
async def running(command: list[str], folder: Path, env: dict[str, str]) -> AsyncIterator[Process]:
    """A program that runs; what it says is in the files `out` and `err` of its folder."""
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        async with await anyio.open_process(command, cwd=folder, env=env, stdout=out, stderr=err) as process:
            try:
                with anyio.fail_after(ENOUGH_SECONDS):
                    yield process
            finally:
                if process.returncode is None:
                    process.kill()
