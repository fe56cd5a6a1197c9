"""Models to the document's JSON: what was set, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from json.encoder import encode_basestring as quoted
from typing import Any

import attrs

from ..models import Challenge, JobDraft, Proof, Rating
from .json import money

_FLAGS = frozenset({"pause_after_approval", "hold_required", "notify_followers"})


def write_rating(rating: Rating) -> dict[str, Any]:
    """The body of rate-single-task (section 3.10)."""
    body: dict[str, Any] = {
        "job_id": rating.job_id,
        "task_id": rating.task_id,
        "task_rating": rating.verdict.value,
    }
    if rating.satisfaction is not None:
        body["task_satisfaction"] = rating.satisfaction.value
    if rating.comment is not None:
        body["task_comment"] = rating.comment
    if rating.given_list_id is not None:
        body["list_id"] = rating.given_list_id
    if rating.given_block_worker is not None:
        body["block_worker"] = rating.given_block_worker
    if rating.given_bonus is not None:
        body["task_bonus"] = rating.given_bonus
    return body


def encode_rating(rating: Rating) -> bytes:
    """The same body as it is sent. Written by hand, it takes a fifth of the time."""
    text = f'{{"job_id":{quoted(rating.job_id)},"task_id":{quoted(rating.task_id)}'
    text += f',"task_rating":{quoted(rating.verdict)}'
    if rating.satisfaction is not None:
        text += f',"task_satisfaction":{quoted(rating.satisfaction)}'
    if rating.comment is not None:
        text += f',"task_comment":{quoted(rating.comment)}'
    if rating.given_list_id is not None:
        text += f',"list_id":{rating.given_list_id}'
    if rating.given_block_worker is not None:
        text += ',"block_worker":true' if rating.given_block_worker else ',"block_worker":false'
    if rating.given_bonus is not None:
        text += f',"task_bonus":{money(rating.given_bonus)!r}'
    return (text + "}").encode()


def write_ratings(ratings: Sequence[Rating]) -> dict[str, Any]:
    """The body of rate-multiple-tasks: ratings of one job, with the same meanings under shorter names."""
    return {"job_id": ratings[0].job_id, "tasks": [_among_others(write_rating(rating)) for rating in ratings]}


def _among_others(body: dict[str, Any]) -> dict[str, Any]:
    del body["job_id"]
    return {"id" if name == "task_id" else name.removeprefix("task_"): value for name, value in body.items()}


def write_draft(draft: JobDraft, *, test: bool) -> dict[str, Any]:
    """The body of post-job (section 3.4), with what the draft carries in `extra` at its end, as it is."""
    body: dict[str, Any] = {"test": 1} if test else {}
    for field in attrs.fields(JobDraft):
        value = getattr(draft, field.name)
        if field.name == "extra":
            body.update(value or {})
        elif value is not None:
            body[field.name] = int(value) if field.name in _FLAGS else _plain(field.name, value)
    return body


def _plain(name: str, value: Any) -> Any:
    if name == "variables":
        return [{"name": key, "values": list(values)} for key, values in value.items()]
    if isinstance(value, tuple):
        return [_plain(name, item) for item in value]
    if isinstance(value, Proof):
        return {"description": value.description, "type": str(value.type).lower()}
    if isinstance(value, Challenge):
        return {"question": value.question, "answer": value.answer}
    return value
