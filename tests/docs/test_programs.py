"""The Python of the README and the manual runs as it stands, and the README's table names every endpoint."""

from __future__ import annotations

import ast
import logging
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

import picoworkers_async
from picoworkers_async import PICOWORKERS, SPROUTGIGS, AsyncPicoworkers, Fate, JobDraft, Throttle
from picoworkers_async.endpoints import ENDPOINTS
from picoworkers_async.rules import check_draft
from picoworkers_async.sandbox import Sandbox

from .pages import PAGES, ROOT, programs

# What runs the programs of these pages unpacks them, so that none that is added goes unnoticed.
RUN_ELSEWHERE = {
    "docs/tutorial.md": "tests/docs/test_tutorial.py",
    "docs/how-to/rating-bot.md": "tests/docs/test_rating_bot.py",
    "docs/how-to/web-backends.md": "tests/docs/test_web_backends.py",
    "docs/how-to/not-async.md": "tests/blocking/test_docs.py",
    "docs/how-to/testing.md": "tests/docs/test_testing_page.py",
    "docs/how-to/telemetry.md": "tests/telemetry/test_docs.py",
    "docs/how-to/deciders.md": "tests/fleet/test_docs.py",
    "docs/how-to/standby.md": "tests/journal/test_standby_page.py",
}
PROGRAMS = {
    f"{page}-{number}": program
    for page in PAGES
    if page not in RUN_ELSEWHERE
    for number, program in enumerate(programs(page))
}


def test_the_programs_of_the_other_pages_have_a_test_that_names_the_page() -> None:
    for page, test in RUN_ELSEWHERE.items():
        assert programs(page)
        assert f'programs("{page}")' in (ROOT / test).read_text(encoding="utf-8"), page


@pytest.fixture
def logger_of_uvicorn() -> Iterator[logging.Logger]:
    """The logger of its requests, left as it was found."""
    logger = logging.getLogger("uvicorn.access")
    before = list(logger.filters)
    yield logger
    logger.filters = before


@pytest.mark.usefixtures("logger_of_uvicorn")
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_of_the_readme_or_the_manual_runs(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each block is a program; it finds a sandbox where the service would be."""
    program = PROGRAMS[name]
    is_of_today = "edition=SPROUTGIGS" in program or 'edition="sproutgigs"' in program
    sandbox = Sandbox(page_size=5, edition=SPROUTGIGS if is_of_today else PICOWORKERS)
    for job_id in (sandbox.add_job(id="fc7b3bd10d08"), sandbox.add_job()):
        sandbox.add_tasks(job_id, 8)
    original = AsyncPicoworkers.__init__

    def in_the_sandbox(self: AsyncPicoworkers, *arguments, **options) -> None:
        if options.get("base_url") is None:
            options.setdefault("transport", sandbox.transport())
            options.setdefault("throttle", Throttle())  # no pace to wait for
        original(self, *arguments, **options)

    monkeypatch.setattr(AsyncPicoworkers, "__init__", in_the_sandbox)
    monkeypatch.setenv("PICOWORKERS_USER_ID", "user_id")
    monkeypatch.setenv("PICOWORKERS_API_SECRET", "api_secret")
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": "readme"}
    exec(compile(program, name, "exec"), names)
    if "main" in names:
        anyio.run(names["main"])
    assert sandbox.complaints == []


def test_what_the_manual_shows_of_an_example_stands_in_it() -> None:
    (excerpt,) = programs("docs/how-to/web-backends.md", "py")
    example = (ROOT / "examples" / "web" / "web.py").read_text(encoding="utf-8")
    for function in excerpt.strip().split("\n\n\n"):
        assert function in example


def test_code_of_other_libraries_is_python_at_least() -> None:
    for program in programs("docs/how-to/migrating.md", "py"):
        compile(program, "docs/how-to/migrating.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("row", ENDPOINTS, ids=lambda row: row.name)
def test_the_table_of_the_readme_names_every_endpoint(row) -> None:
    line = next(line for line in PAGES["README.md"].splitlines() if f"`{row.method} {row.path}`" in line)
    assert f"`pico.{row.group}.{row.name}(" in line


def test_the_filter_of_the_docs_keeps_the_secret_out_of_the_access_log(logger_of_uvicorn: logging.Logger) -> None:
    (block,) = [block for block in PROGRAMS.values() if "uvicorn.access" in block]
    names: dict = {}
    exec(block, names)
    arguments = ("127.0.0.1:1", "POST", f"/hooks/{names['SECRET']}", "1.1", 200)
    record = logger_of_uvicorn.makeRecord(
        "uvicorn.access", logging.INFO, "", 0, '%s "%s %s" %s %d', arguments, None
    )
    assert logger_of_uvicorn.filter(record)
    assert record.getMessage() == '127.0.0.1:1 "POST /hooks/..." 1.1 200'


def test_the_draft_in_toml_of_the_docs_can_be_posted_to_both_editions() -> None:
    (toml,) = programs("docs/how-to/posting.md", "toml")
    draft = JobDraft.from_dict(tomllib.loads(toml))
    assert [check_draft(draft, edition) for edition in (PICOWORKERS, SPROUTGIGS)] == [[], []]


def test_the_fates_in_the_table_of_errors_are_members_that_there_are() -> None:
    rows = re.findall(
        r"^\| `(\w+Error)` \| .* \| `(\w+)`[^|]*\|$", PAGES["docs/reference/errors.md"], re.MULTILINE
    )
    assert len(rows) >= 15
    for name, fate in rows:
        assert getattr(picoworkers_async, name).fate is Fate[fate], name
