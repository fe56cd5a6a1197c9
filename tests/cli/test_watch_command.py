"""`watch`: the page of a journal, whose address is printed once."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.request

from tests.cli.conftest import Run
from tests.cli.test_installed import COMMAND, SECONDS


def test_a_journal_is_served_by_an_address_that_works_once_until_interrupted(journal: str) -> None:
    with subprocess.Popen(
        [COMMAND, "watch", journal, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            with urllib.request.urlopen(url, timeout=SECONDS) as page:
                assert page.status == 200
                assert b"<html" in page.read()
            process.send_signal(signal.SIGINT)
            printed, words = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
    assert (process.returncode, printed) == (130, "")
    assert "works once" in words


def test_what_cannot_be_watched_is_said(run: Run, journal: str) -> None:
    missing = run("watch", journal + "x")
    assert (missing.code, missing.out) == (1, "")
    assert "there is no such file" in missing.err
    assert run("watch", journal, "--port", "70000").code == 2
    assert run("watch", journal, "--timezone", "Nowhere/Here").code == 2
