"""A job to be posted, and the service's answer to it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple, Self

import attrs

from ..problems import Problem
from . import floors
from .account import to_money, to_money_or_none
from .catalog import INTERNATIONAL, Category
from .costs import Cost, cost_of
from .draft_file import values_in
from .floors import DraftWarning
from .from_plain import from_plain
from .jobs import (
    Autorate,
    AutorateWord,
    Challenge,
    ChallengeAction,
    ChallengeActionWord,
    Proof,
    ProofType,
    WorkersLevel,
    WorkersLevelWord,
)
from .to_plain import numbers_as_sent, to_plain


class Limit(NamedTuple):
    """What the service uses if an attribute is not sent, and the least and the most it accepts.

    For a sequence, `maximum` is how many items it may have.
    """

    default: Any = None
    minimum: int | Decimal | None = None
    maximum: int | Decimal | None = None


def limited(limit: Limit, **options: Any) -> Any:
    """An optional attrs field (None: not sent) that carries its limit.

    Type checkers do not see a converter in `options`: a field that accepts more than its annotation says is an
    `attrs.field` of its own.
    """
    return attrs.field(default=None, metadata={"limit": limit}, **options)


@cache
def limits_of(model: type) -> dict[str, Limit]:
    """The limits of a model's fields, by name."""
    return {field.name: field.metadata["limit"] for field in attrs.fields(model) if "limit" in field.metadata}


def _to_tuple(value: object) -> Any:
    """A sequence as a tuple. A string, or what is not a sequence, stays as it is for the rules to reject."""
    if value is None or isinstance(value, str | bytes | Mapping):
        return value
    try:
        return tuple(value)  # type: ignore[arg-type]
    except TypeError:
        return value


def _texts(value: Sequence[str] | None) -> Any:
    return _to_tuple(value)


def _proofs(value: Sequence[Proof] | None) -> Any:
    return _to_tuple(value)


def _challenges(value: Sequence[Challenge] | None) -> Any:
    return _to_tuple(value)


def _to_tuples(value: Mapping[str, Sequence[str]] | None) -> Any:
    """A mapping of names to sequences, these as tuples. What is not a mapping stays as it is."""
    if not isinstance(value, Mapping):
        return value
    return {name: _to_tuple(values) for name, values in value.items()}


def _limits_of_rest(fields: Mapping[str, Any], unread: tuple[Problem, ...]) -> list[Problem]:
    from ..rules.readable import check_readable  # the rules know the models, and not the other way round

    return check_readable(fields, unread)


# These convert nothing: they say which words a checker of types takes. Others are left for the rules to refuse.
def _action(word: ChallengeAction | ChallengeActionWord | None) -> ChallengeAction | str | None:
    return word


def _level(word: WorkersLevel | WorkersLevelWord | None) -> WorkersLevel | str | None:
    return word


def _autorate(word: Autorate | AutorateWord | None) -> Autorate | str | None:
    return word


@attrs.frozen
class Ack:
    """The service did what it was asked. `message` is what it said, made printable, if anything."""

    message: str | None = None
    extra: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen
class PostedJob:
    """A job was posted or, in test mode, found valid.

    `job_id` is the job's id from the answer or, if the answer had none, of the job that was found by reading. It
    is None in test mode, and if the job was not found: then `note` says what is known, and what to do before you
    post again. `note` is None if the service said ok and named the job.
    """

    job_id: str | None = None
    url: str | None = None
    message: str | None = None
    extra: Mapping[str, Any] = attrs.field(factory=dict)
    note: str | None = None


