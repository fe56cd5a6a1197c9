"""Drafts as dicts, and in files of TOML and JSON."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import attrs
import pytest
from hypothesis import HealthCheck, given, settings

from picoworkers_async import (
    Autorate,
    Challenge,
    InvalidRequestError,
    JobDraft,
    Proof,
    ProofType,
    WorkersLevel,
    codec,
)
from tests.support.any_model import a_model, json_values
from tests.support.vectors import DRAFT

TOML = """
zone_id = "int"
category_id = "0501"
title = "Visit a page"
task_value = "0.10"
premium_amount = 2.50
num_tasks = 25
workers_level = "expert"
notify_followers = true
instructions = ["Visit {{PAGE}}", "Take a screenshot"]
start_time = "08:00"

[[proofs]]
description = "A screenshot"
type = "screenshot"

[[proofs]]
description = "The last word"
type = "text"

[[challenges]]
question = "2 + 2?"
answer = "4"

[variables]
PAGE = ["a.example", "b.example"]
"""
DRAFT_OF_TOML = JobDraft(
    zone_id="int",
    category_id="0501",
    title="Visit a page",
    task_value=Decimal("0.10"),
    premium_amount=Decimal("2.50"),
    num_tasks=25,
    workers_level=WorkersLevel.EXPERT,
    notify_followers=True,
    instructions=["Visit {{PAGE}}", "Take a screenshot"],
    start_time="08:00",
    proofs=[Proof("A screenshot", ProofType.SCREENSHOT), Proof("The last word", ProofType.TEXT)],
    challenges=[Challenge("2 + 2?", "4")],
    variables={"PAGE": ["a.example", "b.example"]},
)
LEAST = {"category_id": "0501", "title": "Visit a page", "task_value": "0.10"}


def broken(fields: object) -> dict[str, str]:
    """The problems of these fields: the sort of each by the text of its path."""
    with pytest.raises(InvalidRequestError) as caught:
        JobDraft.from_dict(fields)  # type: ignore[arg-type]
    return {problem.field: problem.code.value for problem in caught.value.problems}


def written(tmp_path: Path, name: str, text: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_draft_is_read_from_toml_and_from_json(tmp_path: Path) -> None:
    assert JobDraft.from_file(written(tmp_path, "draft.toml", TOML)) == DRAFT_OF_TOML
    as_json = json.dumps(DRAFT_OF_TOML.to_dict())
    assert JobDraft.from_file(str(written(tmp_path, "draft.JSON", as_json))) == DRAFT_OF_TOML
    assert JobDraft.from_file(written(tmp_path, "bom.json", "\ufeff" + as_json)) == DRAFT_OF_TOML


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(a_model(JobDraft))
def test_every_draft_is_the_same_after_a_dict_and_json(draft: JobDraft) -> None:
    assert JobDraft.from_dict(draft.to_dict()) == draft
    assert JobDraft.from_dict(json.loads(json.dumps(draft.to_dict()))) == draft


def test_a_dict_holds_what_was_set_and_nothing_else() -> None:
    draft = JobDraft(**LEAST, proofs=[Proof("x", "text")], autorate=Autorate.VERIFY, excluded_countries=[])
    assert draft.to_dict() == {
        **LEAST,
        "excluded_countries": [],
        "proofs": [{"description": "x", "type": "text"}],
        "autorate": "V",
    }


def test_what_is_sent_is_the_same_after_a_file(tmp_path: Path) -> None:
    path = written(tmp_path, "draft.json", json.dumps(DRAFT.to_dict()))
    sent = codec.encode(codec.write_draft(JobDraft.from_file(path), test=False))
    assert sent == codec.encode(codec.write_draft(DRAFT, test=False))


def test_everything_that_is_wrong_is_told_at_once_with_its_path() -> None:
    fields = {
        "titel": "Visit",
        "task_value": "much",
        "premium_amount": True,
        "num_tasks": "25",
        "speed": 5.0,
        "hold_required": "yes",
        "instructions": "one by one",
        "excluded_countries": ["de", 5],
        "proofs": [{"type": 5, "kind": "x"}, "a screenshot", {"description": "x", "type": "video"}],
        "variables": {"CITY": "Rome", "AGE": ["x", None]},
        "start_time": 8,
        5: 6,
    }
    assert broken(fields) == {
        "titel": "unknown",
        "category_id": "required",
        "title": "required",
        "task_value": "format",
        "premium_amount": "type",
        "num_tasks": "type",
        "speed": "type",
        "hold_required": "type",
        "instructions": "type",
        "excluded_countries[1]": "type",
        "proofs[0].type": "type",
        "proofs[0].kind": "unknown",
        "proofs[0].description": "required",
        "proofs[1]": "type",
        "variables.CITY": "type",
        "variables.AGE[1]": "required",
        "start_time": "type",
        "5": "unknown",
    }


def test_a_misspelt_name_is_told_with_the_one_that_is_like_it() -> None:
    with pytest.raises(
        InvalidRequestError, match=r"titel='x': there is no such field of a job draft; did you mean title\?"
    ):
        JobDraft.from_dict({**LEAST, "titel": "x"})


@pytest.mark.parametrize("fields", [None, [], "title", 5])
def test_what_is_no_mapping_is_no_draft(fields: object) -> None:
    assert broken(fields) in ({"": "type"}, {"": "required"})


@settings(max_examples=100, deadline=None)
@given(json_values.map(lambda value: {**LEAST, "proofs": value, "variables": value, "task_value": value}))
def test_any_json_makes_a_draft_or_is_refused_by_name(fields: dict) -> None:
    try:
        draft = JobDraft.from_dict(fields)
    except InvalidRequestError as error:
        problems = error.problems
    else:
        assert JobDraft.from_dict(draft.to_dict()) == draft
        return
    assert problems
    assert all(problem.path[0] in {*fields, "zone_id"} and problem.field.isprintable() for problem in problems)


def test_pay_is_read_by_the_shortest_form_of_a_number() -> None:
    for given_pay in (0.1, "0.1", " 0.1 ", Decimal("0.1")):
        assert JobDraft.from_dict({**LEAST, "task_value": given_pay}).task_value == Decimal("0.1")


@pytest.mark.parametrize(
    ("name", "text", "code", "why"),
    [
        ("draft.yaml", "title: x", "choice", r"ends in \.toml or \.json"),
        ("draft", "{}", "choice", r"ends in \.toml or \.json"),
        ("draft.json", "{", "format", "not valid JSON: .*line 1 column 2"),
        ("draft.json", b'{"title": "\xff"}', "format", "not valid JSON, which is UTF-8: 'utf-8' codec"),
        ("draft.json", '{"task_value": "0.1", "task_value": "1"}', "format", "'task_value' appears twice"),
        ("draft.json", "[" * 200_000, "format", "nested too deeply"),
        ("draft.toml", 'title = "x"\ntitle = "y"', "format", "not valid TOML: "),
        ("draft.toml", "title", "format", "not valid TOML: "),
        ("draft.json", '{"task_value": NaN}', "format", "NaN is not JSON"),
        ("draft.json", '{"num_tasks": ' + "9" * 5000 + "}", "format", "not valid JSON: "),
        ("draft.json", "", "format", "not valid JSON: "),
        ("draft.json", '{"num_tasks": ' + "9" * 50 + "}", "format", "a number of more than 40 digits"),
        ("draft.json", '{"task_value": 0.' + "1" * 50 + "}", "format", "a number of more than 40 digits"),
        ("draft.json", '{"task_value": 1e' + "9" * 30 + "}", "format", "a number of more than 40 digits"),
        ("draft.toml", "num_tasks = 0x" + "f" * 6000, "format", "a number of more than 40 digits"),
        ("draft.toml", "task_value = 0x" + "f" * 200_000, "format", "a number of more than 40 digits"),
        ("draft.toml", "x = [{y = 0o" + "7" * 6000 + "}]", "format", "a number of more than 40 digits"),
        ("draft.toml", ".".join("a" * 50_000) + "=1", "format", "a name of more than 100 parts"),
        ("draft.toml", "[" + " . ".join(["'a b'"] * 5000) + "]", "format", "a name of more than 100 parts"),
        ("draft.toml", "x = {" + '."a\\"b"' * 5000 + " = 1}", "format", "a name of more than 100 parts"),
        ("draft.toml", 'title = "' + "x" * 300_000 + '"', "length", "a file of at most 256 KiB"),
        ("draft.json", '{"title": "' + "x" * 300_000 + '"}', "length", "a file of at most 256 KiB"),
        ("draft.json", "5", "type", "the fields of a job draft: category_id, title, task_value"),
    ],
    ids=lambda value: None if isinstance(value, str) and len(value) < 99 else "long",
)
def test_a_file_that_holds_no_draft_is_refused(
    tmp_path: Path, name: str, text: str | bytes, code: str, why: str
) -> None:
    with pytest.raises(InvalidRequestError, match=why) as caught:
        JobDraft.from_file(written(tmp_path, name, text))
    assert [problem.code for problem in caught.value.problems] == [code]


def test_money_in_a_file_is_read_to_the_digit(tmp_path: Path) -> None:
    for amount in ("9007199254740993.0", "0.10", "2.50"):
        as_json = json.dumps(LEAST).replace('"0.10"', amount)
        as_toml = f'category_id = "1"\ntitle = "x"\ntask_value = {amount}\n'
        for name, text in (("draft.json", as_json), ("draft.toml", as_toml)):
            assert str(JobDraft.from_file(written(tmp_path, name, text)).task_value) == amount


def test_what_a_file_has_in_extra_is_sent_as_it_stands_there(tmp_path: Path) -> None:
    draft = JobDraft(**LEAST, extra={"rate": 0.1, "more": [1, {"x": 2.5, "y": "0.10"}]})
    as_json = written(tmp_path, "draft.json", json.dumps(draft.to_dict()))
    assert JobDraft.from_file(as_json) == draft
    text = 'category_id = "0501"\ntitle = "Visit a page"\ntask_value = "0.10"\n[extra]\nrate = 0.1\n'
    text += 'more = [1, {x = 2.5, y = "0.10"}]\n'
    assert JobDraft.from_file(written(tmp_path, "draft.toml", text)) == draft


@pytest.mark.parametrize("value", ["0.10", "5", "-0", "1E-7", "123456.789"])
def test_an_amount_in_extra_is_posted_as_the_same_number_after_a_dict(value: str) -> None:
    amount = Decimal(value)
    draft = JobDraft(**LEAST, extra={"a": amount, "b": [amount, {"c": (amount,)}]})
    again = JobDraft.from_dict(json.loads(json.dumps(draft.to_dict())))
    sent = [codec.encode(codec.write_draft(one, test=False)) for one in (draft, again)]
    assert sent[0] == sent[1]


@pytest.mark.parametrize("value", ["nan", "sNaN", "Infinity", "1e999999"])
def test_an_amount_in_extra_that_is_no_number_makes_a_dict_all_the_same(value: str) -> None:
    json.dumps(JobDraft(**LEAST, extra={"a": Decimal(value)}).to_dict(), allow_nan=False)


def test_text_with_many_points_is_no_long_name(tmp_path: Path) -> None:
    steps = " ".join("Do this." for _ in range(500)) + " www.a.example " * 100
    text = f'category_id = "1"\ntitle = "x"\ntask_value = "0.1"\ninstructions = ["{steps}"]\n'
    assert JobDraft.from_file(written(tmp_path, "draft.toml", text)).instructions == (steps,)


def test_a_time_of_day_of_toml_is_asked_for_as_text(tmp_path: Path) -> None:
    text = 'category_id = "1"\ntitle = "x"\ntask_value = "0.1"\nstart_time = 08:00:00\n'
    with pytest.raises(InvalidRequestError, match=r"start_time=.*: a text"):
        JobDraft.from_file(written(tmp_path, "draft.toml", text))


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        JobDraft.from_file(tmp_path / "none.toml")


def test_what_cannot_be_read_and_what_breaks_limits_are_told_at_once() -> None:
    fields = {
        **LEAST,
        "zone_id": "int",
        "title": " ",
        "num_tasks": 5,
        "speed": "fast",
        "instructions": ["Visit", 5, ""],
        "variables": 7,
        "proofs": [{"type": "text"}, {"description": "", "type": "text"}],
        "distribution": 5,
        "titel": "x",
    }
    assert broken(fields) == {
        "speed": "type",
        "instructions[1]": "type",
        "variables": "type",
        "proofs[0].description": "required",
        "titel": "unknown",
        "title": "required",
        "instructions[2]": "required",
        "num_tasks": "range",
        "distribution": "range",
        "proofs[1].description": "required",
    }


@pytest.mark.parametrize(
    "unread",
    [
        {"list_id": "x"},
        {"zone_id": 5, "excluded_countries": ["DE"]},
        {"zone_id": "int", "instructions": 5, "variables": {"A": ["1", "2"]}},
        {"zone_id": "int", "instructions": ["{{A}}"], "variables": 5},
        {"zone_id": "int", "challenges": 5, "challenge_action": "rate_nok"},
        {"zone_id": "int", "challenges": [{"question": "q", "answer": "a"}], "challenge_action": 5},
        {"zone_id": "int", "workers_level": 5, "workers_max_tasks": 5},
        {"zone_id": "int", "start_time": 5, "end_time": "00:30"},
    ],
    ids=str,
)
def test_no_limit_is_told_that_only_what_could_not_be_read_may_break(unread: dict) -> None:
    found = broken({**LEAST, **unread})
    assert len(found) == 1
    assert set(found.values()) <= {"type", "choice"}


def test_a_draft_of_a_class_of_ones_own_is_told_alike() -> None:
    @attrs.frozen(kw_only=True)
    class Ours(JobDraft):
        customer: str = ""

    with pytest.raises(InvalidRequestError) as caught:
        Ours.from_dict({**LEAST, "zone_id": "int", "customer": "ACME", "notes": 5, "num_tasks": 5})
    assert [problem.field for problem in caught.value.problems] == ["notes", "num_tasks"]
