"""What the failure of a request proves about it. Knows the exceptions of httpx, httpx2 and their cores by name.

By name, so that none of these packages has to be installed because of another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from ..errors import Fate

E = TypeVar("E", bound=BaseException)

_CLIENTS = frozenset({"httpx", "httpx2"})
_CORES = frozenset({"httpcore", "httpcore2"})

# A request starts only on an open connection: when opening or getting one fails, nothing was sent.
_BEFORE_SENDING = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"})


def fate_of(failure: BaseException, *, ours: bool) -> Fate:
    """What `failure`, raised from the moment the transport was called, proves. What proves nothing counts as sent.

    `ours` says that both the client and the transport are this library's, so that httpx's exceptions mean what
    they say. Others report a request that was received and then dropped as a failed connect: of theirs, only an
    exception that was raised from httpcore's own is believed. A write that failed may have been sent before: the
    error can belong to an earlier write's acknowledgement.
    """
    if ours:
        proven = _is_before_sending(failure, _CLIENTS)
    else:
        proven = any(_is_before_sending(cause, _CORES) for cause in _causes(failure))
    return Fate.NOT_PROCESSED if proven else Fate.UNKNOWN


def without_frames(failure: E) -> E:
    """The same failure without the frames below us and what was raised there: their variables hold the secret."""
    failure.__traceback__ = failure.__cause__ = failure.__context__ = None
    if isinstance(failure, BaseExceptionGroup):
        for one in failure.exceptions:
            without_frames(one)
    return failure


def _is_before_sending(failure: BaseException, packages: frozenset[str]) -> bool:
    return any(
        kind.__name__ in _BEFORE_SENDING and kind.__module__.partition(".")[0] in packages
        for kind in type(failure).__mro__
    )


def _causes(failure: BaseException) -> Iterator[BaseException]:
    """The exceptions that this one was raised from, and those that they were."""
    seen: set[int] = set()
    cause = failure.__cause__
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__
