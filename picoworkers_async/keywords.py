"""The options of a client, as keywords: what `from_env` passes to the constructor."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, TypedDict

from .editions import Edition
from .retry import RetryPolicy
from .throttle import Throttle
from .transport.choice import TransportName
from .transport.shared import SharedTransport

if TYPE_CHECKING:
    import httpx
    import httpx2

    from .events import Event


class ClientKeywords(TypedDict, total=False):
    """The options of `AsyncPicoworkers`, as keywords; its docstring says what each means."""

    edition: Edition | str
    base_url: str | None
    http_client: httpx.AsyncClient | httpx2.AsyncClient | None
    transport: TransportName | SharedTransport | httpx.AsyncBaseTransport | httpx2.AsyncBaseTransport | None
    throttle: Throttle | None
    retry: RetryPolicy | None
    timeout: float | None
    settle_after: float
    max_wait: float | None
    max_response_bytes: int
    insecure_http_hosts: Collection[str]
    on_event: Callable[[Event], object] | None
