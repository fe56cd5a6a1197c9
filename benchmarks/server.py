"""A service that answers every request at once with the same JSON, on one core, to measure clients against.

It reads just enough of HTTP/1.1 to know where a request ends. `python benchmarks/server.py` prints its port.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

BODY = b'{"ok":true,"message":"Task rated successfully."}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


class Fixed(asyncio.Protocol):
    """One connection; a request is its head and, by Content-Length, its body."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].lower()
            _, _, rest = head.partition(b"\r\ncontent-length:")
            size = end + 4 + int(rest.partition(b"\r\n")[0] or 0)
            if len(self._received) < size:
                return
            self._received = self._received[size:]
            self._transport.write(ANSWER)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Fixed, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def pin(core: int) -> None:
    """Keep this process on one core, where the machine has another for the rest."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[core % len(cores)]})


@contextmanager
def served(*, pinned: bool = True) -> Iterator[str]:
    """The service in a process of its own: pinned, on the first core, and this process on the second meanwhile."""
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    command = [sys.executable, __file__, *(["--pinned"] if pinned else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        if pinned:
            pin(1)
        try:
            yield f"http://127.0.0.1:{port}/api/"
        finally:
            if cores:
                os.sched_setaffinity(0, cores)
            process.terminate()


if __name__ == "__main__":
    if "--pinned" in sys.argv:
        pin(0)
    asyncio.run(main())
