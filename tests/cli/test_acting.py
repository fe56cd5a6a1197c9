"""Commands that change something: asked about, made once, and looked up where the answer was lost."""

from __future__ import annotations

from decimal import Decimal

import pytest

from picoworkers_async import SPROUTGIGS, Job, Settlement
from picoworkers_async.cli import asking, connection
from picoworkers_async.cli.acting import Ending, result_of_settlement
from picoworkers_async.cli.steering import cost
from picoworkers_async.effects import Effect
from picoworkers_async.endpoints import ENDPOINTS
from picoworkers_async.sandbox import Faults, Sandbox
from tests.cli.conftest import Run, change_answers, serve

JOB = "fc7b3bd10d08"
SPENDING = (
    *(["add-positions", JOB, "10"], ["restart", JOB], ["restart", JOB, "--positions", "10"], ["stop", JOB]),
    *(["set-ttr", JOB, "1"], ["deposit", "1000"], ["add-workers", "14118", "abcd1234"]),
)


def fields_of(run: Run) -> dict:
    return run("job", JOB, "--sandbox", "--json").document


def writes(sandbox: Sandbox) -> list[str]:
    """The calls that were made, but for those that read."""
    names = {row.path: row.name for row in ENDPOINTS if row.method == "POST"}
    paths = [request.path.removeprefix("/api/") for request in sandbox.requests]
    return [names[path] for path in paths if path in names]


@pytest.mark.parametrize("command", SPENDING, ids=" ".join)
def test_without_a_terminal_nothing_is_sent_that_would_have_been_asked_about(
    run: Run, service: Sandbox, command: list[str]
) -> None:
    ran = run(*command, "--sandbox")
    assert ran.code == 2
    assert "add --yes" in ran.err
    assert writes(service) == []


