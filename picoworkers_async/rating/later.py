"""What `decide` may return besides a rating: ask again later."""

from __future__ import annotations

import attrs

from ..errors import InvalidRequestError
from ..settings import seconds_problems


@attrs.frozen
class Later:
    """Ask about this task again, in the first sweep at least `seconds` from now; `reason` is for the log.

    With 0 that is the next sweep. Raises `InvalidRequestError` unless `seconds` is a finite number, 0 or more.

    What `decide` may do, and what follows:

    | it gives | now | in the next sweeps | after a restart |
    | --- | --- | --- | --- |
    | a `Rating` | it is sent | not asked again | with a journal not asked again; else asked again if it is still \
listed |
    | `None` | left alone | not asked again | asked again |
    | `Later` | left alone | with `follow`, asked again once it is time | asked again |
    | it raises, is cancelled, takes longer than `decide_timeout`, or gives anything else | an outcome `FAILED` | \
with `follow`, asked again after `retry_failed` seconds, doubled each time up to an hour | asked again |
    | a `Rating` that breaks a rule, or exceeds a limit by itself, such as `max_bonus` | an outcome `FAILED`, \
unsent | as if it had raised | asked again |
    | a `Rating` that exceeds a limit of the day, with `on_limit="leave"` | an outcome `FAILED`, unsent | with \
`follow`, sent in the first sweep of the next day if it fits then, and not asked again; over `keep_balance`, \
tried again every hour; over `total`, not again | as a `Rating` |

    A new revision of a task is a new task. Without `follow` nothing is asked again: the review ends, and what
    was put off is left to the next run. A task that leaves the listing is forgotten. If `decide` raises
    something that is no `Exception` (except a cancellation of something it waited for), that ends the review,
    which raises it.
    """

    seconds: float
    reason: str | None = None

    def __attrs_post_init__(self) -> None:
        problems = seconds_problems("seconds", self.seconds)
        if problems:
            raise InvalidRequestError("Later", problems, sends=False)
