"""A wire between two ends that can go dead: nothing passes, and nothing is closed."""

from __future__ import annotations

import socket
import threading


class CutWire:
    """Passes bytes on to a port of this machine, until it is cut and after it is mended.

    What was connected when it was cut stays dead for ever, as behind a firewall that forgot it.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._passes = threading.Event()
        self._passes.set()
        self._generation = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._generation += 1
        self._passes.clear()

    def mend(self) -> None:
        self._passes.set()

    def close(self) -> None:
        self._generation += 1
        self._listener.close()
        for one in self._sockets:
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                self._sockets.append(near)
                if not self._passes.is_set():
                    continue  # it is never answered
                far = socket.create_connection(("127.0.0.1", self._port))
            except OSError:
                return
            self._sockets.append(far)
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(one, other, self._generation), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket, generation: int) -> None:
        try:
            while data := one.recv(65536):
                if generation != self._generation:
                    return
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            return
