"""What types and `help` say of the public API."""

from __future__ import annotations

import inspect
import pydoc
import re
from collections.abc import Iterator
from typing import get_args

import pytest

import picoworkers_async
from picoworkers_async import (
    AsyncPicoworkers,
    Autorate,
    JobStatus,
    JournalState,
    ProofType,
    Satisfaction,
    Verdict,
    WorkersLevel,
    events,
    sandbox,
    webhooks,
)
from picoworkers_async.journal.schema import JournalStateWord
from picoworkers_async.keywords import ClientKeywords
from picoworkers_async.models import ChallengeAction, jobs, tasks
from picoworkers_async.sandbox import Sandbox

MODULES = (picoworkers_async, picoworkers_async.errors, events, sandbox, webhooks)

JSON = {"extra", "body", "before", "fields", "variables"}
"""What holds JSON as the service, or the caller, has it."""


def test_the_keywords_of_from_env_are_the_options_of_the_constructor() -> None:
    options = {
        name: parameter.annotation
        for name, parameter in inspect.signature(AsyncPicoworkers).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    keywords = {name: kind.__forward_arg__ for name, kind in ClientKeywords.__annotations__.items()}
    assert keywords == options
    assert not ClientKeywords.__required_keys__


def test_from_env_and_a_client_of_the_sandbox_take_those_keywords() -> None:
    for method in (AsyncPicoworkers.from_env, Sandbox.client):
        assert inspect.signature(method).parameters["options"].annotation == "Unpack[ClientKeywords]"


@pytest.mark.parametrize(
    ("words", "members"),
    [
        (JournalStateWord, JournalState),
        (tasks.VerdictWord, Verdict),
        (tasks.SatisfactionWord, Satisfaction),
        (jobs.JobStatusWord, JobStatus),
        (jobs.WorkersLevelWord, WorkersLevel),
        (jobs.AutorateWord, Autorate),
        (jobs.ProofTypeWord, ProofType),
        (jobs.ChallengeActionWord, ChallengeAction),
    ],
)
def test_the_words_that_types_allow_are_those_of_the_members(words: object, members: type) -> None:
    assert list(get_args(words)) == [member.value for member in members]


def test_the_words_that_filter_jobs_are_those_that_the_rules_take() -> None:
    taken = [word for word in JobStatus if not picoworkers_async.rules.check_status_filter(word)]
    assert list(get_args(jobs.StatusFilter)) == taken


@pytest.mark.parametrize("verdict", ["ok", "not_ok"])
def test_the_satisfactions_that_types_allow_are_those_that_fit_the_verdict(verdict: str) -> None:
    allowed = get_args(tasks.Satisfied if verdict == "ok" else tasks.Unsatisfied)
    fitting = {
        word
        for word in Satisfaction
        if not picoworkers_async.Rating("job", "task", verdict, word, "a comment").problems()
    }
    assert {word for word in allowed if type(word) is str} == {word.value for word in fitting}
    assert {word for word in allowed if type(word) is not str} == fitting


def annotations() -> Iterator[tuple[str, str, str]]:
    """Each annotation of a public class: of its attributes, of its methods' parameters, of what they give."""
    everything = {name: value for module in MODULES for name, value in vars(module).items() if name[0] != "_"}
    for name, public in everything.items():
        if not inspect.isclass(public) or not public.__module__.startswith("picoworkers_async"):
            continue
        for place, kind in inspect.get_annotations(public).items():
            yield name, place, str(kind)
        for method, given in vars(public).items():
            function = getattr(given, "__func__", given)
            if method.startswith("_") and method != "__init__":
                continue
            if inspect.isfunction(function) and function.__module__.startswith("picoworkers_async"):
                for place, kind in function.__annotations__.items():
                    yield f"{name}.{method}", place, str(kind)


def test_nobody_meets_a_value_of_any_type_but_json() -> None:
    any_type = re.compile(r"\bAny\b")
    found = {(where, place) for where, place, kind in annotations() if any_type.search(kind) and place not in JSON}
    assert found == {("AsyncPicoworkers.request", "return"), ("JobDraft.to_dict", "return")}


def test_help_shows_the_groups_with_a_line_each_and_no_walls_of_values() -> None:
    text = pydoc.render_doc(AsyncPicoworkers, renderer=pydoc.plaintext)
    before_methods = text.partition("Methods defined here")[0]
    for group in ("jobs", "users", "lists", "wallet"):
        lines = re.findall(rf"^ \|  +- `pico\.{group}`: (\S.*)$", before_methods, re.MULTILINE)
        assert len(lines) == 1
    assert "help(AsyncPicoworkers.jobs)" in before_methods
    # Of the signature, the edition's own values would take most.
    assert (
        "edition: 'Edition | str' = Edition(name='picoworkers', base_url='https://picoworkers.com/api/')," in text
    )


def test_help_of_a_group_shows_its_methods() -> None:
    assert "get_balances(self)" in pydoc.render_doc(AsyncPicoworkers.users, renderer=pydoc.plaintext)
