"""The reference has everything that is public, and every variable of the environment."""

from __future__ import annotations

import re
import traceback

import pytest

import picoworkers_async
from picoworkers_async import blocking, console, events, fleet, sandbox, sheets, telemetry, webhooks
from picoworkers_async.errors import PicoworkersError

from .pages import PAGES, ROOT

REFERENCE = "\n".join(text for page, text in PAGES.items() if page.startswith("docs/reference/"))
# `automodule` lists these whole.
LISTED = {"picoworkers_async.errors", "picoworkers_async.events"}
ELSEWHERE = {"__version__"}


def public() -> list[tuple[str, str]]:
    modules = (picoworkers_async, blocking, console, fleet, sandbox, sheets, telemetry, webhooks)
    return [(module.__name__, name) for module in modules for name in module.__all__ if name not in ELSEWHERE]


def error_classes() -> list[type[PicoworkersError]]:
    found, waiting = [], [PicoworkersError]
    while waiting:
        kind = waiting.pop()
        found.append(kind)
        waiting += kind.__subclasses__()
    return [kind for kind in found if kind.__module__.startswith("picoworkers_async")]


def test_the_modules_that_are_listed_whole_are_in_the_reference() -> None:
    assert set(re.findall(r"^\.\. automodule:: (\S+)", REFERENCE, re.MULTILINE)) >= LISTED
    assert events.__name__ in LISTED


@pytest.mark.parametrize(("module", "name"), public())
def test_every_public_name_has_its_entry(module: str, name: str) -> None:
    defined_in = getattr(getattr(__import__(module, fromlist=[name]), name), "__module__", "")
    entry = re.search(rf"^\.\. auto\w+:: {re.escape(module)}\.{name}$", REFERENCE, re.MULTILINE)
    assert entry is not None or defined_in in LISTED


def test_every_variable_of_the_environment_is_in_the_reference() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "picoworkers_async").rglob("*.py")]
    variables = set(re.findall(r"\bPICOWORKERS_[A-Z_]+\b", "\n".join(sources)))
    assert {name for name in variables if f"`{name}`" not in PAGES["docs/reference/configuration.md"]} == set()


@pytest.mark.parametrize("kind", error_classes(), ids=lambda kind: kind.__name__)
def test_the_traceback_of_every_error_ends_in_a_link_to_its_paragraph(kind: type[PicoworkersError]) -> None:
    error = kind.__new__(kind)
    PicoworkersError.__init__(error, "what went wrong")
    link = traceback.format_exception(error)[-1].strip()
    page, _, anchor = link.removeprefix("See ").partition("#")
    headings = re.findall(r"^#+ (.*)$", PAGES[page], re.MULTILINE)
    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}
    assert str(error) == "what went wrong"
