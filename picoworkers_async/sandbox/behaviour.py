"""How the sandbox behaves: every setting that may be changed while it runs."""

from __future__ import annotations

from typing import Literal, get_args

import attrs

from .faults import Faults, names, probability

Order = Literal["oldest", "newest", "shuffled"]
Titles = Literal["as_sent", "trimmed", "escaped", "both"]
PostAnswer = Literal["url", "job_id", "job", "data", "unnamed", "without_ok", "empty", "swallowed"]

PostedAs = Literal["pending_review", "pending_approval", "running"]


def _seconds(instance: object, attribute: attrs.Attribute[float], value: float) -> None:
    if not value >= 0:
        raise ValueError(f"{attribute.name}={value!r}: must be 0 seconds or more")


def _faults(given: Faults | None) -> Faults:
    return given or Faults()


def _ids(given: set[str] | str | None) -> set[str] | None:
    """The set itself, which may change later; a text is the id of one task."""
    return {given} if isinstance(given, str) else given


@attrs.define(kw_only=True)
class Behaviour:
    """The settings of a sandbox: arguments and attributes of `Sandbox`, of the same names."""

    page_size: int = attrs.field(default=20, validator=[attrs.validators.instance_of(int), attrs.validators.ge(1)])
    """How many items a page has."""
    latency: float | tuple[float, float] = 0.0
    """How many seconds a request takes, or a range to draw them from."""
    order: Order = attrs.field(default="oldest", validator=attrs.validators.in_(get_args(Order)))
    """The order of task listings: oldest or newest first, or shuffled anew for each request."""
    refusal_status: int = 200
    """The HTTP status of refusals."""
    faults: Faults = attrs.field(factory=Faults, converter=_faults)
    """Which faults happen to requests, and how likely each is."""
    read_lag: float = attrs.field(default=0.0, validator=_seconds)
    """Reads of tasks, jobs and the balance show the state of this many seconds ago; see `Sandbox.read_lag`."""
    lag_share: float = attrs.field(default=1.0, validator=probability)
    """The share of reads, from 0 to 1, that meet the replica that lags; the others see the current state."""
    pays_repeats: bool = False
    """Whether a rated task can be rated, and its worker paid, again. Repeats count in `double_ratings`."""
    odd_fields: float = attrs.field(default=0.0, validator=probability)
    """The share of tasks, from 0 to 1, that are listed with one field in an undocumented shape.

    Which tasks, and which shape, depends on their ids and the seed, so that it is the same on every page. Id and
    revision are always right; `job_id` can be missing, but only from a listing of one job.
    """
    page_lies: float = attrs.field(default=0.0, validator=probability)
    """The probability that a page's items are null or missing, or its `pages` is missing, null or 0."""
    titles: Titles = attrs.field(default="as_sent", validator=attrs.validators.in_(get_args(Titles)))
    """How titles of jobs come back: as they were sent, trimmed, with HTML entities, or both."""
    post_answer: PostAnswer = attrs.field(default="url", validator=attrs.validators.in_(get_args(PostAnswer)))
    """How a post is answered: with the job's id in `url` as documented, as `job_id`, as the `id` of a `job`, as
    the
    `job_id` of `data`, with ok but no id (`unnamed`), with an id but no ok (`without_ok`), or with an empty body
    (`empty`). `swallowed` answers with an empty body, too, and posts nothing.
    """
    posted_as: PostedAs = attrs.field(default="pending_review", validator=attrs.validators.in_(get_args(PostedAs)))
    """The first status of a posted job: it waits until `approve` lets it run, or runs at once."""
    also_takes: frozenset[str] = attrs.field(default=frozenset(), converter=names)
    """Attributes of a job to be posted that are in no document, but are accepted."""
    refuse_bulk_with: set[str] | None = attrs.field(default=None, converter=_ids)
    """The ids of tasks for which a request to rate them, alone or among others, is refused whole."""
    retry_after_header: bool = True
    """Whether a 429 has a `Retry-After`."""
    retry_after: str | None = None
    """The `Retry-After` of every 429, whatever it should be; None: the seconds that are left."""
