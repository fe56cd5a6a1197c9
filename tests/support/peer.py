"""The other end of the line, over real sockets: it reads requests, and does with each as it is told."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import anyio.to_thread
import pytest
import trustme

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def served_by_tls(monkeypatch: pytest.MonkeyPatch, folder: Path) -> ssl.SSLContext:
    """What a service serves TLS with, trusted by the environment."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    return context


def read_request(connection: socket.socket) -> bytes:
    """One whole request; nothing if the connection ended."""
    request = b""
    while b"\r\n\r\n" not in request or (request.startswith(b"POST") and not request.endswith(b"}")):
        part = connection.recv(65536)
        if not part:
            return b""
        request += part
    return request


class Peer:
    """The other end of the line: reads requests, keeps them, and does with each as its `behave` says.

    Before it reads anything of a connection, it does with that as its `greet` says.
    """

    def __init__(
        self,
        behave: Callable[[socket.socket, int], None],
        tls: ssl.SSLContext | None = None,
        greet: Callable[[socket.socket], None] | None = None,
    ) -> None:
        self.requests: list[bytes] = []
        self._received = threading.Condition()
        self._behave = behave
        self._greet = greet
        self._tls = tls
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.base = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/api/"
        self.url = self.base + "x"

    def __enter__(self) -> Peer:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    async def received(self, count: int) -> None:
        """Wait until so many requests have come."""

        def wait_for_them() -> None:
            with self._received:
                assert self._received.wait_for(lambda: len(self.requests) >= count, timeout=10)

        await anyio.to_thread.run_sync(wait_for_them)

    async def connected(self) -> None:
        """Wait until a connection was accepted."""

        def wait_for_it() -> None:
            with self._received:
                assert self._received.wait_for(lambda: self._connections, timeout=10)

        await anyio.to_thread.run_sync(wait_for_it)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with self._received:
                    self._connections.append(connection)
                    self._received.notify_all()
                self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._connections.append(connection)
            if self._greet is not None:
                self._greet(connection)
            while connection.fileno() >= 0 and (request := read_request(connection)):
                with self._received:
                    self.requests.append(request)
                    self._received.notify_all()
                self._behave(connection, len(self.requests))
        connection.close()


def wait(connection: socket.socket, _: int) -> None:
    """Answer nothing for as long as the client stays."""
    connection.recv(65536)
    connection.close()


def cut_half(answer: bytes) -> Callable[[socket.socket, int], None]:
    def behave(connection: socket.socket, _: int) -> None:
        connection.sendall(answer)
        connection.close()

    return behave
