"""What `decide` may give beside a rating: ask again later."""

from __future__ import annotations

import attrs

from ..errors import InvalidRequestError
from ..settings import seconds_problems


@attrs.frozen
class Later:
    """Ask about this task again, at the first look `seconds` from now or later; `reason` is for the log.

    With 0 that is the next look. Raises `InvalidRequestError` unless `seconds` is a finite number, 0 or more. What
    the values that `decide` may give mean:

    | it gives | now | in the next looks | after a restart |
    | --- | --- | --- | --- |
    | a `Rating` | it is sent | not asked again | with a journal not asked again; else if it is still listed |
    | `None` | left alone | not asked again | asked again |
    | `Later` | left alone | with `follow`, asked again once it is time | asked again |
    | it raises, is cancelled, takes longer than `decide_timeout`, or gives anything else | an outcome `FAILED` | \
with `follow`, asked again after `retry_failed` seconds, doubled each time up to an hour | asked again |
    | a `Rating` that breaks a rule, or is over a limit by itself, such as `max_bonus` | an outcome `FAILED`, \
unsent | as if it had raised | asked again |
    | a `Rating` that is over a limit of the day, with `on_limit="leave"` | an outcome `FAILED`, unsent | with \
`follow`, sent at the first look of the next day if it fits then, and not asked again; over `keep_balance`, tried \
again every hour; over `total`, not again | as a `Rating` |

    A new revision of a task is a new task. Without `follow` nothing is asked again: the review ends, and what was
    put off is left to the next. A task that leaves the listing is forgotten. What `decide` raises that is no
    `Exception` (but for a cancellation of something it waited for) ends the review, and is raised from it.
    """

    seconds: float
    reason: str | None = None

    def __attrs_post_init__(self) -> None:
        problems = seconds_problems("seconds", self.seconds)
        if problems:
            raise InvalidRequestError("Later", problems, sends=False)
