"""What was asked of the sandbox, request by request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@attrs.frozen
class Logged:
    """A request and what became of it. `time` is when it arrived, by the sandbox's clock.

    `status` is that of the answer, also of one that never reached the client; `fault` names what was done
    to it on request.
    """

    time: float
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    status: int
    fault: str | None = None


@attrs.frozen
class Reply:
    """An answer before it goes out."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = attrs.field(factory=dict)
