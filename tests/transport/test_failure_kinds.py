"""What the failures of httpx and of httpx2 prove about the request."""

from __future__ import annotations

import httpx
import httpx2
import pytest

from picoworkers_async.transport.failures import FailureKind, failure_kind


@pytest.mark.parametrize("package", [httpx, httpx2])
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ConnectError", FailureKind.NOT_SENT),
        ("ConnectTimeout", FailureKind.NOT_SENT),
        ("PoolTimeout", FailureKind.NOT_SENT),
        ("ProxyError", FailureKind.NOT_SENT),
        ("UnsupportedProtocol", FailureKind.NOT_SENT),
        ("ReadError", FailureKind.MAYBE_SENT),
        ("ReadTimeout", FailureKind.MAYBE_SENT),
        ("WriteError", FailureKind.MAYBE_SENT),
        ("WriteTimeout", FailureKind.MAYBE_SENT),
        ("CloseError", FailureKind.MAYBE_SENT),
        ("RemoteProtocolError", FailureKind.MAYBE_SENT),
        ("LocalProtocolError", FailureKind.MAYBE_SENT),
        ("DecodingError", FailureKind.MAYBE_SENT),
    ],
)
def test_only_a_failure_before_the_request_started_counts_as_not_sent(package, name, kind) -> None:
    assert failure_kind(getattr(package, name)("x")) is kind


@pytest.mark.parametrize("failure", [ValueError("x"), OSError("x"), KeyboardInterrupt()])
def test_what_is_no_failure_of_the_connection_is_left_alone(failure: BaseException) -> None:
    assert failure_kind(failure) is FailureKind.NOT_HTTP
