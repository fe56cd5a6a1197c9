"""The command that posts a job from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from ..models import JobDraft
from ..models.dollars import in_dollars
from ..models.to_plain import to_jsonable
from ..rules import DraftCheck
from .acting import act, finish
from .asking import confirm
from .connection import connect
from .exits import CommandError, Exit
from .options import DEFAULT, Options, Yes
from .output import print_json, reader_may_leave, say
from .wording import problem_in_words


async def post(
    file: Annotated[Path, Parameter(help="The draft: a TOML or JSON file.")],
    /,
    *,
    test: Annotated[bool, Parameter(help="Only have the service validate it, at no cost.")] = False,
    yes: Yes = False,
    options: Options = DEFAULT,
) -> Exit:
    """Post the job in a file: check it, show what it costs, and ask before spending."""
    try:
        draft = JobDraft.from_file(file)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror or error}") from None
    async with connect(options) as pico:
        check = await pico.jobs.check(draft)
        say(*findings(check))
        if not check.ok:
            say("nothing was posted: correct the file")
            if options.json:
                with reader_may_leave():
                    print_json({"outcome": "invalid", "job_id": None, "check": check_as_plain(check)})
            return Exit.USAGE
        if not test:
            confirm(f"Post {draft.title!r}{price(check)}?", yes=yes)
        what = "validate the job" if test else "post the job"
        result = await act(pico, what, pico.jobs.post_job(draft, test=test))
    return finish(result, "test" if test else "post", json=options.json, check=check_as_plain(check))


def findings(check: DraftCheck) -> list[str]:
    """What a check found, a line each: problems, warnings, and what the job costs."""
    lines = [f"problem: {problem_in_words(problem)}" for problem in check.problems]
    lines += [f"warning: {warning}" for warning in check.warnings]
    if check.cost is not None:
        estimate = "" if check.cost.estimate is None else f", about {in_dollars(check.cost.estimate)} with fees"
        lines.append(
            f"cost: at least {in_dollars(check.cost.known)}{estimate} (fees as of {check.cost.fees_as_of})"
        )
        lines += [f"cost: not included: {what}" for what in check.cost.unknown]
    if check.balance is not None:
        lines.append(f"balance: {in_dollars(check.balance)}")
    return lines


def price(check: DraftCheck) -> str:
    """What the job of a draft costs, for the question whether to post it."""
    if check.cost is None:
        return ""
    known = in_dollars(check.cost.known)
    if check.cost.estimate is None:
        return f" for {known} and what is not included"
    return f" for {known} and fees, about {in_dollars(check.cost.estimate)} in all"


def check_as_plain(check: DraftCheck) -> dict[str, Any]:
    """A check as JSON has it; each problem has its path as a text, too."""
    plain: dict[str, Any] = to_jsonable(check)
    for problem, of_it in zip(check.problems, plain["problems"], strict=True):
        of_it["field"] = problem.field
    return plain
