"""Which httpx transport a client of ours sends through."""

from __future__ import annotations

import httpx


def default_transport(*, max_connections: int) -> httpx.AsyncBaseTransport:
    """A transport for up to `max_connections` requests at once, that follows the environment as httpx does."""
    return httpx.AsyncHTTPTransport(
        limits=httpx.Limits(max_connections=max_connections, max_keepalive_connections=max_connections)
    )
