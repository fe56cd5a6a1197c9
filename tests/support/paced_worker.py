"""A program that calls as fast as its pacer lets it: several of them share one account in the pacer tests.

Given the seconds of a block, it keeps its event loop to itself for so long, half of the time.
"""

from __future__ import annotations

import sys
import time

import anyio

from picoworkers_async import AsyncPicoworkers, Pacer, RedisPacer, SqlitePacer, Throttle


def pacer_of(where: str) -> Pacer:
    return RedisPacer(where) if where.startswith("redis:") else SqlitePacer(where)


async def main(url: str, where: str, rate: str, block: str = "0") -> None:
    throttle = Throttle(4, float(rate), cooldown=2.0, pacer=pacer_of(where))
    async with AsyncPicoworkers("user_id", "api_secret", base_url=url, throttle=throttle) as pico:

        async def call_forever() -> None:
            while True:
                await pico.users.get_balances()

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(call_forever)
            while seconds := float(block):
                await anyio.sleep(seconds)
                time.sleep(seconds)  # noqa: ASYNC251


if __name__ == "__main__":
    anyio.run(main, *sys.argv[1:])
