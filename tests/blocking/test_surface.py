"""The blocking classes have all that the asynchronous ones have, and so does what type checkers read."""

from __future__ import annotations

import ast
import inspect
import pydoc
import re
from unittest.mock import create_autospec

import pytest

from picoworkers_async import AsyncPicoworkers, blocking
from picoworkers_async.blocking.making import NAMES
from tests.blocking.stub import STUB, stub

CLASSES = [pytest.param(source, kind, id=kind.__name__) for source, kind in blocking._made.items()]
DUNDERS = {"__aenter__", "__aexit__", "__aiter__", "__anext__"}
UNTRANSLATED = re.compile(r"\basync (with|for)\b|\bawait |AsyncPicoworkers|\baclose\b|an async (context|iterator)")


def public(kind: type) -> dict[str, object]:
    return {
        name: member
        for name, member in vars(kind).items()
        if not name.startswith("_") or name in DUNDERS or name in NAMES.values()
    }


@pytest.mark.parametrize(("source", "kind"), CLASSES)
def test_every_member_is_there_and_none_besides(source: type, kind: type) -> None:
    assert {NAMES.get(name, name) for name in public(source)} == set(public(kind))


@pytest.mark.parametrize(("source", "kind"), CLASSES)
def test_methods_have_the_same_parameters_and_block(source: type, kind: type) -> None:
    for name, member in public(source).items():
        its = inspect.getattr_static(kind, NAMES.get(name, name))
        if isinstance(member, property | type):
            assert type(its) is type(member)
            continue
        if isinstance(member, classmethod):
            member, its = member.__func__, its.__func__
        assert callable(member)
        assert inspect.signature(its).parameters == inspect.signature(member).parameters
        assert not inspect.iscoroutinefunction(its)
        assert not inspect.isasyncgenfunction(its)


def test_the_client_is_made_with_the_same_arguments() -> None:
    theirs, ours = inspect.signature(AsyncPicoworkers), inspect.signature(blocking.Picoworkers)
    assert ours.parameters == theirs.parameters


@pytest.mark.parametrize(("source", "kind"), CLASSES)
def test_every_member_is_documented_in_words_that_block(source: type, kind: type) -> None:
    assert kind.__doc__
    assert not UNTRANSLATED.search(kind.__doc__)
    for name, member in public(source).items():
        its = inspect.getattr_static(kind, NAMES.get(name, name))
        assert bool(its.__doc__) is bool(member.__doc__)
        assert not UNTRANSLATED.search(its.__doc__ or "")


def test_help_shows_methods_and_groups() -> None:
    text = pydoc.render_doc(blocking.Picoworkers, renderer=pydoc.plaintext)
    assert "with Picoworkers(user_id, api_secret) as pico" in text
    assert "never twice at once unless `deciding` is given" in text
    assert "Add `amount` whole US cents" in pydoc.render_doc(blocking.Picoworkers.wallet, renderer=pydoc.plaintext)


def test_a_mock_of_the_client_finds_the_methods_of_its_groups() -> None:
    pico = create_autospec(blocking.Picoworkers, instance=True)
    pico.jobs.get_job.return_value = "a job"
    assert pico.jobs.get_job("a") == "a job"
    with pytest.raises(TypeError):
        pico.jobs.get_job()


def test_what_type_checkers_read_is_written_from_the_classes_of_today() -> None:
    # If not: python -m tests.blocking.stub
    written = ast.parse(STUB.read_text(encoding="utf-8"))
    assert ast.dump(sorted_imports(written)) == ast.dump(sorted_imports(ast.parse(stub())))


def sorted_imports(module: ast.Module) -> ast.Module:
    """The module with one import a name, in order: how they are gathered is for the formatter."""
    names = {
        (node.level, node.module, alias.name)
        for node in module.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    rest = [node for node in module.body if not isinstance(node, ast.ImportFrom)]
    imports = [ast.ImportFrom(name[1], [ast.alias(name[2])], name[0]) for name in sorted(names, key=str)]
    return ast.Module([*imports, *rest], [])
