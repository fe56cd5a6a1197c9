"""A task is met, rated once and kept in a journal; for an environment with nothing but the package.

`nox -s package` runs it. The sandbox needs an extra, so a transport of its own answers.
"""

import asyncio
import importlib.util
import json
import sys
import tempfile
from pathlib import Path

import httpx

import picoworkers_async
from picoworkers_async import PICOWORKERS, AsyncPicoworkers, Journal, Rating

TASK = {
    "id": "0000000002d755",
    "job_id": "00000001c53e",
    "worker_id": "abcd1234",
    "finished_at": "2026-11-26T22:54:29Z",
    "ip_address": "127.0.0.1",
    "country_code": "XX",
    "revision_number": 0,
    "variables": [],
    "proofs": [{"text": "a proof"}],
}
OF_EXTRAS = ("cyclopts", "httptools", "httpx2", "keyring", "redis", "rich", "starlette", "uvicorn")


async def story(folder: Path) -> None:
    rated: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            rated.append(json.loads(request.content)["task_id"])
            return httpx.Response(200, json={"ok": True, "message": "Task rated successfully."})
        tasks = [] if rated else [TASK]
        return httpx.Response(200, json={"current_page": 1, "pages": 1, "tasks": tasks})

    options = {"edition": PICOWORKERS, "transport": httpx.MockTransport(answer)}
    async with AsyncPicoworkers("user_id", "api_secret", **options) as pico:
        for expected in (1, 0):
            report = await pico.review_all(Rating.ok, journal=folder / "ratings.db")
            assert report.rated == expected, report
    assert rated == [TASK["id"]], rated
    assert Journal(folder / "ratings.db").counts() == {"rated": 1}


def main() -> None:
    installed = Path(picoworkers_async.__file__).parent
    assert installed.is_relative_to(sys.prefix), installed
    extra = [name for name in OF_EXTRAS if importlib.util.find_spec(name)]
    assert not extra, extra
    missing = [name for name in picoworkers_async.__all__ if not hasattr(picoworkers_async, name)]
    assert not missing, missing
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(story(Path(folder)))
    print(f"picoworkers_async {picoworkers_async.__version__}: imported, and a task rated once")


if __name__ == "__main__":
    main()
