"""The file of submitted tasks, without a receiver: what waits, what was given out, and several users at once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from picoworkers_async.webhooks.submitted import Submitted
from tests.support.receiving import durable_ids


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "submitted.db"


def test_what_is_posted_again_during_a_lookup_waits_for_another(path: Path) -> None:
    submitted = Submitted(path)
    submitted.note([("j", "gone"), ("j", "seen")])
    lookup = submitted.next_lookup(400)
    assert lookup is not None
    submitted.note([("j", "gone"), ("j", "seen")])
    assert submitted.looked_up(lookup, {"seen": 0}, complete=True) == ["seen"]
    again = submitted.next_lookup(400)
    assert again is not None
    assert sorted(again.task_ids) == ["gone", "seen"]
    assert submitted.looked_up(again, {"seen": 0, "gone": 1}, complete=True) == ["gone"]
    assert submitted.next_lookup(400) is None
    submitted.begin()
    restarted = submitted.next_lookup(400)
    assert restarted is not None
    assert submitted.looked_up(restarted, {"seen": 0}, complete=False) == ["seen"]
    left = submitted.next_lookup(400)
    assert left is not None
    assert left.task_ids == ["gone"]


def test_a_new_file_may_be_opened_from_several_sides_at_once(tmp_path: Path) -> None:
    for number in range(20):
        path, failures = tmp_path / f"{number}.db", []

        def use(side: int, path: Path = path, failures: list = failures) -> None:
            try:
                Submitted(path).note([("j", f"t{side}")])
                Submitted(path).begin()
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=use, args=(side,)) for side in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert len(durable_ids(path)) == 8
