"""The two services that speak this API, as data: their addresses, their limits, what they can do."""

from __future__ import annotations

import enum
from collections.abc import Collection

import attrs


class Ability(enum.Enum):
    """Something that one edition of the service can do and the other cannot."""

    DEPOSIT = "deposit funds by API"
    RATE_MULTIPLE = "rate up to 1000 tasks of a job in one request"
    RATED_TASKS = "list rated tasks"
    TASK_IDS = "look up tasks by their ids"
    JOB_ORDER = "order the job listing"
    VARIABLES = "post jobs with variables"
    SCHEDULE = "post jobs with a daily start and end time"
    FEATURE_JOB = "feature a job and predict its position"
    BLOCK_WORKERS = "block and unblock workers"
    TARGETING = "change a job's targeting, daily limit and distribution"
    PUBLIC_PAGES = "read public lists and profiles"
    WEBHOOK = "post back the ids of submitted tasks"


@attrs.frozen(repr=False)
class Edition:
    """One edition of the service.

    `requests_per_second` is the account's limit (None: none is documented). `cooldown` is how many seconds to
    stay silent after a 429 that names no time. `max_ttr` is the longest time to rate, in days.
    `default_hold_time` is how many minutes a worker may hold a position when a job does not say.
    `ratings_at_once` is how many tasks of a job one request can rate. `job_url` is the address of a job's page,
    up to its id.

    For jobs to be posted: `post_requires` names the attributes that only this edition requires, and
    `proof_types` the types of proof that it takes. `only_seen` names the attributes that are in no document, but
    that programs in use were seen to send: they are whole numbers, and nothing more is checked of them.

    The last fields are words in the service's messages, in any letter case. A refusal whose message has one of
    `lacks_money` in it is for want of money. One of `not_found` says that a job or a task is not there, and one
    of `no_endpoint` that there is no such call. No document gives these messages, so the words are a guess:
    change them by `attrs.evolve`.
    """

    name: str
    base_url: str
    requests_per_second: float | None
    max_ttr: int
    default_hold_time: int
    zones: frozenset[str]
    abilities: frozenset[Ability]
    job_url: str
    ratings_at_once: int = 1
    post_requires: tuple[str, ...] = ()
    proof_types: tuple[str, ...] = ("text", "screenshot")
    only_seen: tuple[str, ...] = ()
    cooldown: float = 10.0
    max_concurrency: int = 8
    lacks_money: tuple[str, ...] = ("insufficient", "not enough balance", "not enough funds", "balance is too low")
    not_found: tuple[str, ...] = (
        *("job not found", "job was not found", "job does not exist", "no such job"),
        *("task not found", "task was not found", "task does not exist", "no such task"),
    )
    no_endpoint: tuple[str, ...] = (
        *("no such method", "unknown method", "method not found", "method does not exist"),
        *("no such endpoint", "unknown endpoint", "endpoint not found", "endpoint does not exist"),
    )

    def __repr__(self) -> str:
        return f"Edition(name={self.name!r}, base_url={self.base_url!r})"

    def can(self, ability: Ability) -> bool:
        """Whether this edition has the ability."""
        return ability in self.abilities

    def is_for_want_of_money(self, message: str) -> bool:
        """Whether a refusal with this message means that the balance cannot pay for it."""
        return _has_one_of(self.lacks_money, message)

    def lacks(self, message: str, status: int | None) -> bool:
        """Whether a refusal of a call that names a job says that the job, or the task, is not there.

        Judged by its words, or by HTTP 404. `status` is that of an answer in the API's own shape (`ok: false`),
        and None for any other: a gateway answers 404, too, for an address that is not served at the moment.
        """
        return status == 404 or _has_one_of(self.not_found, message)

    def lacks_endpoint(self, message: str) -> bool:
        """Whether a refusal with this message says that the service has no such call."""
        return _has_one_of(self.no_endpoint, message)


def _has_one_of(phrases: tuple[str, ...], message: str) -> bool:
    said = message.lower()
    return any(phrase.lower() in said for phrase in phrases)


_ZONES = frozenset({"africa1", "asia1", "europe1", "europe2", "int", "latin", "muslim", "west1"})

PICOWORKERS = Edition(
    name="picoworkers",
    base_url="https://picoworkers.com/api/",
    requests_per_second=None,
    max_ttr=7,
    default_hold_time=5,
    zones=_ZONES,
    abilities=frozenset({Ability.DEPOSIT}),
    job_url="https://picoworkers.com/employer/campaign-details.php?Id=",
)
"""The service as documented on 29 June 2022."""

SPROUTGIGS = Edition(
    name="sproutgigs",
    base_url="https://sproutgigs.com/api/",
    requests_per_second=1.0,
    max_ttr=90,
    default_hold_time=15,
    zones=_ZONES | {"arab1"},
    abilities=frozenset(Ability) - {Ability.DEPOSIT},
    job_url="https://sproutgigs.com/employer/campaign-details.php?Id=",
    ratings_at_once=1000,
    post_requires=("instructions", "proofs"),
    proof_types=("text", "screenshot", "url"),
    only_seen=("watch_time", "daily_tasks_limit", "hourly_tasks_limit"),
)
"""Today's service, under its new name."""

EDITIONS: dict[str, Edition] = {edition.name: edition for edition in (PICOWORKERS, SPROUTGIGS)}


def edition_named(edition: object) -> Edition | None:
    """The edition itself, or the one of this name, in any letter case; None for anything else."""
    if isinstance(edition, Edition):
        return edition
    return EDITIONS.get(edition.lower()) if isinstance(edition, str) else None


def edition_with_zones(zones: Collection[str]) -> Edition | None:
    """The edition that lists these zones: the richest whose own zones are all among them; None if neither."""
    known = sorted(EDITIONS.values(), key=lambda edition: len(edition.zones), reverse=True)
    return next((edition for edition in known if edition.zones <= set(zones)), None)
