"""Whatever is sent to the receiver: a status that means what it says, and 200 only for what is durable."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from picoworkers_async.webhooks import Receiver
from tests.support.receiving import SIGNING, ask, durable_changes, durable_ids, envelope, signature

TOKENS = st.sampled_from(["x-sproutgigs-signature", "content-length", "content-type", "content-encoding", "host"])
NAMES = st.binary(max_size=20) | TOKENS.map(str.encode)
VALUES = (
    st.binary(max_size=80)
    | st.sampled_from([b"sha256=" + b"0" * 64, b"-1", b"1e9", b"9" * 30, b"\xb2", b"chunked"])
    | st.integers().map(lambda number: str(number).encode())
)
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=4)
ID = st.text("abcdef0123456789", min_size=1, max_size=12)
NO_ID = st.sampled_from(["", "../x", "a b", None, True, 1.5, [], {}, "é", "x" * 65, "\ud800"])


@settings(max_examples=150)
@given(
    st.binary(max_size=300), HEADERS, st.sampled_from(["POST", "GET", "\xb2"]), st.text(max_size=10), st.booleans()
)
def test_any_bytes_get_a_status_that_is_promised(body, headers, method, path, signed) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "submitted.db"
        receiver = Receiver(file, signing_secret=SIGNING if signed else None)
        for where in (path, "/"):
            status, _ = ask(receiver, body, headers, method=method, path=where)
            assert status in (200, 401, 413, 422, 404, 405)
            assert (status == 404) <= (where.strip("/") != "")
            assert (status == 405) <= (method != "POST")
            if signed:
                assert status != 200


@st.composite
def bodies(draw: st.DrawFn):
    """A body of either shape, the tasks and changes that it tells of, and whether all of it can be understood."""
    ids: set[tuple[str, str]] = set()
    changes: set[tuple[str, str]] = set()
    whole = True
    event = []
    kind = draw(st.sampled_from(["jobs", "tasks_submitted", "job_status_changed"]))
    for job_id in draw(st.lists(ID, max_size=4, unique=True)):
        entries = draw(st.lists(ID | NO_ID.map(lambda value: [value]), max_size=5))
        texts = [entry for entry in entries if isinstance(entry, str)]
        whole &= len(texts) == len(entries)
        values = [entry if isinstance(entry, str) else entry[0] for entry in entries]
        if kind == "job_status_changed":
            # Of a status only None, a truth value, an object and what is empty or too long cannot be read.
            values = [value if isinstance(value, str) and value in texts else None for value in values]
            changes |= {(job_id, text) for text in texts}
            rows = [{"status": value, "date": "2026-05-01 10:00:00"} for value in values]
            event.append({"job_id": job_id, "changes": rows})
        else:
            ids |= {(job_id, text) for text in texts}
            event.append({"job_id": job_id, "task_ids": values})
    if kind == "jobs":
        return {entry["job_id"]: entry["task_ids"] for entry in event}, ids, changes, whole
    return envelope(kind, event), ids, changes, whole


@settings(max_examples=100)
@given(bodies(), st.booleans())
def test_200_is_for_all_of_a_body_and_what_can_be_understood_of_any_is_durable(case, signed) -> None:
    body, ids, changes, whole = case
    raw = json.dumps(body).encode()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "submitted.db"
        receiver = Receiver(file, signing_secret=SIGNING if signed else None)
        headers = [(b"x-sproutgigs-signature", signature(raw).encode())] if signed else []
        assert ask(receiver, raw, headers)[0] == (200 if whole else 422)
        assert durable_ids(file) == ids
        assert {(job, status) for job, status, _ in durable_changes(file)} == changes


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_ten_megabytes_are_refused_with_a_word_why(tmp_path: Path, backend: str) -> None:
    receiver = Receiver(tmp_path / "submitted.db")
    body = json.dumps({"job": ["x" * 10] * 800_000}).encode()
    assert len(body) > 10_000_000
    for headers in ([], [(b"content-length", str(len(body)).encode())]):
        assert ask(receiver, body, headers, backend=backend) == (413, "at most 1048576 bytes are read")


def test_a_hundred_thousand_ids_in_one_event_are_refused_with_a_word_why(tmp_path: Path) -> None:
    receiver = Receiver(tmp_path / "submitted.db")
    body = envelope("tasks_submitted", [{"job_id": "j", "task_ids": list(range(100_000))}])
    assert ask(receiver, body) == (413, "it has more than 50000 entries")


def test_job_ids_that_are_paths_are_refused_with_a_word_why(tmp_path: Path) -> None:
    body = envelope("tasks_submitted", [{"job_id": "../../jobs/x", "task_ids": ["a"]}])
    assert ask(Receiver(tmp_path / "submitted.db"), body) == (422, "'../../jobs/x' cannot be the id of a job")