@pytest.mark.parametrize("answer", ["n", "", "yess", "Y", "yes"])
def test_only_a_yes_at_the_terminal_sends_it(
    run: Run, service: Sandbox, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr(asking, "is_at_terminal", lambda: True)
    monkeypatch.setattr("sys.stdin.readline", lambda: answer + "\n", raising=False)
    ran = run("add-positions", JOB, "10", "--sandbox")
    is_yes = answer in ("Y", "yes")
    assert ran.code == (0 if is_yes else 1)
    assert "Add 10 positions of $0.10, $1.00 and the service's fees to job fc7b3bd10d08 (Play a video)?" in ran.err
    assert writes(service) == (["add_positions"] if is_yes else [])
    assert ("nothing was done" in ran.err) is not is_yes


def test_a_job_is_steered(run: Run, service: Sandbox) -> None:
    assert run("pause", JOB, "--sandbox").code == 0
    assert fields_of(run)["status"] == "paused"
    assert run("resume", JOB, "--sandbox").code == 0
    assert run("set-speed", JOB, "7", "--sandbox").code == 0
    assert run("set-ttr", JOB, "5", "--yes", "--sandbox").code == 0
    assert run("add-positions", JOB, "10", "--yes", "--sandbox").code == 0
    job = fields_of(run)
    assert (job["status"], job["speed"], job["ttr"], job["num_tasks"]) == ("running", 7, 5, 60)
    assert run("stop", JOB, "--yes", "--sandbox").code == 0
    assert run("restart", JOB, "--positions", "5", "--yes", "--sandbox", "--json").document["outcome"] == "done"
    assert fields_of(run)["num_tasks"] == 65
    assert service.complaints == []


def test_workers_are_listed_blocked_and_unblocked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = serve(monkeypatch, Sandbox(edition=SPROUTGIGS))
    common = ("--sandbox", "--edition", "sproutgigs")
    assert run("add-workers", "14118", "abcd1234", "abcd1235", "--yes", *common).code == 0
    assert "Block 2 workers?" in run("block", "a1", "b2", *common).err
    assert run("block", "a1", "b2", "--yes", *common).code == 0
    assert run("unblock", "a1", *common).code == 0
    assert writes(sandbox) == ["add_workers", "block_workers", "unblock_workers"]
    assert run("unblock", *common).code == 2


def test_a_deposit_is_made_and_what_an_edition_cannot_is_said(run: Run, service: Sandbox) -> None:
    ran = run("deposit", "1050", "--yes", "--sandbox", "--json")
    assert (ran.code, ran.document["outcome"]) == (0, "done")
    assert run("balance", "--sandbox", "--json").document["spendable"] == "1010.5000"
    assert "Deposit $10.50 from the credit card?" in run("deposit", "1050", "--sandbox").err
    assert run("deposit", "999", "--yes", "--sandbox").code == 2
    blocked = run("block", "a1", "--yes", "--sandbox")
    assert blocked.code == 2
    assert "this edition of the service cannot" in blocked.err
    assert writes(service) == ["deposit"]


def test_a_refusal_is_told_in_the_services_words_with_exit_code_1(run: Run, service: Sandbox) -> None:
    service.set_job_status(JOB, "declined")
    ran = run("resume", JOB, "--sandbox", "--json")
    assert (ran.code, ran.document["outcome"]) == (1, "refused")
    assert ran.document["message"]
    assert ran.document["message"] in ran.err


def test_a_lost_answer_is_settled_by_reading_and_said_so(run: Run, service: Sandbox) -> None:
    service.faults = Faults(cut_after=1.0, only={"add_positions"})
    ran = run("add-positions", JOB, "10", "--yes", "--sandbox", "--json")
    assert (ran.code, ran.document["outcome"]) == (0, "done")
    assert "the answer was lost" in ran.err
    assert "nothing is sent again" in ran.err
    assert "reading shows that it took effect" in ran.err
    assert writes(service) == ["add_positions"]
    assert fields_of(run)["num_tasks"] == 60


def test_a_lost_call_that_had_no_effect_has_exit_code_1(
    run: Run, service: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "SETTLE_AFTER_SECONDS", 0.05)
    service.faults = Faults(error_500_before=1.0, only={"add_positions"})
    ran = run("add-positions", JOB, "10", "--yes", "--sandbox", "--json")
    assert (ran.code, ran.document["outcome"]) == (1, "failed")
    assert "reading shows that it did not take effect" in ran.err
    assert writes(service) == ["add_positions"]


def test_what_stays_unknown_has_exit_code_3_and_says_what_to_do(
    run: Run, service: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "SETTLE_AFTER_SECONDS", 0.05)
    service.faults = Faults(error_500_before=1.0, only={"add_positions"})

    # Somebody else adds positions in the same moment: what there is then proves nothing.
    async def meddle(request, answer):
        if "add-positions" in str(request.url) and service.faults != Faults():
            service.faults = Faults()
            async with service.client() as other:
                await other.jobs.add_positions(JOB, 3)
        return answer

    change_answers(monkeypatch, service, meddle)
    ran = run("add-positions", JOB, "10", "--yes", "--sandbox", "--json")
    assert (ran.code, ran.document["outcome"]) == (3, "unknown")
    assert ran.err.rstrip().endswith("before you repeat it")


@pytest.mark.parametrize(
    ("effect", "ending"),
    [
        (Effect.TOOK_EFFECT, Ending.DONE),
        (Effect.DID_NOT, Ending.FAILED),
        (Effect.CANNOT_TELL, Ending.UNKNOWN),
    ],
)
def test_what_reading_shows_is_how_the_call_ended(effect: Effect, ending: Ending) -> None:
    result = result_of_settlement(Settlement(effect, ("as seen",), "abc"))
    assert result.outcome is ending
    assert "as seen" in (result.message or "")


def test_what_positions_cost_is_said_exactly_or_not_at_all() -> None:
    assert cost(Job("a", task_value=Decimal("0.07")), 3) == "3 positions of $0.07, $0.21 and the service's fees"
    assert cost(Job("a", task_value=Decimal("0.1")), 1).startswith("1 position of $0.10, $0.10")
    assert "not known" in cost(Job("a"), 3)
