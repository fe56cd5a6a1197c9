"""The program of docs/how-to/standby.md runs as it stands, with a server of the tests' own."""

from __future__ import annotations

import pytest

from picoworkers_async import AsyncPicoworkers, Journal
from tests.docs.pages import programs
from tests.support.seeding import seeded

pytestmark = pytest.mark.anyio


async def test_the_program_of_the_page_rates_all_there_is(
    connect, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (program,) = programs("docs/how-to/standby.md")
    sandbox, _ = seeded(5)
    monkeypatch.setattr(AsyncPicoworkers, "from_env", lambda: connect(sandbox))
    names: dict = {"__name__": "standby"}
    exec(compile(program, "standby.md", "exec"), names)
    names["JOURNAL"] = address
    await names["main"]()
    assert sum(Journal(address).counts().values()) == len(sandbox.ledger) > 0
    assert sandbox.complaints == []
