"""How far a batch is, and how long the rest takes: pure functions over counts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple

import attrs

from ..models.account import CONTEXT
from .outcomes import BatchReport

WaitingFor = Literal["limit", "balance", "outage", "rate limit"]

_OF_THE_BALANCE = ("balance", "keep_balance")


class Wait(NamedTuple):
    """What keeps a batch from sending, and for how many more seconds; None where that is not known."""

    reason: WaitingFor
    seconds: float | None


class Standing(NamedTuple):
    """How far the source of the ratings is.

    `met` is how many tasks or ratings came so far; `deciding` of them are being decided, `put_off` will be asked
    about again. `listed` is how many tasks the listing shows. `pages_left` pages are still to be read, and
    `to_come` is how many ratings may still come; None where that is not known.
    """

    met: int
    listed: int | None = None
    deciding: int = 0
    put_off: int = 0
    pages_left: int = 0
    to_come: int | None = 0
    soonest_due: datetime | None = None


@attrs.frozen
class Spend:
    """What a batch has spent, or would have spent, in US dollars, and on how many ratings.

    `pay` is the task value of each `ok` rating, without bonuses; None if nothing required reading the jobs for
    it. `bonus` is all bonuses. `limit` names the limit that was reached, if any. Money counts from the moment
    before a rating is sent, and is given back if the rating certainly had no effect.
    """

    ratings: int
    pay: Decimal | None
    bonus: Decimal
    limit: str | None

    @property
    def total(self) -> Decimal | None:
        """Pay and bonuses; None where the pay is not known."""
        return None if self.pay is None else CONTEXT.add(self.pay, self.bonus)


@attrs.frozen(kw_only=True)
class Progress:
    """A batch at one moment. Times are in seconds, money is in US dollars.

    Tasks and ratings:

    - `listed`: tasks that the last sweep showed; None for `rate`, and before the first page was read.
    - `met`: tasks, or ratings of `rate`, that came so far. Each of them is in one of the next three.
    - `deciding`: those that are being decided.
    - `put_off`: those that will be asked about again.
    - `decided`: all others, among them those that were put off and are no longer listed.
    - `waiting`: ratings that wait to be sent.
    - `in_flight`: ratings that are being sent.
    - `rated`, `refused`, `failed`, `would_rate` (in a dry run): outcomes so far.
    - `unknown`: ratings whose answer was lost and is looked for, and outcomes that reading could not tell.
    - `soonest_due`: when the first of the tasks that are listed and not rated pays itself, in UTC; None without
      `due_within`.

    Money and pace:

    - `pay`, `bonus`, `total`: what this run pays, as in `Spend`.
    - `requests`: sent by this run.
    - `requests_per_second`: the pace so far.
    - `rate_used`: the share of the permitted pace that this is; None without one.
    - `seconds`: since the batch began.
    - `eta`: seconds until all known tasks are rated, waits included, if the pace stays and nobody else uses it up;
      None where the length of the input, the pace or the wait is not known. Sweeps for lost answers do not count.

    `waiting_for` is what keeps the batch from sending, None if nothing does, and `until` is in how many seconds
    that ends:

    | `waiting_for` | it waits for | `until` |
    | --- | --- | --- |
    | `"limit"` | the next day, when a limit of the day begins anew | that midnight |
    | `"balance"` | more money in the account | None |
    | `"outage"` | the service, which cannot be reached or does not answer as documented | None |
    | `"rate limit"` | the end of the cooldown after a 429 | its end |
    """

    listed: int | None
    met: int
    deciding: int
    decided: int
    waiting: int
    in_flight: int
    rated: int
    refused: int
    failed: int
    unknown: int
    put_off: int
    soonest_due: datetime | None
    would_rate: int
    pay: Decimal | None
    bonus: Decimal
    requests: int
    requests_per_second: float | None
    rate_used: float | None
    seconds: float
    eta: float | None
    waiting_for: WaitingFor | None = None
    until: float | None = None

    @property
    def total(self) -> Decimal | None:
        """Pay and bonuses; None where the pay is not known."""
        return None if self.pay is None else CONTEXT.add(self.pay, self.bonus)


def requests_left(standing: Standing, *, whole: int, waiting: int, in_flight: int, at_once: int) -> int | None:
    """How many requests the rest takes at least; None while the length of the input is not known.

    `waiting` ratings make `whole` requests as they stand. Ratings still to come fill requests of `at_once`.
    """
    if standing.to_come is None:
        return None
    to_send = standing.deciding + standing.to_come + in_flight
    if at_once == 1:
        return standing.pages_left + waiting + to_send
    return standing.pages_left + max(whole, -(-(waiting + to_send) // at_once))


def eta(left: int | None, pace: float | None, *, requests: int, seconds: float) -> float | None:
    """How many seconds that many requests take, at the permitted pace or, without one, at the pace so far."""
    if left is None:
        return None
    if left == 0:
        return 0.0
    if pace is None:
        pace = requests / seconds if requests and seconds > 0 else None
    return None if pace is None else left / pace


def what_is_waited_for(*, away: bool, limit: str | None, limit_left: float | None, cooldown: float) -> Wait | None:
    """What keeps a batch from sending, the longest wait first; None if nothing does.

    `away` says that the service is away. `limit` names the limit that is reached, and is lifted in `limit_left`
    seconds. `cooldown` is how many seconds are left of the cooldown after a 429.
    """
    if away:
        return Wait("outage", None)
    if limit is not None:
        return Wait("balance", None) if limit in _OF_THE_BALANCE else Wait("limit", limit_left)
    return Wait("rate limit", cooldown) if cooldown > 0 else None


def eta_after(seconds: float | None, wait: Wait | None) -> float | None:
    """How long work of this many seconds takes if it resumes after a wait."""
    if not seconds or wait is None:
        return seconds
    return None if wait.seconds is None else seconds + wait.seconds


def rate_used(pace: float | None, *, requests: int, seconds: float) -> tuple[float | None, float | None]:
    """Requests per second so far, and the share of those that the pace permits in this time.

    The first one may leave at once, so one more is permitted than the time alone says.
    """
    if seconds <= 0:
        return None, None
    return requests / seconds, None if pace is None else requests / (seconds * pace + 1)


def snapshot(
    standing: Standing,
    report: BatchReport,
    *,
    in_hand: int,
    unknown: int,
    waiting: int,
    whole: int,
    at_once: int,
    requests: int,
    pace: float | None,
    spend: Spend,
    wait: Wait | None,
) -> Progress:
    """The progress of a batch: `in_hand` tasks and ratings have no outcome yet, `unknown` of them await a sweep.

    `waiting`, `whole` and `at_once` are those of `requests_left`; `requests` and `pace` are those of `eta`.
    `spend` is what was spent, `wait` what the batch waits for.
    """
    in_flight = max(0, in_hand - unknown - waiting - standing.deciding)
    left = requests_left(standing, whole=whole, waiting=waiting, in_flight=in_flight, at_once=at_once)
    so_far, share = rate_used(pace, requests=requests, seconds=report.elapsed)
    return Progress(
        listed=standing.listed,
        met=standing.met,
        deciding=standing.deciding,
        decided=standing.met - standing.deciding - standing.put_off,
        waiting=waiting,
        in_flight=in_flight,
        rated=report.rated,
        refused=report.refused,
        failed=report.failed,
        unknown=report.unknown + unknown,
        put_off=standing.put_off,
        soonest_due=standing.soonest_due,
        would_rate=report.would_rate,
        pay=spend.pay,
        bonus=spend.bonus,
        requests=requests,
        requests_per_second=so_far,
        rate_used=share,
        seconds=report.elapsed,
        eta=eta_after(eta(left, pace, requests=requests, seconds=report.elapsed), wait),
        waiting_for=None if wait is None else wait.reason,
        until=None if wait is None else wait.seconds,
    )
