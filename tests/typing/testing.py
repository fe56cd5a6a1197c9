"""What a sandbox is seeded with, as a type checker sees it: checked, never run."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import assert_type

from picoworkers_async import AsyncPicoworkers, JobStatus
from picoworkers_async.sandbox import Faults, Sandbox, ScreenshotProof, TextProof


def right(sandbox: Sandbox) -> None:
    assert_type(sandbox.add_job(), str)
    job_id = sandbox.add_job(task_value="0.10", status=JobStatus.PAUSED, ttr=2, extra={"mood": 1})
    sandbox.add_job(task_value=Decimal("0.10"), status="paused", created_at=datetime.now(UTC))
    sandbox.add_job(proofs=[{"description": "d", "type": "text"}])
    assert_type(sandbox.add_tasks(job_id, 3, proofs=lambda number: [TextProof(f"code {number}")]), list[str])
    sandbox.add_tasks(job_id, finished_at=datetime.now(UTC), proofs=[{"text": "done"}])
    sandbox.resubmit("task", proofs=[ScreenshotProof("https://img.example/1.png")], extra={"country_code": 404})
    assert_type(sandbox.client(timeout=5), AsyncPicoworkers)
    assert_type(sandbox.page_size, int)
    sandbox.posted_as = "running"
    sandbox.faults = Faults(cut_after=0.1, only={"post_job"})
    Sandbox(faults=Faults(only=["post_job", "rate_single_task"]), also_takes={"mood"}, refuse_bulk_with={"task"})
    sandbox.serve(8000, host="0.0.0.0")


def wrong(sandbox: Sandbox) -> None:
    sandbox.add_job(nope=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    sandbox.add_job(ttr="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    sandbox.add_tasks("job", num_tasks=4)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    sandbox.add_tasks("job", proofs=["done"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    Faults(only=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    sandbox.posted_as = "zzz"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
