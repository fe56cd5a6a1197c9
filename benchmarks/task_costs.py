"""What one task takes on its way through a plan past one machine: bytes, memory, and processor time of JSON.

The task is the documents' own, with a text and the address of a screenshot as proofs; the rating is an `ok` with
a comment and a bonus. Bytes on the wire are of bodies as they are, not compressed. Processor time is the least of
nine rounds.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trio

from picoworkers_async import Journal, Rating, Task, codec, json_converter, to_jsonable
from picoworkers_async.codec.json import encode
from picoworkers_async.rating.pending import PendingRating
from picoworkers_async.sandbox import Sandbox

TASKS, PAGE, ROUNDS, FEW, ROWS = 10_000, 100, 9, 20_000, 1_000_000


def listed(number: int) -> dict[str, object]:
    proofs = [
        {"text": "user name: maria.example"},
        {"text": "https://sproutgigs.com/proofs/2026/11/1a2b3c4d5e6f.png"},
    ]
    return {
        "id": f"{number:014x}",
        "job_id": "abcdef123456",
        "worker_id": f"{number % 5000:08x}",
        "finished_at": "2026-11-01T17:04:45Z",
        "ip_address": "203.0.113.27",
        "country_code": "XX",
        "revision_number": 0,
        "variables": [],
        "proofs": proofs,
    }


def rating(task: Task) -> Rating:
    return Rating.ok(task, "good", "great job!", bonus="0.05")


def page(first: int, count: int) -> str:
    tasks = [listed(first + number) for number in range(count)]
    return json.dumps({"current_page": 1, "pages": 1, "tasks": tasks}, separators=(",", ":"))


def least(do: Callable[[], object], items: int) -> float:
    """Microseconds of processor time for an item."""
    seconds = []
    for _ in range(ROUNDS):
        started = time.thread_time()
        do()
        seconds.append(time.thread_time() - started)
    return min(seconds) / items * 1e6


def allocated(make: Callable[[], object], items: int) -> float:
    """Bytes that stay allocated for an item."""
    tracemalloc.start()
    kept = make()
    size = tracemalloc.get_traced_memory()[0] / items
    tracemalloc.stop()
    del kept
    return size


def tasks_of(pages: list[str]) -> list[Task]:
    return [task for text in pages for task in codec.read_tasks_page(json.loads(text)).items]


async def review(path: str, ratings: int) -> None:
    """Note so many ratings."""
    sandbox = Sandbox(edition="sproutgigs", page_size=PAGE)
    sandbox.add_tasks(sandbox.add_job(num_tasks=ratings), ratings)
    async with sandbox.client() as pico:
        report = await pico.review_all(rating, journal=path)
    assert report.rated == ratings


def pruned(path: str) -> tuple[float, float]:
    """Seconds to prune as many rows as a large journal has, and bytes of a row in it."""
    old = (datetime.now(UTC) - timedelta(days=200)).timestamp()
    with closing(sqlite3.connect(path)) as database:
        rows = (("abcdef123456", f"x{n:013x}", 0, "ok", "good", "great job!", 0, 0, "0.05", 500, f"{n % 5000:08x}",
                 "rated", "Task rated successfully.", old, old, old) for n in range(ROWS))  # fmt: skip
        columns = ("job_id, task_id, revision, verdict, satisfaction, comment, list_id, block_worker, bonus, "
                   "bonus_units, worker_id, state, message, decided_at, sent_at, ended_at")  # fmt: skip
        before = Path(path).stat().st_size
        database.executemany(f"INSERT INTO ratings ({columns}) VALUES ({', '.join('?' * 16)})", rows)
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = (Path(path).stat().st_size - before) / ROWS
    started = time.perf_counter()
    assert Journal(path).prune() == ROWS
    return time.perf_counter() - started, size


def main() -> None:
    pages = [page(first, PAGE) for first in range(0, TASKS, PAGE)]
    tasks = tasks_of(pages)
    ratings = [rating(task) for task in tasks]
    body = codec.write_ratings(ratings[:1000])
    sent = encode(body)
    answer = json.dumps({"tasks": [{"id": one.task_id, "ok": True, "message": "Task rated successfully."}
                                   for one in ratings[:1000]]}, separators=(",", ":"))  # fmt: skip
    print(f"wire: a task listed {len(pages[0]) / PAGE:.0f} bytes, its rating among 1,000 {len(sent) / 1000:.0f}, "
          f"the answer {len(answer) / 1000:.0f}")  # fmt: skip
    converter = json_converter()
    asked = [json.dumps(to_jsonable(task), separators=(",", ":")) for task in tasks]
    decided = [json.dumps(to_jsonable(one), separators=(",", ":")) for one in ratings]
    print(f"as JSON of the library: a task {len(asked[0])} bytes, a rating {len(decided[0])}")
    write_task = least(lambda: [json.dumps(to_jsonable(task)) for task in tasks], TASKS)
    read_task = least(lambda: [converter.structure(json.loads(text), Task) for text in asked], TASKS)
    write_rating = least(lambda: [json.dumps(to_jsonable(one)) for one in ratings], TASKS)
    read_rating = least(lambda: [converter.structure(json.loads(text), Rating) for text in decided], TASKS)
    print(f"that JSON: a task written in {write_task:.1f} us and read in {read_task:.1f}, a rating written in "
          f"{write_rating:.1f} us and read in {read_rating:.1f}")  # fmt: skip
    print(f"a task read from a page of {PAGE}: {least(lambda: tasks_of(pages), TASKS):.1f} us")
    pending = allocated(lambda: [PendingRating(rating(task), None) for task in tasks], TASKS)
    print(
        f"memory: a task {allocated(lambda: tasks_of(pages), TASKS):.0f} bytes, a rating that waits {pending:.0f}"
    )
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCHMARK_FOLDER")) as folder:
        path = str(Path(folder, "journal.db"))
        trio.run(review, path, FEW)
        each = Path(path).stat().st_size / FEW
        seconds, size = pruned(path)
    print(f"journal: {each:.0f} bytes a rating after {FEW:,}, {size:.0f} a row of {ROWS:,} in order; "
          f"those pruned in {seconds:.1f} s")  # fmt: skip


if __name__ == "__main__":
    main()
