"""The sandbox's refusals: it checks requests against the document, without the client's own rules.

As a second opinion, it reveals mistakes in the client's rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from ..editions import Ability, Edition

Check = Callable[[Any], bool]


def _int(least: int, most: int) -> Check:
    return lambda value: type(value) is int and least <= value <= most


def _text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _one_of(*words: str) -> Check:
    return lambda value: value in words


def _amount(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool) and value >= 0


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _some_texts(value: Any) -> bool:
    return _texts(value) and bool(value)


def _time(value: Any) -> bool:
    if not isinstance(value, str) or not re.fullmatch(r"\d\d:\d\d", value):
        return False
    hours, minutes = map(int, value.split(":"))
    return hours * 60 + minutes <= 24 * 60 and minutes < 60


def _variables(value: Any) -> bool:
    return (
        isinstance(value, list)
        and all(isinstance(item, dict) and set(item) == {"name", "values"} for item in value)
        and all(_text(item["name"]) and _texts(item["values"]) for item in value)
        and all(2 <= len(item["values"]) <= 999 for item in value)
        and len({len(item["values"]) for item in value}) <= 1
    )


def _objects(most: int, **fields: Check) -> Check:
    def check(value: Any) -> bool:
        return (
            isinstance(value, list)
            and len(value) <= most
            and all(
                isinstance(item, dict) and set(item) == set(fields) and all(fields[key](item[key]) for key in item)
                for item in value
            )
        )

    return check


_FLAG = _int(0, 1)
_ANY_INT = _int(0, 10**9)
_JOB: dict[str, Check] = {"job_id": _text}
_RATING: dict[str, Check] = {
    "task_rating": _one_of("ok", "not_ok", "revise"),
    "task_satisfaction": _one_of("excellent", "good", "ok", "incorrect", "spam", "dupe"),
    "task_comment": lambda value: isinstance(value, str),
    "list_id": _ANY_INT,
    "block_worker": lambda value: isinstance(value, bool),
    "task_bonus": _amount,
}


_SHORT_RATING: dict[str, Check] = {
    "id": _text,
    **{name.removeprefix("task_"): check for name, check in _RATING.items()},
}
LONG_NAMES = {name.removeprefix("task_"): name for name in _RATING}
"""By an attribute's name in a request with several ratings, its name in a request with one."""


def _short_ratings(value: Any) -> bool:
    return (
        isinstance(value, list)
        and 1 <= len(value) <= 1000
        and len({item.get("id") for item in value if isinstance(item, dict)}) == len(value)
        and all(refuse(item, _SHORT_RATING, ("id", "rating")) is None for item in value)
    )


def bodies(edition: Edition) -> dict[str, tuple[dict[str, Check], tuple[str, ...]]]:
    """For each endpoint that takes a body: its attributes, and which are required."""
    ttr = _int(1, edition.max_ttr)
    draft: dict[str, Check] = {
        "test": _FLAG,
        "zone_id": _text,
        "excluded_countries": _texts,
        "list_id": _ANY_INT,
        "category_id": _text,
        "title": _text,
        "notes": lambda value: isinstance(value, str),
        "instructions": _texts,
        "proofs": _objects(4, type=_one_of("text", "screenshot"), description=_text),
        "challenges": _objects(3, question=_text, answer=_text),
        "challenge_action": _one_of("rate_nok", "rate_nok_block"),
        "num_tasks": _int(10, 10**9),
        "workers_level": _one_of("starter", "expert", "advanced"),
        "workers_max_tasks": _int(1, 10),
        "task_value": lambda value: _amount(value) and value > 0,
        "speed": _int(1, 1000),
        "ttr": ttr,
        "autorate": _one_of("NO", "V", "V+R"),
        "pause_after_approval": _FLAG,
        "hold_time": _int(5, 90),
        "hold_required": _FLAG,
        "distribution": _int(25, 100),
        "notify_followers": _FLAG,
        "premium_amount": lambda value: _amount(value) and (value == 0 or 2 <= value <= 50),
    }
    positions = _int(1, 9999)
    table: dict[str, tuple[dict[str, Check], tuple[str, ...]]] = {
        "post_job": (draft, ("category_id", "title", "task_value")),
        "add_positions": ({**_JOB, "positions": positions}, ("job_id", "positions")),
        "set_speed": ({**_JOB, "speed": _int(1, 1000)}, ("job_id", "speed")),
        "set_ttr": ({**_JOB, "ttr": ttr}, ("job_id", "ttr")),
        "rate_single_task": (
            {**_JOB, "task_id": _text, **_RATING},
            ("job_id", "task_id", "task_rating"),
        ),
        "stop_job": (_JOB, ("job_id",)),
        "restart_job": ({**_JOB, "positions": positions}, ("job_id",)),
        "pause_job": (_JOB, ("job_id",)),
        "resume_job": (_JOB, ("job_id",)),
        "add_workers": (
            {"list_id": _ANY_INT, "workers": _some_texts},
            ("list_id", "workers"),
        ),
        "deposit": ({"amount": _int(1000, 10**9)}, ("amount",)),
        "rate_multiple_tasks": ({**_JOB, "tasks": _short_ratings}, ("job_id", "tasks")),
        "feature_job": ({**_JOB, "amount": lambda value: _amount(value) and value >= 2}, ("job_id", "amount")),
        "get_predicted_position": ({"category_id": _text, "amount": _amount}, ("category_id", "amount")),
        "block_workers": ({"workers": _some_texts}, ("workers",)),
        "unblock_workers": ({"workers": _some_texts}, ("workers",)),
    }
    if edition.can(Ability.SCHEDULE):
        draft |= {"start_time": _time, "end_time": _time}
    if edition.can(Ability.VARIABLES):
        # The document of 2024, and what was seen to be sent to that service since.
        draft["variables"] = _variables
        draft["instructions"] = _some_texts
        proofs = _objects(4, type=_one_of("text", "screenshot", "url"), description=_text)
        draft["proofs"] = lambda value: proofs(value) and bool(value)
        draft |= dict.fromkeys(("watch_time", "daily_tasks_limit", "hourly_tasks_limit"), _ANY_INT)
        table["post_job"] = (draft, (*table["post_job"][1], "instructions", "proofs"))
    return table


