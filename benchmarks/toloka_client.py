"""Ratings a second by Toloka-Kit's `AsyncTolokaClient`, by its closest call, `accept_assignment`.

Run by `speed.py` in an environment of its own, since Toloka-Kit needs older versions of httpx, attrs and cattrs:
`python benchmarks/toloka_client.py URL CONCURRENCY COUNT [--pinned]` prints the number.
"""

from __future__ import annotations

import asyncio
import sys
import time

from server import pin
from toloka.async_client import AsyncTolokaClient


async def main(url: str, concurrency: int, count: int) -> None:
    client = AsyncTolokaClient("token", url=url.rstrip("/"), retry_quotas=None)
    semaphore = asyncio.Semaphore(concurrency)

    async def rate(number: int) -> None:
        async with semaphore:
            await client.accept_assignment(f"{number:014x}", "great job!")

    started = time.perf_counter()
    await asyncio.gather(*(rate(number) for number in range(count)))
    print(count / (time.perf_counter() - started))


if __name__ == "__main__":
    if "--pinned" in sys.argv:
        pin(1)
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
