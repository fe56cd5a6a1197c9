"""A receiver under uvicorn that kills itself at its first postback: within the transaction, or before the answer.

Arguments: the file, and `commit`, `answer` or `never`. It prints its port.
"""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from picoworkers_async.webhooks import Receiver
from picoworkers_async.webhooks.file import PostbackFile


def main(path: str, moment: str) -> None:
    whole = PostbackFile.transaction

    @contextmanager
    def killed(self: PostbackFile) -> Iterator[sqlite3.Connection]:
        with whole(self) as database:
            yield database
            if moment == "commit":
                os.kill(os.getpid(), signal.SIGKILL)
        if moment == "answer":
            os.kill(os.getpid(), signal.SIGKILL)

    PostbackFile.transaction = killed
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(Receiver(path), lifespan="off", access_log=False, log_level="critical")
    uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
