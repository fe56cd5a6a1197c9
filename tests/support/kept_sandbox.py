"""A service that may be killed: a served sandbox whose ratings are kept in a file, and outlive it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import anyio

from picoworkers_async import AsyncPicoworkers, Rating
from picoworkers_async.editions import EDITIONS
from picoworkers_async.sandbox import Sandbox

TASKS = 400


async def main(port: str, kept: str, edition: str) -> None:
    # From the same seed come the same jobs and tasks. Whoever rates twice pays twice, and is found out.
    sandbox = Sandbox(edition=EDITIONS[edition], balance=10**6, latency=0.01, seed=7, pays_repeats=True)
    for _ in range(2):
        sandbox.add_tasks(sandbox.add_job(num_tasks=10**6), TASKS // 2)
    before = [Rating(**row) for row in read_kept(Path(kept))]
    async with AsyncPicoworkers(
        "user_id", "api_secret", edition=sandbox.edition, transport=sandbox.transport()
    ) as pico:
        await pico.rate_all(before)
    with Path(kept).open("a") as file:  # noqa: ASYNC230

        def keep(sandbox: Sandbox) -> None:
            entry = sandbox.ledger[-1]
            row = {"job_id": entry.job_id, "task_id": entry.task_id, "verdict": entry.verdict}
            file.write(json.dumps({**row, "comment": entry.comment, "bonus": str(entry.bonus)}) + "\n")
            file.flush()

        sandbox.after_each_rating(keep)
        async with sandbox.serve(int(port)) as url:
            print(url, flush=True)
            await anyio.sleep_forever()


def read_kept(kept: Path) -> list[dict]:
    """The ratings that took effect; a line that was cut off did not."""
    lines = kept.read_text().splitlines(keepends=True) if kept.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


if __name__ == "__main__":
    anyio.run(main, *sys.argv[1:])
