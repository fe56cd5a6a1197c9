"""How the service behaves: every setting that may be changed while it runs."""

from __future__ import annotations

from typing import Literal, get_args

import attrs

from .faults import Faults, probability

Order = Literal["oldest", "newest", "shuffled"]
Titles = Literal["as_sent", "trimmed", "escaped", "both"]
PostAnswer = Literal["url", "job_id", "job", "data", "unnamed", "without_ok", "empty", "swallowed"]


def _seconds(instance: object, attribute: attrs.Attribute[float], value: float) -> None:
    if not value >= 0:
        raise ValueError(f"{attribute.name}={value!r}: must be 0 seconds or more")


def _faults(given: Faults | None) -> Faults:
    return given or Faults()


@attrs.define(kw_only=True)
class Behaviour:
    """The settings of `Sandbox`, where each is described."""

    page_size: int = attrs.field(default=20, validator=[attrs.validators.instance_of(int), attrs.validators.ge(1)])
    latency: float | tuple[float, float] = 0.0
    order: Order = attrs.field(default="oldest", validator=attrs.validators.in_(get_args(Order)))
    refusal_status: int = 200
    faults: Faults = attrs.field(factory=Faults, converter=_faults)
    read_lag: float = attrs.field(default=0.0, validator=_seconds)
    lag_share: float = attrs.field(default=1.0, validator=probability)
    pays_repeats: bool = False
    odd_fields: float = attrs.field(default=0.0, validator=probability)
    page_lies: float = attrs.field(default=0.0, validator=probability)
    titles: Titles = attrs.field(default="as_sent", validator=attrs.validators.in_(get_args(Titles)))
    post_answer: PostAnswer = attrs.field(default="url", validator=attrs.validators.in_(get_args(PostAnswer)))
    also_takes: frozenset[str] = frozenset()
    refuse_bulk_with: set[str] | None = None
    retry_after_header: bool = True
    retry_after: str | None = None
