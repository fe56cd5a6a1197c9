"""The Python of the README and of its docs runs as it stands, and the README's table names every endpoint.

docs/running.md has a test of its own.
"""

from __future__ import annotations

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

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = {
    f"{name}-{number}": block
    for name in ("README.md", "docs/json.md", "docs/posting.md", "docs/sheets.md", "docs/webhooks.md")
    for number, block in enumerate(
        re.findall(r"^```python\n(.*?)^```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    )
}


def test_the_readme_has_python_in_it() -> None:
    assert len([name for name in BLOCKS if name.startswith("README")]) >= 5


@pytest.fixture
def logger_of_uvicorn() -> Iterator[logging.Logger]:
    """The logger of its requests, left as it was found."""
    logger = logging.getLogger("uvicorn.access")
    before = list(logger.filters)
    yield logger
    logger.filters = before


@pytest.mark.usefixtures("logger_of_uvicorn")
@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_of_the_readme_and_its_docs_runs(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each block is a program; it finds a sandbox where the service would be."""
    block = BLOCKS[name]
    is_of_today = "edition=SPROUTGIGS" in block or 'edition="sproutgigs"' in block
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
    exec(compile(block, name, "exec"), names)
    if "main" in names:
        anyio.run(names["main"])
    assert sandbox.complaints == []


@pytest.mark.parametrize("row", ENDPOINTS, ids=lambda row: row.name)
def test_the_table_of_the_readme_names_every_endpoint(row) -> None:
    line = next(line for line in README.splitlines() if f"`{row.method} {row.path}`" in line)
    assert f"`pico.{row.group}.{row.name}(" in line


def test_the_filter_of_the_docs_keeps_the_secret_out_of_the_access_log(logger_of_uvicorn: logging.Logger) -> None:
    (block,) = [block for block in BLOCKS.values() if "uvicorn.access" in block]
    names: dict = {}
    exec(block, names)
    arguments = ("127.0.0.1:1", "POST", f"/hooks/{names['SECRET']}", "1.1", 200)
    record = logger_of_uvicorn.makeRecord(
        "uvicorn.access", logging.INFO, "", 0, '%s "%s %s" %s %d', arguments, None
    )
    assert logger_of_uvicorn.filter(record)
    assert record.getMessage() == '127.0.0.1:1 "POST /hooks/..." 1.1 200'


def test_the_draft_in_toml_of_the_docs_can_be_posted_to_both_editions() -> None:
    posting = (ROOT / "docs" / "posting.md").read_text(encoding="utf-8")
    (toml,) = re.findall(r"^```toml\n(.*?)^```", posting, re.DOTALL | re.MULTILINE)
    draft = JobDraft.from_dict(tomllib.loads(toml))
    assert [check_draft(draft, edition) for edition in (PICOWORKERS, SPROUTGIGS)] == [[], []]


def test_the_fates_in_the_table_of_errors_are_members_that_there_are() -> None:
    rows = re.findall(r"^\| `(\w+Error)` \| .* \| `(\w+)`[^|]*\|$", README, re.MULTILINE)
    assert len(rows) >= 15
    for name, fate in rows:
        assert getattr(picoworkers_async, name).fate is Fate[fate], name
