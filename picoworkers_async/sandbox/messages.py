"""Requests, replies, and the log of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import attrs

_COMPACT = json.JSONEncoder(separators=(",", ":"))


@attrs.frozen
class Request:
    """A request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@attrs.frozen
class Reply:
    """An answer before it is sent."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen
class Logged:
    """A request and its answer.

    `time` is when it arrived, in seconds on the sandbox's clock. `status` is the answer's, even if that never
    reached the client. `fault` names the fault that was injected.
    """

    time: float
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    status: int
    fault: str | None = None


def logged(arrived: float, request: Request, status: int, fault: str | None) -> Logged:
    """The log entry for this request: its body as JSON, or as text if it is not JSON."""
    body: Any = None
    if request.body:
        try:
            body = json.loads(request.body)
        except ValueError:
            body = request.body.decode("utf-8", "replace")
    return Logged(arrived, request.method, request.path, request.query, body, status, fault)


def json_reply(status: int, value: object) -> Reply:
    """A JSON answer, without spaces."""
    return Reply(status, _COMPACT.encode(value).encode())


def parse_query(raw: str) -> dict[str, str]:
    """A query string as a mapping; of a repeated name the last one counts."""
    return {name: values[-1] for name, values in parse_qs(raw, keep_blank_values=True).items()}
