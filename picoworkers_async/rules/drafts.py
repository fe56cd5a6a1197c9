"""The rules for a job to be posted (API document, section 3.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import attrs

from ..codec import printable
from ..editions import EDITIONS, Ability, Edition
from ..models import Autorate, Challenge, ChallengeAction, JobDraft, Proof, WorkersLevel
from ..models.drafts import limits_of
from ..problems import Problem, ProblemCode
from . import values
from .fields import check_fields
from .values import named

_RANGES = ("num_tasks", "workers_max_tasks", "speed", "hold_time", "distribution")
_ONLY_SEEN = tuple(dict.fromkeys(name for edition in EDITIONS.values() for name in edition.only_seen))
_OWN_NAMES = {field.name for field in attrs.fields(JobDraft)} - {"extra"} | {"test"}
_FLAGS = ("pause_after_approval", "hold_required", "notify_followers")
_NAME = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")


def check_draft(draft: object, edition: Edition) -> list[Problem]:
    """Everything that keeps this draft from being posted to this edition, without asking the service."""
    if not isinstance(draft, JobDraft):
        return [Problem("draft", draft, "a JobDraft", ProblemCode.TYPE)]
    return [
        *_check_target(draft),
        *_check_required(draft, edition),
        *_check_words(draft),
        *_check_numbers(draft, edition),
        *_check_only_seen(draft, edition),
        *_check_workers(draft),
        *_check_proofs(draft, edition),
        *_check_challenges(draft),
        *_check_money(draft),
        *_check_schedule(draft, edition),
        *_check_variables(draft, edition),
        *_check_extra(draft),
    ]


def _check_target(draft: JobDraft) -> Iterator[Problem]:
    if draft.zone_id is None and draft.list_id is None:
        yield Problem("zone_id", None, "a zone_id or a list_id is required", ProblemCode.REQUIRED)
    elif draft.zone_id is not None and draft.list_id is not None:
        yield Problem("list_id", draft.list_id, "either a zone_id or a list_id, not both", ProblemCode.CONFLICT)
    if draft.zone_id is not None:
        yield from values.text("zone_id", draft.zone_id)
    if draft.list_id is not None:
        yield from values.whole("list_id", draft.list_id, 1)
    if draft.excluded_countries is not None:
        yield from values.texts("excluded_countries", draft.excluded_countries)
        if draft.excluded_countries and draft.zone_id is None:
            yield Problem(
                "excluded_countries", draft.excluded_countries, "only with a zone_id", ProblemCode.CONFLICT
            )


def _check_required(draft: JobDraft, edition: Edition) -> Iterator[Problem]:
    for name in edition.post_requires:
        if getattr(draft, name) in (None, ()):
            limit = f"at least one: required by the edition {edition.name}"
            yield Problem(name, getattr(draft, name), limit, ProblemCode.REQUIRED)


def _check_words(draft: JobDraft) -> Iterator[Problem]:
    yield from values.text("category_id", draft.category_id)
    yield from values.text("title", draft.title)
    yield from values.optional_text("notes", draft.notes)
    if draft.instructions is not None:
        yield from values.texts("instructions", draft.instructions)


def _check_numbers(draft: JobDraft, edition: Edition) -> Iterator[Problem]:
    limits = limits_of(JobDraft)
    for name in _RANGES:
        value, limit = getattr(draft, name), limits[name]
        if value is not None:
            most = None if limit.maximum is None else int(limit.maximum)
            yield from values.whole(name, value, int(limit.minimum or 0), most)
    if draft.ttr is not None:
        least = int(limits["ttr"].minimum or 1)
        yield from named(edition, values.whole("ttr", draft.ttr, least, edition.max_ttr))
    for name in _FLAGS:
        yield from values.flag(name, getattr(draft, name))


def _check_only_seen(draft: JobDraft, edition: Edition) -> Iterator[Problem]:
    for name in _ONLY_SEEN:
        value = getattr(draft, name)
        if value is None:
            continue
        if name not in edition.only_seen:
            yield Problem(name, value, f"not known to the edition {edition.name}", ProblemCode.EDITION)
        else:
            yield from values.whole(name, value, 0)


def _check_workers(draft: JobDraft) -> Iterator[Problem]:
    level = draft.workers_level
    if level is not None:
        yield from values.one_of("workers_level", level, WorkersLevel)
    most = draft.workers_max_tasks
    if isinstance(most, int) and most > 1 and (level is None or level == WorkersLevel.STARTER):
        yield Problem(
            "workers_max_tasks", most, "more than 1 only with a workers_level above starter", ProblemCode.CONFLICT
        )
    if draft.autorate is not None:
        yield from values.one_of("autorate", draft.autorate, Autorate)


def _check_proofs(draft: JobDraft, edition: Edition) -> Iterator[Problem]:
    for place, proof in enumerate(_items(draft.proofs)):
        if not isinstance(proof, Proof):
            yield Problem(
                ("proofs", place), proof, _made("Proof", proof, "a description", "a type"), ProblemCode.TYPE
            )
            continue
        yield from values.text(("proofs", place, "description"), proof.description)
        if not isinstance(proof.type, str) or proof.type not in edition.proof_types:
            limit = f"one of {', '.join(edition.proof_types)} in the edition {edition.name}"
            yield Problem(("proofs", place, "type"), proof.type, limit, ProblemCode.CHOICE)
    yield from _check_number_of("proofs", draft.proofs)


def _check_challenges(draft: JobDraft) -> Iterator[Problem]:
    for place, challenge in enumerate(_items(draft.challenges)):
        if not isinstance(challenge, Challenge):
            limit = _made("Challenge", challenge, "a question", "an answer")
            yield Problem(("challenges", place), challenge, limit, ProblemCode.TYPE)
            continue
        yield from values.text(("challenges", place, "question"), challenge.question)
        yield from values.text(("challenges", place, "answer"), challenge.answer)
    yield from _check_number_of("challenges", draft.challenges)
    action = draft.challenge_action
    if action is not None:
        yield from values.one_of("challenge_action", action, ChallengeAction)
    if draft.challenges and action is None:
        yield Problem("challenge_action", None, "required when there are challenges", ProblemCode.REQUIRED)
    if action is not None and not draft.challenges:
        yield Problem("challenge_action", action, "only with challenges", ProblemCode.CONFLICT)


def _made(model: str, given: object, first: str, second: str) -> str:
    """What is wanted in place of this, in words for a person at a form; a program that gave a dict gets more."""
    wanted = f"a {model.lower()}, with {first} and {second}"
    for_dict = f"; as a dict for JobDraft.from_dict, as a {model} for JobDraft"
    return wanted + for_dict if isinstance(given, Mapping) else wanted


def _items(given: object) -> tuple[object, ...]:
    return given if isinstance(given, tuple) else ()


def _check_number_of(field: str, given: object) -> Iterator[Problem]:
    most = int(limits_of(JobDraft)[field].maximum or 0)
    if given is not None and not isinstance(given, tuple):
        yield Problem(field, given, "a list", ProblemCode.TYPE)
    elif given is not None and len(given) > most:
        yield Problem(field, len(given), f"at most {most} of them", ProblemCode.LENGTH)


def _check_money(draft: JobDraft) -> Iterator[Problem]:
    problems = list(values.money("task_value", draft.task_value))
    yield from problems
    if not problems and draft.task_value == 0:
        yield Problem("task_value", draft.task_value, "an amount above 0", ProblemCode.RANGE)
    premium = draft.premium_amount
    if premium is not None:
        problems = list(values.money("premium_amount", premium))
        yield from problems
        limit = limits_of(JobDraft)["premium_amount"]
        least, most = limit.minimum or 0, limit.maximum or 0
        if not problems and premium != 0 and not least <= premium <= most:
            span = f"0, or an amount from {least} to {most}"
            yield Problem("premium_amount", premium, span, ProblemCode.RANGE)


def _check_schedule(draft: JobDraft, edition: Edition) -> Iterator[Problem]:
    times = {"start_time": draft.start_time, "end_time": draft.end_time}
    for name, value in times.items():
        if value is None:
            continue
        if not edition.can(Ability.SCHEDULE):
            yield Problem(name, value, f"not known to the edition {edition.name}", ProblemCode.EDITION)
        elif not isinstance(value, str) or not _TIME.fullmatch(value):
            limit = f"a time in UTC from 00:00 to 24:00, as HH:mm (edition {edition.name})"
            yield Problem(name, value, limit, ProblemCode.FORMAT)
    start, end = draft.start_time or "00:00", draft.end_time or "24:00"
    fit = isinstance(start, str) and isinstance(end, str) and _TIME.fullmatch(start) and _TIME.fullmatch(end)
    if fit and start >= end:
        limit = f"later than the start_time, {start} (edition {edition.name})"
        yield Problem("end_time", end, limit, ProblemCode.CONFLICT)


def _check_variables(draft: JobDraft, edition: Edition) -> Iterator[Problem]:
    given: object = draft.variables
    if not edition.can(Ability.VARIABLES):
        if given is not None:
            yield Problem("variables", given, f"not known to the edition {edition.name}", ProblemCode.EDITION)
        return
    if given is not None and not isinstance(given, Mapping):
        yield Problem("variables", given, "a mapping of names to lists of values", ProblemCode.TYPE)
        return
    yield from named(edition, _check_values(given or {}))
    yield from named(edition, _check_names(draft, given or {}))


def _check_values(variables: Mapping[object, object]) -> Iterator[Problem]:
    limit = limits_of(JobDraft)["variables"]
    for name, of_name in variables.items():
        yield from values.text("variables", name)
        path = ("variables", str(name))
        yield from values.texts(path, of_name, least=int(limit.minimum or 0), most=int(limit.maximum or 0))
    counts = {name: len(of_name) for name, of_name in variables.items() if isinstance(of_name, Sequence)}
    if len(set(counts.values())) > 1:
        yield Problem("variables", counts, "the same number of values for every variable", ProblemCode.CONFLICT)


def _check_names(draft: JobDraft, variables: Mapping[object, object]) -> Iterator[Problem]:
    lines = draft.instructions if isinstance(draft.instructions, tuple) else ()
    used = {name for line in lines if isinstance(line, str) for name in _NAME.findall(line)}
    names = {name for name in variables if isinstance(name, str)}
    for name in sorted(used - names):
        yield Problem(
            "instructions", "{{" + name + "}}", "a variable of that name is required", ProblemCode.CONFLICT
        )
    for name in sorted(names - used):
        use = "to be used in the instructions, as {{" + printable(name) + "}}"
        yield Problem(("variables", name), name, use, ProblemCode.CONFLICT)


def _check_extra(draft: JobDraft) -> Iterator[Problem]:
    yield from check_fields(draft.extra, "extra")
    if isinstance(draft.extra, Mapping):
        for name in draft.extra:
            if name in _OWN_NAMES:
                limit = f"not here: give {name} by its own name"
                yield Problem(("extra", name), draft.extra[name], limit, ProblemCode.CONFLICT)
