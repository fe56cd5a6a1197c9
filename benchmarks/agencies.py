"""What 50 accounts in one process cost: with connections of their own, and with those of one `SharedTransport`.

Each way in a process of its own, over TLS: memory and processor time for each client that was made and entered and
had one answer (handshakes included), how many connections all have, and for how long the event loop stood still at
most while one was made and entered. "httpx" is an `httpx.AsyncClient` for each account, as without this library.
"""

from __future__ import annotations

import asyncio
import gc
import os
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import trustme
from clients import resident

COUNT = 50
BODY = b'{"earned":1,"spendable":25}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
WAYS = ("shared fast", "fast", "shared lanes", "lanes", "shared client", "client", "httpx")
# Each figure is the least of so many runs: what else the machine does only adds to it.
RUNS = 3


class Balances(asyncio.Protocol):
    """One connection, each request on which is answered with the same balances."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(ANSWER * data.count(b"\r\n\r\n"))


async def serve(certificate: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = await asyncio.get_running_loop().create_server(Balances, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def served() -> Iterator[str]:
    """The service in a process of its own; the environment trusts its certificate, beside those of certifi."""
    import certifi

    authority = trustme.CA()
    with tempfile.TemporaryDirectory() as folder:
        trusted, certificate = Path(folder) / "trusted.pem", Path(folder) / "certificate.pem"
        trusted.write_bytes(Path(certifi.where()).read_bytes() + authority.cert_pem.bytes())
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
        os.environ["SSL_CERT_FILE"] = str(trusted)
        command = [sys.executable, __file__, "--serve", str(certificate)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                yield f"https://127.0.0.1:{process.stdout.readline().strip()}/api/"
            finally:
                process.terminate()


class Rounds:
    """Notes how much processor time one round of the event loop took at most: so long nothing else ran in it."""

    longest = 0.0

    async def __aenter__(self) -> Rounds:
        self._task = asyncio.create_task(self._run())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(0)
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            before = time.thread_time()
            await asyncio.sleep(0)
            self.longest = max(self.longest, time.thread_time() - before)


def connections() -> int:
    """How many sockets of this process have a peer."""
    descriptors = [os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd") if name.isdigit()
                   and os.path.exists(f"/proc/self/fd/{name}")]  # fmt: skip
    own = {name[8:-1] for name in descriptors if name.startswith("socket:")}
    rows = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    return sum(row[9] in own and row[3] == "01" for row in rows)


async def open_many(way: str, url: str, what: str) -> tuple[float, ...]:
    """MB, processor seconds and connections for all, or the seconds of the longest round while they are made."""
    # Loaded before anything is measured, as in a program that runs.
    import anyio
    import httpx

    from picoworkers_async import AsyncPicoworkers, SharedTransport

    anyio.get_cancelled_exc_class()
    async with AsyncExitStack() as stack:
        transport: Any = way.removeprefix("shared ")
        if transport != way:
            transport = await stack.enter_async_context(SharedTransport(transport))
        make = httpx.AsyncClient
        if way != "httpx":
            make = partial(AsyncPicoworkers, "user_id", "api_secret", base_url=url, transport=transport)
        if what == "block":
            # A collection takes tens of milliseconds, whenever Python finds that it is time for one.
            gc.disable()
            async with Rounds() as rounds:
                for _ in range(COUNT):
                    await stack.enter_async_context(make())
                    await asyncio.sleep(0)
            return (rounds.longest,)
        gc.collect()
        memory, started = resident(), time.process_time()
        for _ in range(COUNT):
            client = await stack.enter_async_context(make())
            await (client.get(url) if way == "httpx" else client.users.get_balances())
        seconds = time.process_time() - started
        gc.collect()
        return resident() - memory, seconds, connections()


def main() -> None:
    if sys.argv[1:2] == ["--serve"]:
        asyncio.run(serve(sys.argv[2]))
        return
    if sys.argv[1:2] == ["--way"]:
        print(*asyncio.run(open_many(*sys.argv[2:])))
        return
    with served() as url:
        for way in WAYS:
            figures = []
            for what in ("cost", "block"):
                command = [sys.executable, __file__, "--way", way, url, what]
                runs = [subprocess.run(command, check=True, capture_output=True, text=True) for _ in range(RUNS)]
                figures += map(min, zip(*(map(float, run.stdout.split()) for run in runs), strict=True))
            memory, seconds, count, block = figures
            each = f"{memory * 1e3 / COUNT:4.0f} kB and {seconds * 1e3 / COUNT:5.1f} ms each"
            blocks = f"making one blocks the event loop for {block * 1e3:5.2f} ms at most"
            print(f"{COUNT} clients over {way:13}: {each}, {count:2.0f} connections; {blocks}", flush=True)


if __name__ == "__main__":
    main()
