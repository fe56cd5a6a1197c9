"""The one place that knows the exceptions of httpx and of httpx2, its successor.

They are told apart by name, so that neither package has to be installed for the other's sake.
"""

from __future__ import annotations

import enum


class FailureKind(enum.Enum):
    """What the failure of a connection says about the request."""

    NOT_SENT = "certainly never reached the service"
    MAYBE_SENT = "may have reached the service"
    NOT_HTTP = "not a failure of the connection"


_PACKAGES = ("httpx", "httpx2")

# A request starts only on an open connection: when opening or getting one fails, nothing was sent.
_BEFORE_SENDING = frozenset(
    {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol", "InvalidURL"}
)
_MAYBE_SENDING = frozenset({"TransportError", "HTTPError", "StreamError", "DecodingError", "TooManyRedirects"})


def failure_kind(failure: BaseException) -> FailureKind:
    """What `failure` proves. Whatever proves nothing counts as sent.

    A write that failed may have gone out before: the error can belong to an earlier write's acknowledgement.
    """
    names = {kind.__name__ for kind in type(failure).__mro__ if kind.__module__.partition(".")[0] in _PACKAGES}
    if names & _BEFORE_SENDING:
        return FailureKind.NOT_SENT
    if names & _MAYBE_SENDING:
        return FailureKind.MAYBE_SENT
    return FailureKind.NOT_HTTP
