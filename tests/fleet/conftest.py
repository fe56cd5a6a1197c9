"""A real broker, and decider processes around it."""

from __future__ import annotations

import gc
import os
import queue
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.valkey import Server

ROOT = Path(__file__).parents[2]


class Decider:
    """`picoworkers decide` in a process of its own; what its function prints is in `lines`."""

    def __init__(self, url: str, rule: str, seconds: float, *options: str) -> None:
        command = [sys.executable, "-m", "picoworkers_async", "decide", f"tests.support.fleet_rules:{rule}"]
        self.process = subprocess.Popen(
            [*command, "--broker", url, *options],
            cwd=ROOT,
            env={**os.environ, "DECIDE_SECONDS": str(seconds)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self.seen: list[str] = []
        self.errors: list[str] = []
        self._readers = [threading.Thread(target=read) for read in (self._read, self._read_errors)]
        for reader in self._readers:
            reader.start()

    def next_line(self) -> str:
        """What it prints next."""
        return self.lines.get(timeout=60)

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.seen.append(line.strip())
            self.lines.put(line.strip())

    def _read_errors(self) -> None:
        self.errors.extend(self.process.stderr or ())

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait(30)
        for reader in self._readers:
            reader.join(30)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture
def streams_that_the_engine_leaves_open() -> Iterator[None]:
    """It leaves memory streams behind where it is cancelled, or a connection cannot be had."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Unclosed <MemoryObject", ResourceWarning)
        yield
        gc.collect()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Server]:
    """A real Valkey that keeps nothing on disk."""
    server = Server(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def start() -> Iterator[Callable[..., Decider]]:
    """Starts deciders by a function of `tests.support.fleet_rules`; all are ended after the test."""
    started: list[Decider] = []

    def make(url: str, rule: str = "judged", seconds: float = 0.05, *options: str) -> Decider:
        started.append(Decider(url, rule, seconds, *options))
        return started[-1]

    yield make
    for decider in started:
        decider.end()
