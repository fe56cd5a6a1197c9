"""What the fast adapter was chosen by: requests a second of each library alone, and what each sends twice.

`python benchmarks/candidates.py [WAY ...]`. Each figure is the median of three rounds, the ways taking turns: with
the service on one core and the client on the other, and with nobody pinned.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import statistics
import struct
import time

from carriers import WAYS
from server import ANSWER, served

CONCURRENCIES = (1, 8, 32, 128)
ROUNDS = 3


async def speed(way: str, url: str, concurrency: int, count: int) -> float:
    left = count
    async with WAYS[way](url) as send:

        async def one_by_one() -> None:
            nonlocal left
            while left > 0:
                left -= 1
                assert (await send("POST", url))["ok"]

        started = time.perf_counter()
        await asyncio.gather(*(one_by_one() for _ in range(concurrency)))
        return count / (time.perf_counter() - started)


async def times_sent(way: str, method: str) -> int:
    """How often the second request is received when its connection, used once before, is reset by the service."""
    received = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal received
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                if b"content-length:" in head.lower():
                    await reader.readuntil(b"}")
            except (asyncio.IncompleteReadError, ConnectionError):
                return writer.close()
            received += 1
            if received > 1:
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                return writer.transport.abort()
            writer.write(ANSWER)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with WAYS[way](url) as send:
        await send(method, url)
        try:
            await asyncio.wait_for(send(method, url), 5)
        except Exception:
            return received - 1
    return -1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ways", nargs="*", default=["ours", "aiohttp"], choices=list(WAYS))
    ways = parser.parse_args().ways
    for pinned in (True, False):
        print(f"{'pinned' if pinned else 'unpinned':10}" + "".join(f"{f'at {n}':>10}" for n in CONCURRENCIES))
        speeds: dict[tuple[str, int], list[float]] = {}
        with served(pinned=pinned) as url:
            for _ in range(ROUNDS):
                for concurrency in CONCURRENCIES:
                    for way in ways:
                        count = 1500 if concurrency == 1 else 5000
                        one = asyncio.run(speed(way, url, concurrency, count))
                        speeds.setdefault((way, concurrency), []).append(one)
        for way in ways:
            cells = (f"{statistics.median(speeds[way, concurrency]):10.0f}" for concurrency in CONCURRENCIES)
            print(f"{way:10}" + "".join(cells), flush=True)
    for way in ways:
        sent = {method: asyncio.run(times_sent(way, method)) for method in ("GET", "POST")}
        print(f"{way:10} over a connection that dies: a GET sent {sent['GET']} times, a POST {sent['POST']}")


if __name__ == "__main__":
    main()
