"""examples/plan: each entry is posted once, whatever happens to answers and runs, and steered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from picoworkers_async.sandbox import Faults, Sandbox

from .programs import EXAMPLES, command_of, copy_of, ended, environment, running, until

pytestmark = [pytest.mark.anyio, pytest.mark.story, pytest.mark.parametrize("anyio_backend", ["asyncio"])]


def plan_with(folder: Path, *, pause_at: datetime, resume_at: datetime, pause_after: int = 200) -> None:
    """Write the plan anew, with other times of day."""
    text = (EXAMPLES / "plan" / "plan.toml").read_text(encoding="utf-8")
    assert all(part in text for part in ("pause_at = 22:00:00", "resume_at = 06:00:00", "pause_after = 200"))
    text = text.replace("22:00:00", f"{pause_at:%H:%M:%S}").replace("06:00:00", f"{resume_at:%H:%M:%S}")
    (folder / "plan.toml").write_text(text.replace("after = 200", f"after = {pause_after}"), encoding="utf-8")


async def test_each_entry_is_posted_once_and_pauses_at_its_hour_and_when_enough_is_done(tmp_path: Path) -> None:
    folder, command = copy_of("plan", tmp_path), command_of("plan")
    now, hour = datetime.now(UTC), timedelta(hours=1)
    open_hours = {"pause_at": now + 6 * hour, "resume_at": now + 8 * hour}
    closed_hours = {"pause_at": now - 3 * hour, "resume_at": now + 3 * hour}
    sandbox = Sandbox(posted_as="running")
    async with sandbox.serve() as url:
        env = environment(url, tmp_path, PICOWORKERS_EDITION="picoworkers")
        plan_with(folder, **open_hours)
        first = await ended(command, folder, env)
        assert (first.code, first.out.count("posted as")) == (0, 2), first
        acme, newsletter = sandbox.store.jobs

        async def statuses_after_a_run() -> tuple[str, str]:
            run = await ended(command, folder, env)
            assert run.code == 0, run
            return str(sandbox.store.jobs[acme].status), str(sandbox.store.jobs[newsletter].status)

        plan_with(folder, **closed_hours)
        assert await statuses_after_a_run() == ("paused", "running")
        plan_with(folder, **open_hours)
        assert await statuses_after_a_run() == ("running", "running")
        sandbox.add_tasks(acme, 5)
        plan_with(folder, **open_hours, pause_after=5)
        assert await statuses_after_a_run() == ("paused", "running")
        sandbox.set_job_status(newsletter, "paused")
        assert await statuses_after_a_run() == ("paused", "paused"), "what somebody else paused stays paused"
    assert len(sandbox.store.jobs) == 2


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        ("resume_at = 06:00:00", "", "acme: pause_at and resume_at"),
        ("pause_at = 22:00:00", 'pause_at = "22:00"', "acme: pause_at and resume_at"),
        ("pause_after = 200", "pause_aftr = 200", "acme: not known: pause_aftr"),
        ("pause_after = 200", 'pause_after = "200"', "acme: pause_after"),
        ('name = "newsletter"', 'name = "acme"', "acme: the name of two entries"),
        ('name = "newsletter"', "", "entry 2: a name and a draft"),
        ('timezone = "UTC"', 'timezone = "Nowhere/At all"', "timezone"),
        ('timezone = "UTC"', 'time_zone = "UTC"', "not known: time_zone"),
    ],
)
async def test_a_plan_with_an_entry_that_could_not_be_steered_posts_nothing(
    tmp_path: Path, line: str, instead: str, said: str
) -> None:
    folder, command = copy_of("plan", tmp_path), command_of("plan")
    plan = (folder / "plan.toml").read_text(encoding="utf-8")
    assert line in plan
    (folder / "plan.toml").write_text(plan.replace(line, instead), encoding="utf-8")
    sandbox = Sandbox()
    async with sandbox.serve() as url:
        run = await ended(command, folder, environment(url, tmp_path, PICOWORKERS_EDITION="picoworkers"))
    assert (run.code, said in run.out, len(sandbox.store.jobs)) == (3, True, 0), run


async def test_a_post_whose_answer_was_lost_is_looked_for_and_one_that_was_killed_is_left_to_a_person(
    tmp_path: Path,
) -> None:
    folder, command = copy_of("plan", tmp_path), command_of("plan")
    sandbox = Sandbox(posted_as="running", faults=Faults(cut_after=1.0, only="post_job"))
    async with sandbox.serve() as url:
        env = environment(url, tmp_path, PICOWORKERS_EDITION="picoworkers")
        lost = await ended(command, folder, env)
        assert (lost.code, lost.out.count("posted as")) == (0, 2), lost

        (folder / "plan.toml.db").unlink()
        sandbox.faults = Faults(slow=1.0, slow_seconds=600, only="post_job")
        async with running(command, folder, env) as process:
            await until(lambda: len(sandbox.store.jobs) == 3)
            process.kill()
            await process.wait()

        sandbox.faults = Faults()
        after = await ended(command, folder, env)
    assert after.code == 3, after
    acme, newsletter = after.out.splitlines()
    assert "acme: LOOK AT IT" in acme
    assert list(sandbox.store.jobs)[2] in acme
    assert "newsletter: posted as" in newsletter
    assert len(sandbox.store.jobs) == 4
