"""A server that makes its client before it forks its workers, as `gunicorn --preload` does; each enters it.

The environment names the account and the service; given are the pacer's file, the rate, and how many workers and
calls. It ends with an error where one of its workers does.
"""

from __future__ import annotations

import os
import sys

import anyio

from picoworkers_async import AsyncPicoworkers, SqlitePacer, Throttle


async def work(pico: AsyncPicoworkers, calls: int) -> None:
    async with pico:
        for _ in range(calls):
            await pico.users.get_balances()


def main(path: str, rate: str, workers: str, calls: str) -> int:
    pico = AsyncPicoworkers.from_env(throttle=Throttle(requests_per_second=float(rate), pacer=SqlitePacer(path)))
    children = []
    for _ in range(int(workers)):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                anyio.run(work, pico, int(calls))
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    return max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
