"""The main job, shown on a sandbox: review every task that waits to be rated."""

from __future__ import annotations

import time

from .. import PICOWORKERS, SPROUTGIGS, AsyncPicoworkers, BatchReport, Rating, Task, Throttle
from ..rating.outcomes import Tally
from ..sandbox import Sandbox

_JOBS = ("Sign up to ACME website", "Play Video", "Answer a survey")


def decide(task: Task) -> Rating | None:
    """A small rule: proofs are paid, long ones with a bonus; none is refused, a doubtful one sent back."""
    text = task.proofs[0].text or "" if task.proofs else ""
    if not text:
        return Rating.not_ok(task, "No proof was handed in.", "incorrect")
    if "?" in text:
        return Rating.revise(task, "Please say which of the two it is.")
    return Rating.ok(task, "good", bonus="0.05" if len(text) > 20 else None)


def _seed(sandbox: Sandbox, tasks: int) -> None:
    proofs = ["done", "all of it, and a screenshot", "", "blue? or green", "done", "done as asked"]
    jobs = [sandbox.add_job(title=title, task_value="0.10", num_tasks=tasks) for title in _JOBS]
    for number in range(tasks):
        text = proofs[number % len(proofs)]
        sandbox.add_tasks(jobs[number % len(jobs)], worker_id=f"worker{number:05d}", proofs=[{"text": text}])


async def run_demo(*, tasks: int, latency: float, requests_per_second: float) -> None:
    """Review the same tasks on both editions under the same limit, over HTTP on loopback, and compare."""
    rows = []
    for edition in (SPROUTGIGS, PICOWORKERS):
        sandbox = Sandbox(edition=edition, page_size=100, latency=latency, requests_per_second=requests_per_second)
        _seed(sandbox, tasks)
        async with sandbox.serve() as url:
            print(f"{edition.name}: {tasks} unrated tasks in {len(_JOBS)} jobs, "
                  f"{requests_per_second:g} requests a second, at {url}")  # fmt: skip
            throttle = Throttle(requests_per_second=requests_per_second)
            pico = AsyncPicoworkers("user_id", "api_secret", edition=edition, base_url=url, throttle=throttle)
            async with pico:
                report = await _review(pico, tasks)
        _print_report(sandbox, report)
        rows.append((edition.name, len(sandbox.requests), report.elapsed))
    print(f"\n{'edition':>12} {'requests':>9} {'seconds':>8} {'ratings a request':>18}")
    for name, requests, seconds in rows:
        print(f"{name:>12} {requests:9d} {seconds:8.1f} {tasks / requests:18.1f}")


async def _review(pico: AsyncPicoworkers, tasks: int) -> BatchReport:
    tally, done, started, shown = Tally(), 0, time.perf_counter(), 0.0
    async with pico.review(decide) as outcomes:
        async for outcome in outcomes:
            tally.add(outcome)
            done += 1
            now = time.perf_counter()
            if now - shown > 5.0 or done == tasks:
                shown = now
                print(f"  {done:6d} of {tasks} settled, {done / (now - started):6.0f} a second", flush=True)
    return tally.report(time.perf_counter() - started)


def _print_report(sandbox: Sandbox, report: BatchReport) -> None:
    verdicts = [entry.verdict for entry in sandbox.ledger]
    print(f"Rated:    {report.rated} (ok {verdicts.count('ok')}, not ok {verdicts.count('not_ok')}, "
          f"sent back {verdicts.count('revise')})")  # fmt: skip
    print(f"Refused:  {report.refused} by the service; failed {report.failed}, unknown {report.unknown}")
    print(f"Paid:     ${sandbox.paid} for tasks, ${report.bonus} as bonuses")
    print(f"Ledger:   ${sandbox.bonus_paid} as bonuses, {sandbox.double_ratings} tasks rated twice")
    print(f"Requests: {len(sandbox.requests)}, {len(sandbox.requests) / report.elapsed:.1f} a second, "
          f"at most {sandbox.peak_concurrency} at once, {sandbox.rate_limited} over the limit")  # fmt: skip
    if report.bonus != sandbox.bonus_paid or sandbox.unrated():
        raise SystemExit("the ledger does not agree with the report")
