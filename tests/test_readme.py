"""The README's Python runs as it stands, and its table names every endpoint."""

from __future__ import annotations

import re
from pathlib import Path

import anyio
import pytest

from picoworkers_async import PICOWORKERS, SPROUTGIGS, AsyncPicoworkers
from picoworkers_async.endpoints import ENDPOINTS
from picoworkers_async.sandbox import Sandbox

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_the_readme_has_python_in_it() -> None:
    assert len(BLOCKS) >= 5


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_block_of_the_readme_runs(
    number: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each block is a program; it finds a sandbox where the service would be."""
    sandbox = Sandbox(page_size=5, edition=SPROUTGIGS if "edition=SPROUTGIGS" in BLOCKS[number] else PICOWORKERS)
    for job_id in (sandbox.add_job(id="fc7b3bd10d08"), sandbox.add_job()):
        sandbox.add_tasks(job_id, 8)
    original = AsyncPicoworkers.__init__

    def in_the_sandbox(self: AsyncPicoworkers, *arguments, **options) -> None:
        if options.get("base_url") is None:
            options.setdefault("transport", sandbox.transport())
        original(self, *arguments, **options)

    monkeypatch.setattr(AsyncPicoworkers, "__init__", in_the_sandbox)
    monkeypatch.setenv("PICOWORKERS_USER_ID", "user_id")
    monkeypatch.setenv("PICOWORKERS_API_SECRET", "api_secret")
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": "readme"}
    exec(compile(BLOCKS[number], f"README block {number}", "exec"), names)
    if "main" in names:
        anyio.run(names["main"])
    assert sandbox.complaints == []


@pytest.mark.parametrize("row", ENDPOINTS, ids=lambda row: row.name)
def test_the_table_of_the_readme_names_every_endpoint(row) -> None:
    line = next(line for line in README.splitlines() if f"`{row.method} {row.path}`" in line)
    assert f"`pico.{row.group}.{row.name}(" in line
