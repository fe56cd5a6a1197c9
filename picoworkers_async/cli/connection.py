"""From a command's options to a client: which service, as whom, at what pace."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import attrs

from ..client import AsyncPicoworkers
from ..editions import EDITIONS, PICOWORKERS, Edition
from ..throttle import SqlitePacer, Throttle
from .credentials import Login, find_login
from .exits import CommandError
from .options import Options

if TYPE_CHECKING:
    from ..sandbox import Sandbox

SETTLE_AFTER_SECONDS = 30.0
NO_SANDBOX = 'the sandbox needs its extra: pip install "picoworkers-async[cli,sandbox]"'
_OF_SANDBOXES = Login("user_id", "api_secret", "the sandbox")
_SEEDED_JOBS = ("Sign up to ACME website", "Play a video", "Answer a survey")


@attrs.frozen
class Target:
    """Which service to ask, and as whom. Without an address it is the edition's own, or a sandbox in process."""

    login: Login
    edition: Edition
    base_url: str | None
    is_in_process: bool = False


@asynccontextmanager
async def connect(options: Options) -> AsyncIterator[AsyncPicoworkers]:
    """A client as the options say, open for the block.

    Raises `CommandError` for options that do not go together, `CredentialsError` if there are no credentials,
    and `InvalidRequestError` for an option out of range.
    """
    async with client_of(options, find_target(options, os.environ)) as pico:
        yield pico


def find_target(options: Options, environ: Mapping[str, str]) -> Target:
    """Whom to ask: options override the environment, which overrides the credentials' file."""
    if options.sandbox:
        address = options.base_url
        if address is not None and not address.startswith("http://"):
            raise CommandError("--sandbox with --base-url is for a sandbox served on this machine, at http://")
        edition = find_edition(options.edition or environ.get("PICOWORKERS_EDITION"))
        return Target(_OF_SANDBOXES, edition, address, is_in_process=address is None)
    login = find_login(options.credentials, environ)
    name = options.edition or environ.get("PICOWORKERS_EDITION") or login.edition
    base_url = options.base_url or environ.get("PICOWORKERS_BASE_URL") or login.base_url
    return Target(login, find_edition(name), base_url)


def client_of(options: Options, target: Target) -> AsyncPicoworkers:
    """A client for this target, not yet entered."""
    edition, login = target.edition, target.login
    given: dict[str, Any] = {"timeout": options.timeout, "settle_after": SETTLE_AFTER_SECONDS}
    pace = options.requests_per_second
    if pace is None and not target.is_in_process:
        pace = edition.requests_per_second
    pacer = None if options.pacer is None else SqlitePacer(options.pacer)
    given["throttle"] = Throttle(edition.max_concurrency, pace, edition.cooldown, pacer)
    if target.is_in_process:
        given["transport"] = fresh_sandbox(edition).transport()
    return AsyncPicoworkers(login.user_id, login.api_secret, edition=edition, base_url=target.base_url, **given)


def fresh_sandbox(edition: Edition, *, tasks: int = 12, **options: Any) -> Sandbox:
    """A sandbox with three jobs, one of them paused, and tasks to be rated. `options` are those of `Sandbox`."""
    try:
        from ..sandbox import Sandbox
    except ImportError:
        raise CommandError(NO_SANDBOX) from None
    sandbox = Sandbox(edition=edition, **options)
    size = len(_SEEDED_JOBS)
    for number, title in enumerate(_SEEDED_JOBS):
        job_id = sandbox.add_job(title=title, task_value="0.10", num_tasks=max(100, tasks), ttr=1 + 3 * number)
        share = tasks // size + (number < tasks % size)
        sandbox.add_tasks(job_id, share, proofs=lambda place: [{"text": f"done, as asked ({place + 1})"}])
    sandbox.set_job_status(job_id, "paused")
    return sandbox


def find_edition(name: str | None) -> Edition:
    """The edition of this name; the 2022 edition for None. Raises `CommandError` for an unknown name."""
    if name is None:
        return PICOWORKERS
    found = EDITIONS.get(name.lower())
    if found is None:
        raise CommandError(f"the edition must be one of {', '.join(EDITIONS)}, not {name!r}")
    return found
