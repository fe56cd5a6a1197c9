"""The command that checks the setup, a line for each check, with its remedy."""

from __future__ import annotations

import enum
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import attrs
from cyclopts import Parameter

from ..errors import AuthenticationError, InvalidRequestError, PicoworkersError, ServiceMovedError
from ..journal import Journal, JournalState
from ..ping import Ping
from ..throttle import PacerError
from .connection import Target, client_of, find_target
from .exits import CommandError, CredentialsError, Exit
from .journal import running_in_words
from .options import DEFAULT, Options
from .output import Column, counted, print_json, print_table, reader_may_leave
from .wording import error_in_words, problem_in_words, reading_in_words

_CLOCK_SECONDS = 60.0
"""Ratings are dated by the day, and lost posts found by their time: a minute matters to neither."""


class Level(enum.StrEnum):
    """How a check ended."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@attrs.frozen
class Finding:
    """One check: its result, and what to do if something is wrong."""

    subject: str
    level: Level
    what: str
    remedy: str | None = None


async def doctor(
    *,
    journal: Annotated[Path | None, Parameter(help="Also check this journal of a batch.")] = None,
    options: Options = DEFAULT,
) -> Exit:
    """Check the credentials, address, edition, clock, pacer and journal: a line each, with its remedy."""
    found = await _look(options)
    if journal is not None:
        found.append(of_journal(journal))
    is_well = all(finding.level is not Level.PROBLEM for finding in found)
    with reader_may_leave():
        if options.json:
            print_json({"ok": is_well, "findings": found})
        else:
            columns = [Column("check"), Column("", is_state=True), Column("found"), Column("remedy")]
            print_table(columns, ((one.subject, one.level, one.what, one.remedy or "") for one in found))
    return Exit.DONE if is_well else Exit.FAILED


async def _look(options: Options) -> list[Finding]:
    try:
        target = find_target(options, os.environ)
        client = client_of(options, target)
    except CredentialsError as error:
        return [Finding("credentials", Level.PROBLEM, error.what, error.remedy)]
    except CommandError as error:
        return [Finding("options", Level.PROBLEM, str(error), "correct it")]
    except InvalidRequestError as error:
        return [
            Finding(str(one.path[0]), Level.PROBLEM, problem_in_words(one), "correct it") for one in error.problems
        ]
    try:
        async with client as pico:
            ping = await pico.ping()
    except PacerError as error:
        return [Finding("pacer", Level.PROBLEM, error_in_words(error), "name another file by --pacer")]
    return [*of_ping(ping, target), of_pacer(options, target)]


def of_ping(ping: Ping, target: Target) -> Iterator[Finding]:
    """What the ping showed: the credentials, the address, the edition and the clock."""
    source, address = target.login.source, target.base_url or target.edition.base_url
    if target.is_in_process:
        address = "the sandbox in this process"
    if isinstance(ping.problem, AuthenticationError):
        what = f"from {source}: the service does not accept them"
        remedy = "check both, or reset the secret in the account's settings; then picoworkers login"
        yield Finding("credentials", Level.PROBLEM, what, remedy)
        yield Finding("address", Level.OK, f"{address} answers")
        return
    if ping.ok:
        yield Finding("credentials", Level.OK, f"from {source}: accepted")
    else:
        yield Finding(
            "credentials",
            Level.NOTE,
            f"from {source}: not tested, because the address gives no proper answer",
        )
    if ping.problem is not None:
        moved = isinstance(ping.problem, ServiceMovedError)
        remedy = "use --edition sproutgigs, or --base-url with its new address"
        remedy = remedy if moved else "check --base-url, and the network"
        yield Finding("address", Level.PROBLEM, f"{address}: {reading_in_words(ping.problem)}", remedy)
        return
    yield Finding("address", Level.OK, f"{address} answers, in {ping.seconds:.2f} s")
    yield _of_edition(ping, target)
    yield of_clock(ping.clock_ahead)


def _of_edition(ping: Ping, target: Target) -> Finding:
    if ping.matches:
        return Finding("edition", Level.OK, target.edition.name)
    if ping.edition is None:
        return Finding("edition", Level.NOTE, "its zones are those of no known edition", "update this package")
    what = f"asked as {target.edition.name}, it answers as {ping.edition.name}"
    return Finding("edition", Level.PROBLEM, what, f"use --edition {ping.edition.name}")


def of_clock(ahead: float | None) -> Finding:
    """This machine's clock, which is this many seconds ahead of the service's (None: not known)."""
    if ahead is None:
        return Finding("clock", Level.NOTE, "the service does not send its time")
    if abs(ahead) < _CLOCK_SECONDS:
        return Finding("clock", Level.OK, "within a minute of the service's")
    what = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the service's"
    return Finding("clock", Level.PROBLEM, what, "have the machine set it: timedatectl set-ntp true")


def of_pacer(options: Options, target: Target) -> Finding:
    """Whether other programs on this machine share the pace."""
    if options.pacer is not None:
        return Finding("pacer", Level.OK, f"{options.pacer} works")
    if target.edition.requests_per_second is None or options.sandbox:
        return Finding("pacer", Level.OK, "none, and the edition has no pace to share")
    what = "none: two commands at once may exceed the account's pace"
    return Finding("pacer", Level.NOTE, what, "use --pacer FILE, the same for all programs of the account")


def of_journal(path: Path) -> Finding:
    """Whether a journal can be read, and whether something in it is left to do."""
    try:
        kept = Journal(path)
        counts, running = kept.counts(), kept.running()
    except PicoworkersError as error:
        return Finding(
            "journal", Level.PROBLEM, error_in_words(error), "name another file, or restore it from a backup"
        )
    if running is not None:
        return Finding("journal", Level.OK, f"{path}: a batch is running: {running_in_words(running)}")
    unsent = counts.get(JournalState.DECIDED, 0)
    unknown = counts.get(JournalState.SENT, 0) + counts.get(JournalState.UNKNOWN, 0)
    told = [f"{path}: {counted(sum(counts.values()), 'rating')}"]
    told += [f"{unsent:,} of them decided, but not sent"] if unsent else []
    told += [f"{unknown:,} of them sent, with unknown outcome"] if unknown else []
    if not unsent and not unknown:
        return Finding("journal", Level.OK, told[0])
    does = " and ".join(["sends"] * bool(unsent) + ["settles"] * bool(unknown))
    return Finding("journal", Level.NOTE, ", ".join(told), f"run the same batch with it again, which {does} them")