@attrs.frozen(kw_only=True)
class JobDraft:
    """A job to post. What is None is not sent, and the service uses its default.

    Either `zone_id` or `list_id` is required. `post_job` checks the limits, all at once, before sending. Source:
    section 3.4 of the API document.
    """

    zone_id: str | None = None
    """The zone to target."""
    excluded_countries: Sequence[str] | None = attrs.field(default=None, converter=_texts)
    """Codes of countries to exclude from the zone; only those that the zone lists."""
    list_id: int | None = None
    """The list of workers to target, of at least 10 workers."""
    category_id: str
    """The category, leading zeroes included."""
    title: str
    notes: str | None = None
    """Additional notes for workers."""
    instructions: Sequence[str] | None = attrs.field(default=None, converter=_texts)
    """The steps of the expected work. SproutGigs requires at least one."""
    proofs: Sequence[Proof] | None = limited(Limit(maximum=4), converter=_proofs)
    """What workers must hand in. SproutGigs requires at least one."""
    challenges: Sequence[Challenge] | None = limited(Limit(maximum=3), converter=_challenges)
    challenge_action: ChallengeAction | str | None = attrs.field(default=None, converter=_action)
    """Required with challenges."""
    num_tasks: int | None = limited(Limit(minimum=10))
    """How many tasks to have done."""
    workers_level: WorkersLevel | str | None = attrs.field(
        default=None, metadata={"limit": Limit(default=WorkersLevel.STARTER)}, converter=_level
    )
    workers_max_tasks: int | None = limited(Limit(default=1, minimum=1, maximum=10))
    """How many tasks one worker may hand in; more than 1 needs a level above starter."""
    task_value: Decimal = attrs.field(converter=to_money)
    """Pay for one task in US dollars."""
    speed: int | None = limited(Limit(default=1000, minimum=1, maximum=1000))
    """How readily the job is shown to workers: 1 is slow, 1000 is normal."""
    ttr: int | None = limited(Limit(default=7, minimum=1, maximum=7))
    """Days until a task is rated as satisfied by itself. SproutGigs takes up to 90."""
    autorate: Autorate | str | None = attrs.field(
        default=None, metadata={"limit": Limit(default=Autorate.NO)}, converter=_autorate
    )
    pause_after_approval: bool | None = limited(Limit(default=False))
    hold_time: int | None = limited(Limit(default=5, minimum=5, maximum=90))
    """Minutes that a worker may hold a position. SproutGigs takes 15 when it is not set."""
    hold_required: bool | None = limited(Limit(default=False))
    """Whether workers must hold the position before they hand in."""
    distribution: int | None = limited(Limit(minimum=25, maximum=100))
    """Greatest share of tasks from one country, in percent."""
    notify_followers: bool | None = limited(Limit(default=False))
    """Whether to notify your followers; costs 3% of the job, at least $1."""
    premium_amount: Decimal | None = attrs.field(
        default=None,
        metadata={"limit": Limit(default=Decimal(0), minimum=Decimal("2.00"), maximum=Decimal("50.00"))},
        converter=to_money_or_none,
    )
    """What to add to feature the job, in US dollars; 0 for nothing."""
    start_time: str | None = None
    """UTC, `HH:mm`: when the job starts each day (SproutGigs)."""
    end_time: str | None = None
    """UTC, `HH:mm`: when the job ends each day (SproutGigs)."""
    variables: Mapping[str, Sequence[str]] | None = limited(Limit(minimum=2, maximum=999), converter=_to_tuples)
    """Values for each `{{NAME}}` of the instructions, all of the same number (SproutGigs)."""
    watch_time: int | None = limited(Limit(minimum=0))
    """SproutGigs. Only seen in use, as 0, and in no document: perhaps the seconds to watch a video."""
    daily_tasks_limit: int | None = limited(Limit(minimum=0))
    """SproutGigs. Only seen in use, as 0, and in no document: perhaps the most tasks in a day, 0 for no limit."""
    hourly_tasks_limit: int | None = limited(Limit(minimum=0))
    """SproutGigs. Only seen in use, as 0, and in no document: perhaps the most tasks in an hour, 0: no limit."""
    extra: Mapping[str, Any] | None = attrs.field(factory=dict)
    """Attributes that this library does not know, sent as they are: names that JobDraft does not have, and JSON
    values. The service may ignore or refuse them.
    """

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Make a draft from plain values, as they come from JSON, TOML or a form.

        Names are those of this class; proofs and challenges are dicts of theirs. Money is a number or its text
        (a float is read by its shortest form, so text is safer); times of day are texts. Raises
        `InvalidRequestError` for names that are missing or unknown and values of the wrong type, each with its
        path; with them, it lists every limit of all editions that the other fields break. Limits alone raise
        nothing here: `jobs.check` and `post_job` check them, and those of one edition too.
        """
        return from_plain(cls, fields, f"{cls.__name__}.from_dict", _limits_of_rest)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """Read a draft from a TOML or JSON file, by its suffix, as `from_dict` does. Blocks while it reads.

        Money is exact to the digit, even as a number. Also raises `InvalidRequestError` for a file that is not
        valid TOML or JSON, for a name that occurs twice, and for more than 256 KiB; `OSError` for a file that
        cannot be read.
        """
        call = f"{cls.__name__}.from_file"
        fields = values_in(path, call)
        if isinstance(fields, dict) and "extra" in fields:
            fields["extra"] = numbers_as_sent(fields["extra"])
        return from_plain(cls, fields, call, _limits_of_rest)

    def to_dict(self) -> dict[str, Any]:
        """This draft as plain values that JSON and TOML can hold: only what was set.

        `JobDraft.from_dict` makes from it a draft that is posted as this one is, and that equals it unless
        `extra` has amounts. Money is its exact text; a `Decimal` in `extra` is the number that is sent for it.
        What JSON cannot carry becomes a text, as in `to_jsonable`; the rules would refuse nearly all of it.
        """
        return to_plain(self)

    def cost(self) -> Cost:
        """What this job certainly costs, what it probably costs, and in words what is not known. Sends nothing.

        Meant for drafts that keep to the limits.
        """
        return cost_of(
            self.num_tasks,
            self.task_value,
            notify_followers=bool(self.notify_followers),
            premium=self.premium_amount or Decimal(0),
        )

    def warnings(self, category: Category | None = None) -> tuple[DraftWarning, ...]:
        """What the web site's own form would not have accepted in October 2024. The API may accept it.

        These are the least pay for the level of workers, for a long time to rate and for screenshots, and the
        least number of tasks. If you give the draft's `category`, from `get_categories`, its least pay counts
        too. Nothing is ever refused for these. Meant for any draft: a broken limit gives no warning here.
        """
        zone = self.zone_id if isinstance(self.zone_id, str) else INTERNATIONAL
        proofs = self.proofs if isinstance(self.proofs, tuple) else ()
        return floors.warnings_of(
            value=self.task_value,
            num_tasks=self.num_tasks,
            ttr=self.ttr,
            level=None if self.list_id is not None else self.workers_level,
            screenshots=sum(isinstance(proof, Proof) and proof.type == ProofType.SCREENSHOT for proof in proofs),
            category_id=self.category_id,
            least_pay=None if category is None else category.min_task_value.get(zone),
        )
