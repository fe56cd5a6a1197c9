"""The rules for a rating (API document, section 3.10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from ..models import Rating, Satisfaction, Verdict
from ..problems import Problem, ProblemCode, text_code
from . import values

FITTING: Mapping[Verdict, frozenset[Satisfaction]] = {
    Verdict.OK: frozenset({Satisfaction.EXCELLENT, Satisfaction.GOOD, Satisfaction.OK}),
    Verdict.NOT_OK: frozenset({Satisfaction.INCORRECT, Satisfaction.SPAM, Satisfaction.DUPE}),
    Verdict.REVISE: frozenset(),
}
"""The satisfactions that go with each verdict."""

MOST_REVISIONS = 2**31

_EXPLAINED = (Verdict.NOT_OK, Verdict.REVISE)


def check_rating(rating: Rating) -> list[Problem]:
    """Everything that keeps this rating from being sent, or kept in a journal (API document, section 3.10)."""
    problems: list[Problem] = []
    if not _is_plain(rating.job_id):
        problems += values.text("job_id", rating.job_id)
    if not _is_plain(rating.task_id):
        problems += values.text("task_id", rating.task_id)
    verdict: object = rating.verdict
    if type(verdict) is not Verdict:
        problems += values.one_of("verdict", verdict, Verdict)
    else:
        _check_satisfaction(rating, problems)
    comment: object = rating.comment
    if verdict in _EXPLAINED and not (isinstance(comment, str) and comment.strip()):
        limit = f"a comment is required when the verdict is {rating.verdict.value}"
        problems.append(Problem("comment", comment, limit, text_code(comment)))
    elif comment is not None and not _is_plain(comment):
        problems += values.optional_text("comment", comment)
    list_id: object = rating.given_list_id
    if list_id is not None and not (type(list_id) is int and list_id == 0):
        problems += values.whole("list_id", rating.given_list_id, 0)
    block: object = rating.given_block_worker
    if block is not None and type(block) is not bool:
        problems.append(Problem("block_worker", block, "True or False", ProblemCode.TYPE))
    bonus: object = rating.given_bonus
    if bonus is not None and not (type(bonus) is Decimal and bonus.is_zero()):
        problems += values.money("bonus", rating.given_bonus)
    revision: object = rating.revision_number
    if revision is not None and not (type(revision) is int and 0 <= revision <= MOST_REVISIONS):
        problems += values.whole("revision_number", rating.revision_number, 0, MOST_REVISIONS)
    return problems


def _is_plain(text: object) -> bool:
    """Whether this is like nearly all texts, found out without a costly check."""
    return type(text) is str and text.isascii() and not text.isspace() and text != ""


def check_ratings(ratings: object, at_once: int) -> list[Problem]:
    """What keeps these ratings from being sent in one request: they must be of one job, each of another task."""
    if isinstance(ratings, str | bytes) or not isinstance(ratings, Sequence):
        return [Problem("ratings", ratings, "a list of Rating", ProblemCode.TYPE)]
    if not 1 <= len(ratings) <= at_once:
        return [Problem("ratings", f"{len(ratings)} ratings", f"from 1 to {at_once}", ProblemCode.LENGTH)]
    problems: list[Problem] = []
    seen: set[str] = set()
    for place, rating in enumerate(ratings):
        path = ("ratings", place)
        if not isinstance(rating, Rating):
            problems.append(Problem(path, rating, "a Rating", ProblemCode.TYPE))
            continue
        problems += [problem.within("ratings", place) for problem in check_rating(rating)]
        if rating.job_id != getattr(ratings[0], "job_id", rating.job_id):
            problems.append(
                Problem((*path, "job_id"), rating.job_id, "the same job for all", ProblemCode.CONFLICT)
            )
        task_id: object = rating.task_id
        if isinstance(task_id, str):
            if task_id in seen:
                problems.append(Problem((*path, "task_id"), task_id, "each task once", ProblemCode.CONFLICT))
            seen.add(task_id)
    return problems


def _check_satisfaction(rating: Rating, problems: list[Problem]) -> None:
    satisfaction: object = rating.satisfaction
    if satisfaction is None:
        return
    fitting = FITTING[rating.verdict]
    if type(satisfaction) is not Satisfaction:
        problems += values.one_of("satisfaction", satisfaction, Satisfaction)
    elif satisfaction not in fitting:
        names = [member.value for member in Satisfaction if member in fitting]
        limit = f"one of {', '.join(names)}" if names else "no satisfaction"
        problems.append(
            Problem(
                "satisfaction",
                satisfaction.value,
                f"{limit}, when the verdict is {rating.verdict.value}",
                ProblemCode.CONFLICT,
            )
        )
