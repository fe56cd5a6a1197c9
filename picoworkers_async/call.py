"""One call as a value: what is sent, and how its answer is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

import attrs

from . import codec
from .endpoints import Endpoint, repeat_costs_money

T = TypeVar("T")


@attrs.frozen(eq=False)
class Call(Generic[T]):
    """A call of one endpoint. `read` makes its result from the answer's JSON.

    `content` is the body as it is sent, encoded once (None for a GET): that of `body` unless it is given.
    `costs_money` says that a repeat could cost money. Making one raises whatever `codec.encode` raises for a
    body that cannot be encoded.
    """

    endpoint: Endpoint
    read: Callable[[Any], T]
    query: Mapping[str, Any] | None = attrs.field(default=None, kw_only=True)
    body: Mapping[str, Any] | None = attrs.field(default=None, kw_only=True, repr=False)
    content: bytes | None = attrs.field(kw_only=True, repr=False)
    costs_money: bool = attrs.field(init=False)

    @content.default
    def _encoded(self) -> bytes | None:
        return None if self.endpoint.method == "GET" else codec.encode(self.body or {})

    @costs_money.default
    def _repeat_costs_money(self) -> bool:
        return repeat_costs_money(self.endpoint, self.body)

    @property
    def name(self) -> str:
        """The name used in errors and logs, such as `jobs.get_job`."""
        return self.endpoint.call

    @property
    def names_job(self) -> bool:
        """Whether the call is about one job, or one of its tasks."""
        return (self.query or self.body or {}).get("job_id") is not None

    def url(self, base_url: str) -> str:
        """The address of the call at a service; fields of the query that are None are left out."""
        url = base_url + self.endpoint.path
        if not self.query:
            return url
        fields = {name: value for name, value in self.query.items() if value is not None}
        return f"{url}?{urlencode(fields)}" if fields else url
