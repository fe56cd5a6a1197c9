"""respx in place of the connections of httpx, or of httpx2, which it does not know by itself."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import respx
from respx.mocks import HTTPCoreMocker


class Httpcore2Mocker(HTTPCoreMocker):
    """The same for the core of httpx2: its requests and responses have the same attributes."""

    name = "httpcore2"
    targets = tuple(
        f"httpcore2._async.{name}"
        for name in (
            "connection.AsyncHTTPConnection",
            "connection_pool.AsyncConnectionPool",
            "http_proxy.AsyncHTTPProxy",
        )
    )


def answering(package: ModuleType, **options: Any) -> respx.MockRouter:
    """A router that answers what the clients of this package send."""
    return respx.mock(using="httpcore2" if package.__name__ == "httpx2" else "httpcore", **options)
