"""How well a limit that the client is not told is learned: the share used, the 429s, and the pauses after them.

Eight callers at full load, on virtual time, with a latency of 45 to 55 ms, or of 20 to 200 ms where it says so.
Those that are on the wire when the first 429 comes are counted, too. `--minutes` is how long each row lasts.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from picoworkers_async import Throttle
from picoworkers_async.sandbox.limiter import Limiter
from tests.support.hidden_limits import Limit, Load, Window, full_load
from tests.support.virtual_time import run

STEADY, JITTER = (0.045, 0.055), (0.02, 0.2)


async def measure(limit: Limit, seconds: float, latency: tuple[float, float]) -> tuple[Load, float | None]:
    throttle = Throttle(8)
    load = await full_load(throttle, limit, seconds, latency)
    return load, throttle.state().requests_per_second


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    seconds = parser.parse_args().minutes * 60.0
    print(f"{'hidden limit':>26} {'share':>6} {'429s':>5} {'pauses':>7} {'pace at the end':>16}")
    rows: list[tuple[str, float, Limit, tuple[float, float]]] = [
        *(
            (f"{rate:g}/s, silent 10 s", rate, Limiter(rate, 10.0), STEADY)
            for rate in (0.2, 1.0, 5.0, 20.0, 100.0)
        ),
        *((f"{rate:g}/s, silent 10 s, jitter", rate, Limiter(rate, 10.0), JITTER) for rate in (1.0, 5.0, 20.0)),
        *((f"{count}/min", count / 60, Window(count, 60.0), STEADY) for count in (12, 60, 300, 1200)),
    ]
    for name, rate, limit, latency in rows:
        load, pace = run(measure, limit, seconds, latency)
        kept = "none" if pace is None else f"{pace:.2f}/s"
        used = load.share(rate, until=seconds)
        print(f"{name:>26} {used:6.2f} {load.refused:5d} {load.pauses:7d} {kept:>16}", flush=True)


if __name__ == "__main__":
    main()
