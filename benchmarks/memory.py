"""Peak memory of a small and a large batch, each in a process of its own: the growth is what ratings keep."""

from __future__ import annotations

import resource
import subprocess
import sys

import anyio
import httpx

from picoworkers_async import AsyncPicoworkers, Rating

SMALL, LARGE = 20_000, 1_000_000


async def answer(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, content=b'{"ok":true,"message":"Task rated successfully."}')


async def rate(count: int) -> None:
    ratings = (Rating("job", f"{n:014x}", "ok", bonus="0.01", revision_number=0) for n in range(count))
    async with AsyncPicoworkers("user_id", "api_secret", transport=httpx.MockTransport(answer)) as pico:
        report = await pico.rate_all(ratings)
    assert report.rated == count


def peak(count: int) -> float:
    """MB at most, by the operating system's own account."""
    command = [sys.executable, __file__, str(count)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    if len(sys.argv) > 1:
        anyio.run(rate, int(sys.argv[1]))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    small, large = peak(SMALL), peak(LARGE)
    growth = large - small
    print(f"peak memory: {SMALL} ratings {small:.1f} MB, {LARGE} ratings {large:.1f} MB, growth {growth:.1f} MB, "
          f"ratio {large / small:.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
