"""The options that every command which asks the service has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import attrs
from cyclopts import Group, Parameter

_SHARED = Group("Options of all commands", sort_key=9)

EditionName = Literal["picoworkers", "sproutgigs"]
JobId = Annotated[str, Parameter(help="The id of the job.")]
Json = Annotated[bool, Parameter(help="Print JSON on stdout, and nothing else there.", group=_SHARED)]
Yes = Annotated[bool, Parameter(help="Do not ask before doing it.")]


@Parameter(name="*", group=_SHARED)
@attrs.frozen(kw_only=True)
class Options:
    """Which service to ask, as whom, how fast, and how to print the answer."""

    edition: Annotated[EditionName | None, Parameter(help="The edition of the service.")] = None
    base_url: Annotated[str | None, Parameter(help="The address of the service's API.")] = None
    sandbox: Annotated[
        bool,
        Parameter(help="Use a fresh sandbox with some jobs and tasks; with --base-url, the one served there."),
    ] = False
    credentials: Annotated[Path | None, Parameter(help="The file with the user id and the API secret.")] = None
    json: Annotated[bool, Parameter(help="Print JSON on stdout, and nothing else there.")] = False
    timeout: Annotated[float | None, Parameter(help="How many seconds a request may take (30).")] = None
    requests_per_second: Annotated[float | None, Parameter(help="The pace, instead of the edition's.")] = None
    pacer: Annotated[
        Path | None, Parameter(help="A file through which programs on this machine share one pace.")
    ] = None


DEFAULT = Options()
