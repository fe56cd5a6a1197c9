"""Both clients in a real notebook kernel, which runs an event loop of its own."""

from __future__ import annotations

from pathlib import Path

import nbclient
import nbformat.v4
import pytest

pytestmark = pytest.mark.story

ROOT = Path(__file__).parents[2]

BLOCKING = """
from picoworkers_async.blocking import Picoworkers

with Picoworkers("user_id", "api_secret", base_url=URL) as pico:
    print(pico.ping().ok, sum(1 for _ in pico.jobs.iter_unrated_tasks()))
"""

ASYNC = """
from picoworkers_async import AsyncPicoworkers

async with AsyncPicoworkers("user_id", "api_secret", base_url=URL) as pico:
    print((await pico.ping()).ok, len(await pico.jobs.iter_unrated_tasks().collect()))
"""


# What these packages warn of is theirs to mend.
@pytest.mark.filterwarnings("default")
def test_a_cell_uses_the_blocking_client_and_one_awaits_the_other(url: str, job_id: str) -> None:
    cells = [nbformat.v4.new_code_cell(source) for source in (f"URL = {url!r}", BLOCKING, ASYNC)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(
        notebook, kernel_name="python3", timeout=60, resources={"metadata": {"path": str(ROOT)}}
    ).execute()
    assert [cell.outputs[0].text for cell in notebook.cells[1:]] == ["True 30\n"] * 2
