"""What changed after the 2022 document, as data like that of `vectors`: for the edition of today."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import attrs

from picoworkers_async import (
    Ack,
    JobDraft,
    JobStatus,
    Page,
    PostedJob,
    PredictedPosition,
    PreviousProof,
    Proof,
    Rating,
    RatingAck,
    TaskProof,
)
from tests.support.vectors import JOB, JOB_JSON, TASK, TASK_JSON, Vector

_BASE = "https://sproutgigs.com/api/"
_JOB = "abc123dfae98"
_ONE, _OTHER = "99900012abcd1f", "99923817f2bce4"


def _v(name: str, call: Any, method: str, path: str, body: Any, answer: str, read: Any) -> Vector:
    return Vector(name, "2024", call, method, _BASE + path, body, answer, read)


_RATED_JSON = TASK_JSON.replace(
    '"proofs"',
    '"status": "OK", "previous_proofs": [{"employer_comment": "which one?", "finished_at": "2024-03-01 08:15:00",'
    ' "proofs": [{"text": "the first attempt"}]}], "proofs"',
).replace('"revision_number": 0', '"revision_number": 1')

_RATED = attrs.evolve(
    TASK,
    revision_number=1,
    status="OK",
    previous_proofs=(
        PreviousProof("which one?", datetime(2024, 3, 1, 8, 15, tzinfo=UTC), (TaskProof("the first attempt"),)),
    ),
)

_RATINGS = [
    Rating(_JOB, _ONE, "ok", "excellent", "well done", 14118, False, "0.05"),
    Rating(_JOB, _OTHER, "not_ok", "spam", "not the page that was asked for", block_worker=True),
]

_DRAFT = JobDraft(
    zone_id="arab1",
    category_id="0501",
    title="Search for a word",
    instructions=["Search for {{WORD}} in {{CITY}}"],
    proofs=[Proof("The address that you found", "url")],
    task_value="0.10",
    ttr=90,
    variables={"WORD": ["tea", "coffee"], "CITY": ["Amman", "Cairo"]},
    start_time="08:00",
    end_time="24:00",
)

LATER_VECTORS = [
    _v("get-rated-tasks", lambda p: p.jobs.get_rated_tasks(page=2, job_id=_JOB, task_ids=[_ONE, _OTHER]), "GET",
       f"jobs/get-rated-tasks.php?page=2&job_id={_JOB}&task_ids={_ONE}%2C{_OTHER}", None,
       '{"current_page": 2, "pages": 2, "tasks": [' + _RATED_JSON + "]}", Page(2, 2, (_RATED,))),
    _v("iter-rated-tasks", lambda p: p.jobs.iter_rated_tasks(job_id=_JOB).collect(), "GET",
       f"jobs/get-rated-tasks.php?job_id={_JOB}", None,
       '{"current_page": 1, "pages": 1, "tasks": [' + _RATED_JSON + "]}", [_RATED]),
    _v("get-unrated-tasks by ids", lambda p: p.jobs.get_unrated_tasks(job_id=_JOB, task_ids=[_ONE]), "GET",
       f"jobs/get-unrated-tasks.php?job_id={_JOB}&task_ids={_ONE}", None,
       '{"current_page": 1, "pages": 1, "tasks": [' + TASK_JSON + "]}", Page(1, 1, (TASK,))),
    _v("rate-multiple-tasks", lambda p: p.jobs.rate_multiple_tasks(_RATINGS), "POST",
       "jobs/rate-multiple-tasks.php",
       {"job_id": _JOB, "tasks": [
           {"id": _ONE, "rating": "ok", "satisfaction": "excellent", "comment": "well done", "list_id": 14118,
            "block_worker": False, "bonus": 0.05},
           {"id": _OTHER, "rating": "not_ok", "satisfaction": "spam",
            "comment": "not the page that was asked for", "block_worker": True}]},
       '{"tasks": [{"id": "' + _ONE + '", "ok": true, "message": "Task rated successfully."},'
       ' {"id": "' + _OTHER + '", "ok": false, "message": "Task cannot be rated."}]}',
       [RatingAck(_ONE, True, "Task rated successfully."), RatingAck(_OTHER, False, "Task cannot be rated.")]),
    _v("rate-multiple-tasks, one left out", lambda p: p.jobs.rate_multiple_tasks(_RATINGS[1:]), "POST",
       "jobs/rate-multiple-tasks.php",
       {"job_id": _JOB, "tasks": [
           {"id": _OTHER, "rating": "not_ok", "satisfaction": "spam",
            "comment": "not the page that was asked for", "block_worker": True}]},
       '{"tasks": []}', [RatingAck(_OTHER, None)]),
    _v("feature-job", lambda p: p.jobs.feature_job(_JOB, "2.50"), "POST", "jobs/feature-job.php",
       {"job_id": _JOB, "amount": 2.5}, '{"ok": true}', Ack()),
    _v("get-predicted-position", lambda p: p.jobs.get_predicted_position("0501", 5), "POST",
       "jobs/get-predicted-position.php", {"category_id": "0501", "amount": 5.0},
       '{"position_in_all": 1, "position_in_category": 1}', PredictedPosition(1, 1)),
    _v("get-jobs in order", lambda p: p.jobs.get_jobs(order="desc"), "GET", "jobs/get-jobs.php?order=desc", None,
       '{"current_page": 1, "pages": 1, "jobs": ['
       + JOB_JSON.replace("{", '{"start_time": "00:00", "end_time": "24:00", "distribution": 50, ', 1)
       .replace("RUNNING", "PENDING_APPROVAL") + "]}",
       Page(1, 1, (attrs.evolve(JOB, start_time="00:00", end_time="24:00", distribution=50,
                                status=JobStatus.PENDING_APPROVAL),))),
    _v("post-job", lambda p: p.jobs.post_job(_DRAFT), "POST", "jobs/post-job.php",
       {"zone_id": "arab1", "category_id": "0501", "title": "Search for a word",
        "instructions": ["Search for {{WORD}} in {{CITY}}"],
        "proofs": [{"description": "The address that you found", "type": "url"}], "task_value": 0.10, "ttr": 90,
        "start_time": "08:00", "end_time": "24:00",
        "variables": [{"name": "WORD", "values": ["tea", "coffee"]},
                      {"name": "CITY", "values": ["Amman", "Cairo"]}]},
       '{"ok": true, "url": "https://sproutgigs.com/jobs/details.php?Id=JOB_ID", "message": "Job posted"}',
       PostedJob("JOB_ID", "https://sproutgigs.com/jobs/details.php?Id=JOB_ID", "Job posted")),
    _v("set-ttr", lambda p: p.jobs.set_ttr(_JOB, 90), "POST", "jobs/set-ttr.php", {"job_id": _JOB, "ttr": 90},
       '{"ok": true, "message": "Updated."}', Ack("Updated.")),
    _v("block-workers", lambda p: p.lists.block_workers(["0de178af", "ffcc1278"]), "POST",
       "lists/block-workers.php", {"workers": ["0de178af", "ffcc1278"]},
       '{"ok": true, "message": "Workers blocked."}', Ack("Workers blocked.")),
    _v("unblock-workers", lambda p: p.lists.unblock_workers(["0de178af"]), "POST", "lists/unblock-workers.php",
       {"workers": ["0de178af"]}, '{"ok": true, "message": "Workers unblocked."}', Ack("Workers unblocked.")),
    _v("a name only", lambda p: p.request("POST", "jobs/set-distribution.php", {"anything": [1]}), "POST",
       "jobs/set-distribution.php", {"anything": [1]}, '{"ok": true, "more": "0.10"}',
       {"ok": True, "more": "0.10"}),
    _v("another", lambda p: p.request("GET", "profiles/get-profile.php", {"worker_id": "abcd1234", "x": None}),
       "GET", "profiles/get-profile.php?worker_id=abcd1234", None, '{"name": "a"}', {"name": "a"}),
]  # fmt: skip
