"""A Celery application as a user would write it, whose tasks fail: each kind of our errors, and a lost `post_job`.

The environment names its broker, and how results are serialized.
"""

from __future__ import annotations

import os

import anyio
from celery import Celery

from picoworkers_async import AsyncPicoworkers
from tests.support.vectors import DRAFT
from tests.test_pickling import MADE

BROKER, SERIALIZER = "TEST_CELERY_BROKER", "TEST_CELERY_SERIALIZER"
KINDS = {kind.__name__: error for kind, error in MADE.items()}


def make_app(broker: str, serializer: str) -> Celery:
    app = Celery("tests.support.celery_program", broker=broker, backend=broker)
    app.conf.update(
        result_serializer=serializer,
        accept_content=["json"],
        result_accept_content=[serializer],
        broker_connection_retry_on_startup=False,
        worker_hijack_root_logger=False,
    )

    @app.task(shared=False, name="fail")
    def fail(kind: str) -> None:
        raise KINDS[kind]

    @app.task(shared=False, name="post_job")
    def post_job(url: str) -> str | None:
        async def post() -> str | None:
            async with AsyncPicoworkers("user_id", "api_secret", base_url=url) as pico:
                return (await pico.jobs.post_job(DRAFT)).job_id

        return anyio.run(post)

    return app


if BROKER in os.environ:
    app = make_app(os.environ[BROKER], os.environ[SERIALIZER])
