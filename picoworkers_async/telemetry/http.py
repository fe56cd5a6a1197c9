"""A request in terms of OpenTelemetry's semantic conventions for HTTP clients."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from ..events import RequestDone

DURATION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""The buckets that the conventions advise, in seconds."""

_PORTS = {"http": 80, "https": 443}

Attributes = dict[str, str | int]


class Target(NamedTuple):
    """Where a request goes; the path is the same for all requests of an endpoint."""

    host: str
    port: int
    path: str


@lru_cache(maxsize=256)
def _target(url: str) -> Target:
    parts = urlsplit(url)
    return Target(parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0), parts.path)


def target_of(event: RequestDone) -> Target:
    """Where it went. Ids are in the query, which is not used."""
    return _target(event.url.partition("?")[0])


def error_type(event: RequestDone) -> str | None:
    """`error.type`: the status, if that says what is wrong, else the name of the error's class."""
    if event.status is not None and event.status >= 400:
        return str(event.status)
    return event.error_type


def attributes_of(event: RequestDone) -> Attributes:
    """Attributes that spans and metrics of a request share: none that takes many values."""
    target = target_of(event)
    attributes: Attributes = {
        "http.request.method": event.method,
        "server.address": target.host,
        "server.port": target.port,
        "url.template": target.path,
    }
    if event.status is not None:
        attributes["http.response.status_code"] = event.status
    wrong = error_type(event)
    if wrong is not None:
        attributes["error.type"] = wrong
    return attributes
