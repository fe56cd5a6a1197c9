"""examples/webhook: behind the path of a proxy, what the service posts is reviewed."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from picoworkers_async.console.listening import listening
from picoworkers_async.sandbox import Sandbox

from .programs import EXAMPLES, command_of, copy_of, environment, free_port, running, until

pytestmark = [pytest.mark.anyio, pytest.mark.story, pytest.mark.parametrize("anyio_backend", ["asyncio"])]
SECRET = "as set in the account"


@asynccontextmanager
async def proxy(port: int) -> AsyncIterator[str]:
    """What nginx does by nginx.conf: it takes `/rating/` off, and passes on the rest."""
    assert (
        "location /rating/ {\n    proxy_pass http://127.0.0.1:8000/;"
        in (EXAMPLES / "webhook" / "nginx.conf").read_text()
    )

    async def pass_on(request: Request) -> Response:
        path = request.url.path.removeprefix("/rating")
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as behind:
            answer = await behind.request(request.method, path, content=await request.body(), headers=headers)
        return Response(answer.content, answer.status_code)

    app = Starlette(routes=[Route("/rating/{rest:path}", pass_on, methods=["GET", "POST"])])
    async with listening(app, "127.0.0.1", 0, name="proxy") as url:
        yield f"{url}/rating"


async def test_what_is_posted_through_the_proxy_is_reviewed_and_what_is_not_signed_is_refused(
    tmp_path: Path,
) -> None:
    port = free_port()
    sandbox = Sandbox(edition="sproutgigs")
    job_id = sandbox.add_job()
    folder, command = copy_of("webhook", tmp_path), command_of("webhook")
    async with sandbox.serve() as service, proxy(port) as url:
        env = environment(service, tmp_path, SIGNING_SECRET=SECRET, PORT=str(port))
        async with running(command, folder, env) as process:

            def answers() -> bool:
                try:
                    return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200
                except httpx.TransportError:
                    return False

            await until(answers)
            # The first walk of the listing is over: what comes now, only a postback tells.
            await until(lambda: bool(sandbox.requests))
            hook = f"{url}/hooks/"
            async with httpx.AsyncClient(trust_env=False) as stranger:
                assert (await stranger.post(hook, json={job_id: ["x"]})).status_code == 401
                assert (await stranger.get(f"{url}/healthz")).status_code == 200
            async with sandbox.post_back(hook, shape="envelope", signing_secret=SECRET, every=0.05) as posted:
                tasks = sandbox.add_tasks(job_id, 3)
                await until(lambda: len(sandbox.ledger) == 3)
            assert set(posted.statuses) == {200}
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0, (folder / "err").read_text()
    assert {task_id for task_id, _ in sandbox.decisions()} == set(tasks)
    assert "3 rated" in (folder / "err").read_text()