def queries(edition: Edition) -> dict[str, frozenset[str]]:
    """For each endpoint that takes a query: its attributes."""
    tasks = {"page", "job_id"} | ({"task_ids"} if edition.can(Ability.TASK_IDS) else set())
    jobs = {"page", "status", "unrated_tasks"} | ({"order"} if edition.can(Ability.JOB_ORDER) else set())
    return {
        "get_jobs": frozenset(jobs),
        "get_unrated_tasks": frozenset(tasks),
        "get_rated_tasks": frozenset(tasks),
        "get_job": frozenset({"job_id"}),
    }


def refuse(body: Any, attributes: Mapping[str, Check], required: tuple[str, ...]) -> str | None:
    """The message with which a body is refused, if any."""
    if not isinstance(body, dict):
        return "The request is not a JSON object."
    for name in body:
        if name not in attributes:
            return f"Unknown attribute {name}."
    for name in required:
        if name not in body:
            return f"Attribute {name} is required."
    for name, value in body.items():
        if not attributes[name](value):
            return f"Invalid value for {name}."
    return None


def refuse_rating(rating: Mapping[str, Any]) -> str | None:
    """Check attributes of a rating against each other."""
    fitting = {"ok": ("excellent", "good", "ok"), "not_ok": ("incorrect", "spam", "dupe"), "revise": ()}
    verdict, satisfaction = rating["task_rating"], rating.get("task_satisfaction")
    if satisfaction is not None and satisfaction not in fitting[verdict]:
        return "The satisfaction does not match the rating."
    if verdict != "ok" and not str(rating.get("task_comment", "")).strip():
        return "A comment is required."
    return None


def refuse_draft(draft: Mapping[str, Any]) -> str | None:
    """Check attributes of a job against each other."""
    if ("zone_id" in draft) == ("list_id" in draft):
        return "Either zone_id or list_id is required."
    if draft.get("excluded_countries") and "zone_id" not in draft:
        return "Countries can only be excluded from a zone."
    if draft.get("challenges") and "challenge_action" not in draft:
        return "challenge_action is required."
    if draft.get("workers_max_tasks", 1) > 1 and draft.get("workers_level", "starter") == "starter":
        return "workers_max_tasks needs a higher workers_level."
    return None


def refuse_variables(draft: Mapping[str, Any], edition: Edition) -> str | None:
    """Every `{{NAME}}` of the instructions has a variable and, if there are variables, the other way round."""
    if not edition.can(Ability.VARIABLES):
        return None
    used = set(re.findall(r"\{\{\s*([^{}]+?)\s*\}\}", "\n".join(draft.get("instructions", ()))))
    given = {item["name"] for item in draft.get("variables", ())}
    return None if used == given else "The variables do not match the instructions."
