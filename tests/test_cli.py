"""The command line."""

from __future__ import annotations

import pytest

from picoworkers_async.cli.main import main


def test_the_demo_reviews_every_task_and_agrees_with_the_ledger(capsys: pytest.CaptureFixture[str]) -> None:
    main(["demo", "--tasks", "120", "--latency", "0", "--requests-per-second", "500"])
    printed = capsys.readouterr().out
    assert printed.count("120 of 120 settled") == 2
    assert printed.count("Rated:    120 (ok 80, not ok 20, sent back 20)") == 2
    assert printed.count("Ledger:   $1.00 as bonuses, 0 tasks rated twice") == 2
    requests = {line.split()[0]: int(line.split()[1]) for line in printed.splitlines()[-2:]}
    assert requests["sproutgigs"] * 5 < requests["picoworkers"]


def test_arguments_out_of_range_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["demo", "--tasks", "0"])
    assert "--tasks must be at least 1" in capsys.readouterr().err
