"""What can go wrong with a broker, and with those who decide."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import anyio
from coredis.exceptions import AuthenticationError, AuthorizationError, RedisError
from streaq.types import StreaqError

from ..errors import Fate, PicoworkersError, _encodable

_LOST = (
    *(RedisError, StreaqError, OSError, UnicodeError),
    *(anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError),
)
_CAUSE = "of pipeline caused error: "


class BrokerError(PicoworkersError):
    """The broker is not there, or refuses. `refused`: the password or what the user may do is to be corrected."""

    fate = Fate.NOT_PROCESSED
    _paragraph = "brokererror"

    def __init__(self, what: str, *, refused: bool = False) -> None:
        self.refused = refused
        super().__init__(_encodable(what))


class DeciderError(PicoworkersError):
    """No decider could decide this task: what it raised last, or what is wrong with what it gave."""

    fate = Fate.NOT_PROCESSED
    _paragraph = "decidererror"


def broker_error(error: BaseException, url: str) -> BrokerError | None:
    """What this says about the broker; None if it is about something else. The password is never in it."""
    leaves = list(_leaves(error))
    for leaf in leaves:
        if isinstance(leaf, AuthenticationError | AuthorizationError):
            words = str(leaf).partition(",")[0]  # a server goes on about its protocol
            return BrokerError(f"the broker at {place(url)} refuses user or password: {words}", refused=True)
    if all(isinstance(leaf, _LOST) for leaf in leaves):
        kind = type(leaves[0]).__name__
        # Before it stands the whole command, and in that the task with its proofs.
        words = str(leaves[0]).rpartition(_CAUSE)[2]
        return BrokerError(f"the broker at {place(url)} cannot be used ({kind}: {words})")
    return None


def place(url: str) -> str:
    """Where a broker is, without its password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 6379}"


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error
