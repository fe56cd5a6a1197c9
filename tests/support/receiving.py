"""A receiver of postbacks for tests: asked without a network, or served; and what its file holds."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from picoworkers_async.webhooks import Receiver

SECRET = "a-segment-nobody-guesses"
SIGNING = "a key to sign with"

EXAMPLE = {"abc123dfae98": ["99900012abcd1f", "99923817f2bce4"], "09876abce173": ["81204582ff321c"]}
"""The example of the document of 2024."""

IDS = {(job_id, task_id) for job_id, task_ids in EXAMPLE.items() for task_id in task_ids}


def envelope(kind: str, event: Any, date: Any = "2026-05-01T10:00:00Z") -> dict[str, Any]:
    """A body of today's shape."""
    return {"event_type": kind, "event_date": date, "event": event}


def changed(job_id: str, *changes: tuple[str, Any]) -> dict[str, Any]:
    """A body that tells of one job's statuses, each with its date."""
    event = {"job_id": job_id, "changes": [{"status": status, "date": date} for status, date in changes]}
    return envelope("job_status_changed", [event])


def signature(body: bytes, secret: str = SIGNING) -> str:
    """The value of the header, as the service computes it."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def ask(
    receiver: Receiver,
    body: bytes | Any,
    headers: list[tuple[bytes, bytes]] | None = None,
    *,
    method: str = "POST",
    path: str = "/",
    backend: str = "asyncio",
) -> tuple[int, str]:
    """Send one request to the receiver, in process; gives the status and the text that were answered."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    messages = [{"type": "http.request", "body": raw}]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": headers or [], "query_string": b""}
    anyio.run(receiver, scope, receive, send, backend=backend)
    return sent[0]["status"], b"".join(part.get("body", b"") for part in sent[1:]).decode()


@contextmanager
def served(receiver: Receiver, port: int = 0) -> Iterator[str]:
    """The receiver, mounted in a Starlette application, served by uvicorn; gives the URL of the mount."""
    listener = socket.create_server(("127.0.0.1", port))
    app = Starlette(routes=[Mount("/hooks", receiver)])
    config = uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        while not server.started:
            threading.Event().wait(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/hooks"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def rows(path: Path, query: str) -> list[Any]:
    """What a file holds, read by SQLite alone; nothing if it was never made."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


def durable_ids(path: Path) -> set[tuple[str, str]]:
    """The tasks in the file, whether they wait or not."""
    return set(rows(path, "SELECT job_id, task_id FROM submitted"))


def durable_changes(path: Path) -> list[tuple[str, str, str]]:
    """The changes of jobs in the file, in order."""
    return rows(path, "SELECT job_id, status, date FROM changes ORDER BY number")
