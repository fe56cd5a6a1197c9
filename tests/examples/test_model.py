"""examples/model: the model's slots bound it; it may be busy, unsure, or wrong."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from picoworkers_async import Journal, JournalState
from picoworkers_async.console.listening import listening
from picoworkers_async.sandbox import Sandbox

from .programs import command_of, copy_of, environment, running, until

pytestmark = [pytest.mark.anyio, pytest.mark.story, pytest.mark.parametrize("anyio_backend", ["asyncio"])]
SLOTS, TASKS = 3, 30
NOT_AS_AGREED = {
    "proof 1": '{"nonsense": true}',
    "proof 4": '{"good": true, "confidence": NaN, "why": ""}',
    "proof 5": '{"good": "false", "confidence": 0.97, "why": ""}',
    "proof 6": '{"good": true, "confidence": 97, "why": ""}',
    "proof 7": '{"good": null, "confidence": 0.97, "why": null}',
    "proof 8": "[]",
}


async def test_the_model_is_never_asked_more_than_it_can_do_and_what_it_is_unsure_of_is_put_off(
    tmp_path: Path,
) -> None:
    folder, command = copy_of("model", tmp_path), command_of("model")
    sandbox = Sandbox(page_size=50)
    sandbox.add_tasks(sandbox.add_job(), TASKS, proofs=lambda number: [{"text": f"proof {number}"}])
    rated = TASKS - len(NOT_AS_AGREED) - len(["proof 2"])
    asked: Counter[str] = Counter()
    at_once: list[int] = [0]

    async def judge(request: Request) -> Response:
        (proof,) = (await request.json())["proofs"]
        asked[proof] += 1
        at_once.append(at_once[-1] + 1)
        await anyio.sleep(0.05)
        at_once.append(at_once[-1] - 1)
        if proof == "proof 0" and asked[proof] < 3:
            return Response(status_code=503)
        if proof in NOT_AS_AGREED:
            return Response(NOT_AS_AGREED[proof], media_type="application/json")
        sure = 0.5 if proof == "proof 2" else 0.9
        return JSONResponse({"good": proof != "proof 3", "confidence": sure, "why": "It is a copy."})

    app = Starlette(routes=[Route("/judge", judge, methods=["POST"])])
    async with sandbox.serve() as service, listening(app, "127.0.0.1", 0, name="model") as model:
        more = {"PICOWORKERS_EDITION": "picoworkers", "MODEL_URL": f"{model}/judge", "MODEL_SLOTS": str(SLOTS)}
        async with running(command, folder, environment(service, tmp_path, **more)) as process:
            await until(lambda: len(sandbox.ledger) >= rated and len(asked) == TASKS)
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0, (folder / "err").read_text()
    assert max(at_once) == SLOTS
    assert asked.pop("proof 0") == 3
    assert set(asked.values()) == {1}
    assert Counter(verdict for verdict, _ in sandbox.decisions().values()) == {"ok": rated - 1, "not_ok": 1}
    assert Journal(folder / "ratings.db").counts()[JournalState.RATED] == rated
    assert (folder / "err").read_text().count("WARNING model failed: ") == len(NOT_AS_AGREED)
