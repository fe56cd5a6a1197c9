"""What is logged of a postback that was not taken: one clear warning, safe to read, and never a flood."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from picoworkers_async.webhooks import Receiver
from picoworkers_async.webhooks.refusals import NotTakenError, RefusalLog, excerpt_of
from tests.support.receiving import EXAMPLE, SECRET, SIGNING, ask, envelope


def test_a_body_of_another_shape_is_answered_422_with_one_warning_and_an_excerpt(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    status, text = ask(Receiver(tmp_path / "s.db"), envelope("gig_ordered", [{"x": "\x1b[31m\nred"}]))
    assert (status, text) == (422, "event_type 'gig_ordered' is not known")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "422" in record.message
    assert "comes again" in record.message
    assert "event_type 'gig_ordered' is not known" in record.message
    assert '{"event_type": "gig_ordered"' in record.message
    assert record.message.isprintable()


@pytest.mark.parametrize("body", [b"\x00\x1b[2J\xff" * 100, "\u202e\ud7ff\u2028".encode() * 300, b"a" * 10**6])
def test_an_excerpt_is_short_and_has_nothing_that_a_terminal_obeys(body: bytes) -> None:
    excerpt = excerpt_of(body)
    assert excerpt.isprintable()
    assert len(excerpt) <= 1010
    assert excerpt.endswith("...")


def test_a_flood_is_told_of_five_times_a_minute_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    log = RefusalLog(lambda: now)
    for _ in range(1000):
        log.tell(NotTakenError(401, "unsigned"))
    log.tell(NotTakenError(422, "odd"))
    assert [record.args[0] for record in caplog.records] == [401] * 5 + [422]
    caplog.clear()
    now = 60.0
    log.tell(NotTakenError(401, "unsigned"))
    log.tell(NotTakenError(401, "unsigned"))
    first, second = (record.message for record in caplog.records)
    assert "995" in first
    assert "others" not in second


def test_no_secret_is_in_a_log_an_answer_or_a_repr(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    (tmp_path / "broken.db").write_text("no database" * 1000)
    said = ""
    for file in ("s.db", "broken.db"):
        for signing in (None, SIGNING):
            receiver = Receiver(tmp_path / file, secret=SECRET, signing_secret=signing)
            said += repr(receiver)
            for body in (EXAMPLE, {"j": None}, b"no json", b" " * 2_000_000):
                for path in (f"/{SECRET}", f"/{SECRET}x"):
                    for method in ("POST", "GET"):
                        said += ask(receiver, body, path=path, method=method)[1]
    said += caplog.text
    assert "was answered 401" in said
    assert "was answered 503" in said
    assert SECRET not in said
    assert SIGNING not in said
