"""The sizes of the demo."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Sizes:
    """How many tasks each part has, and how fast it goes.

    `tasks` are rated in bulk, `few` one by one, both at `pace` requests a second. Of `of_batch` tasks
    `before_kill` are rated when the process is killed, with requests that take `latency` seconds, so that some
    are always in flight. `settle_after` is the client's, in seconds; `expected` is how many seconds each part
    takes.
    """

    tasks: int = 2000
    few: int = 100
    of_batch: int = 60
    before_kill: int = 20
    pace: float = 20.0
    latency: float = 0.3
    settle_after: float = 1.5
    expected: tuple[int, int, int] = (6, 8, 1)


WHOLE = Sizes()
FAST = Sizes(tasks=400, few=20, of_batch=40, before_kill=12, pace=40.0, settle_after=0.7, expected=(1, 6, 1))
