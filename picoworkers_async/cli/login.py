"""The command that stores the credentials."""

from __future__ import annotations

import os
from typing import Annotated

from cyclopts import Parameter

from ..errors import AuthenticationError
from ..ping import Ping
from .asking import ask_login, confirm
from .connection import Target, client_of, find_edition
from .credentials import Login, default_path, store_in_file, store_in_keyring
from .exits import CommandError, Exit
from .options import DEFAULT, Options
from .output import print_json, say
from .wording import reading_in_words


def _edition_in_words(ping: Ping, target: Target, *, is_default: bool) -> list[str]:
    """Which edition of the service is asked from now on, and which one answered, where that is not clear."""
    asked = f"{target.edition.name}{', the default, of 2022' if is_default else ''}"
    if ping.matches:
        return [f"the edition is {asked}; the service answers as that"] if is_default else []
    if ping.edition is None:
        return [f"the edition is {asked}; the service's zones are of no edition that is known"]
    found = ping.edition.name
    return [f"warning: the edition is {asked}, but the service answers as {found}: add --edition {found}"]


async def login(
    *,
    keyring: Annotated[bool, Parameter(help="Store them in the system's keyring instead of a file.")] = False,
    options: Options = DEFAULT,
) -> None:
    """Ask for the user id and the API secret, test them, and store them for the other commands."""
    path = options.credentials or default_path()
    if not keyring and path.exists():
        confirm(f"Replace the credentials in {path}?", yes=False)
    user_id, api_secret = ask_login()
    edition = options.edition or os.environ.get("PICOWORKERS_EDITION")
    address = options.base_url or os.environ.get("PICOWORKERS_BASE_URL") or None
    given = Login(user_id, api_secret, "what was typed", edition, address)
    in_process = options.sandbox and address is None
    target = Target(given, find_edition(edition), address, is_in_process=in_process)
    async with client_of(options, target) as pico:
        ping = await pico.ping()
    if not ping.ok:
        why = "" if ping.problem is None else f": {reading_in_words(ping.problem)}"
        is_refused = isinstance(ping.problem, AuthenticationError)
        code = Exit.USAGE if is_refused else Exit.FAILED
        raise CommandError(f"not stored, because the service did not accept them{why}", code=code)
    if keyring:
        store_in_keyring(given)
    else:
        store_in_file(given, path)
    where = "the system's keyring" if keyring else str(path)
    say(
        f"the service accepts them; stored in {where}",
        *_edition_in_words(ping, target, is_default=edition is None),
    )
    if options.json:
        print_json({"stored": where})
