"""`picoworkers decide`, where it cannot begin: what to do is said, and the exit code is 2."""

from __future__ import annotations

import sys

import pytest

from picoworkers_async.cli.exits import Exit
from picoworkers_async.cli.run import run

RULE = "tests.support.fleet_rules:judged"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([RULE], "--broker redis://host:6379/0, or PICOWORKERS_BROKER"),
        ([RULE, "--broker", "localhost:6379"], "an address such as redis://"),
        ([RULE, "--broker", "redis://127.0.0.1:1/0", "--name", "a b"], "1 to 64 letters"),
        ([RULE, "--broker", "redis://127.0.0.1:1/0", "--concurrency", "0"], "from 1 to 1,000"),
        ([RULE, "--broker", "redis://127.0.0.1:1/0", "--lease", "0.1"], "1 or more"),
        (["tests.support.fleet_rules:nope", "--broker", "redis://127.0.0.1:1/0"], "has no nope"),
    ],
)
def test_what_has_to_be_corrected_is_said(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PICOWORKERS_BROKER", raising=False)
    assert run(["decide", *arguments]) == Exit.USAGE
    assert says in capsys.readouterr().err


def test_the_extra_is_named_where_it_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("picoworkers_async.fleet")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "streaq", None)
    assert run(["decide", RULE, "--broker", "redis://127.0.0.1:1/0"]) == Exit.USAGE
    assert "picoworkers-async[fleet]" in capsys.readouterr().err
