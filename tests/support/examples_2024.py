"""The examples of the 2024 document, employer's part, that differ from those of 2022, as data like `vectors`.

Where an example breaks the document's own table (a rating written `nok`), what is sent is what the table says.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs

from picoworkers_async import (
    Ack,
    Category,
    JobStatus,
    Page,
    PostedJob,
    PredictedPosition,
    PreviousProof,
    Proof,
    ProofType,
    Rating,
    RatingAck,
    TaskProof,
    Verdict,
    Zone,
)
from tests.support.vectors import DRAFT, JOB, TASK, TASK_JSON, Vector

_BASE = "https://sproutgigs.com/api/"
_ID = "fc7b3bd10d08"
_TASK_IDS = ["99900012abcd1f", "99923817f2bce4", "99924617ab23df"]
_WORKERS = ["0de178af", "ffcc1278", "abcd0129"]
_ARABIC = [
    *("ae", "bh", "kw", "sa", "ye", "qa", "om", "jo", "sy", "lb", "ps"),
    *("iq", "eg", "ma", "ly", "tn", "dz", "sd", "mr", "so", "dj", "km"),
]


def _v(name: str, call: Any, method: str, path: str, body: Any, answer: str, read: Any) -> Vector:
    return Vector(name, "2024", call, method, _BASE + path, body, answer, read)


def _quoted(texts: list[str]) -> str:
    return "[" + ", ".join(f'"{text}"' for text in texts) + "]"


def _prices(least: str, west: str, europe: str, east: str, others: str) -> str:
    shared = "".join(f', "{zone}": "{others}"' for zone in ("asia1", "africa1", "latin", "muslim", "arab1"))
    return f'{{"int": "{least}", "west1": "{west}", "europe1": "{europe}", "europe2": "{east}"{shared}}}'


JOB_JSON_2024 = """{
  "id": "0950e7d99b65", "id_user": "67d33033", "zone_id": "int", "excluded_countries": ["pk", "bd", "in"],
  "category_id": "2004", "created_at": "2021-01-25T07:42:35Z", "status": "PAUSED", "task_value": 0.06,
  "tasks_done": 3741, "num_tasks": 4030, "unrated_tasks": 64, "workers_max_tasks": 1,
  "workers_level": "starter", "start_time": "00:00", "end_time": "24:00", "speed": 1000, "ttr": 7,
  "autorate": "NO", "pause_after_approval": 0, "hold_time": 15, "title": "Play Video",
  "instructions": ["Go to url", "Play the video."], "notes": "",
  "proofs": [{"description": "example", "type": "screenshot"}], "challenge_action": "", "challenges": [],
  "distribution": 25
}"""

_JOB = attrs.evolve(
    JOB,
    id_user="67d33033",
    excluded_countries=("pk", "bd", "in"),
    created_at=datetime(2021, 1, 25, 7, 42, 35, tzinfo=UTC),
    status=JobStatus.PAUSED,
    unrated_tasks=64,
    start_time="00:00",
    end_time="24:00",
    hold_time=15,
    instructions=("Go to url", "Play the video."),
    proofs=(Proof("example", ProofType.SCREENSHOT),),
    distribution=25,
)

_RATED_JSON = """{
  "id": "158004285a3523", "job_id": "abcdef123456", "worker_id": "abcd1234",
  "finished_at": "2021-11-01T17:04:45Z", "ip_address": "127.0.0.1", "country_code": "XX",
  "revision_number": 1, "variables": [], "status": "OK", "proofs": [{"text": "latest submitted proof"}],
  "previous_proofs": [{"employer_comment": "Sorry, the answer is incorrect. Please try again.",
    "finished_at": "2021-02-07 09:59:41", "proofs": [{"text": "previous unnacepted proof"}]}]
}"""

_RATED = attrs.evolve(
    TASK,
    revision_number=1,
    status="OK",
    proofs=(TaskProof("latest submitted proof"),),
    previous_proofs=(
        PreviousProof(
            "Sorry, the answer is incorrect. Please try again.",
            datetime(2021, 2, 7, 9, 59, 41, tzinfo=UTC),
            (TaskProof("previous unnacepted proof"),),
        ),
    ),
)

_RATINGS = [
    Rating(_ID, "1416896140ecb7", Verdict.OK, "good", "great job!", 0, False, 0.0),
    Rating(_ID, "158004285a3523", "nok", "incorrect", "wrong answer", 0, False, 0.0),  # type: ignore[arg-type]
]

EXAMPLES_2024 = [
    _v("get-zones", lambda p: p.jobs.get_zones(), "GET", "jobs/get-zones.php", None,
       '[{"id": "arab1", "zone": "Arab Countries", "excludable_countries": ' + _quoted(_ARABIC) + "}]",
       [Zone("arab1", "Arab Countries", tuple(_ARABIC))]),
    _v("get-categories", lambda p: p.jobs.get_categories(), "GET", "jobs/get-categories.php", None,
       '[{"id": "0500", "category": "Sign up", "subcategory": "Email submit only", "min_task_value": '
       + _prices("0.080", "0.240", "0.200", "0.160", "0.100")
       + '}, {"id": "9900", "category": "Other", "subcategory": "Describe and set acceptable price",'
       ' "min_task_value": ' + _prices("0.050", "0.150", "0.130", "0.100", "0.060") + "}]",
       lambda rows: [(row.id, row.min_task_value["arab1"], len(row.min_task_value)) for row in rows]
       == [("0500", Decimal("0.100"), 9), ("9900", Decimal("0.060"), 9)]
       and isinstance(rows[0], Category)),
    _v("get-job", lambda p: p.jobs.get_job("0950e7d99b65"), "GET", "jobs/get-job.php?job_id=0950e7d99b65", None,
       JOB_JSON_2024, _JOB),
    _v("get-unrated-tasks", lambda p: p.jobs.get_unrated_tasks(job_id="abc123dfae98", task_ids=_TASK_IDS), "GET",
       "jobs/get-unrated-tasks.php?job_id=abc123dfae98&task_ids=" + "%2C".join(_TASK_IDS), None,
       '{"current_page": 1, "pages": 1, "tasks": [' + TASK_JSON + "]}", Page(1, 1, (TASK,))),
    _v("get-rated-tasks", lambda p: p.jobs.get_rated_tasks(), "GET", "jobs/get-rated-tasks.php", None,
       '{"current_page": 1, "pages": 1, "tasks": [' + _RATED_JSON + "]}", Page(1, 1, (_RATED,))),
    _v("rate-multiple-tasks", lambda p: p.jobs.rate_multiple_tasks(_RATINGS), "POST",
       "jobs/rate-multiple-tasks.php",
       {"job_id": _ID, "tasks": [
           {"id": "1416896140ecb7", "rating": "ok", "satisfaction": "good", "comment": "great job!", "list_id": 0,
            "block_worker": False, "bonus": 0.0},
           {"id": "158004285a3523", "rating": "not_ok", "satisfaction": "incorrect", "comment": "wrong answer",
            "list_id": 0, "block_worker": False, "bonus": 0.0}]},
       '{"tasks": [{"id": "1416896140ecb7", "ok": true, "message": "Task rated successfully."},'
       ' {"id": "158004285a3523", "ok": false, "message": "Task cannot be rated."}]}',
       [RatingAck("1416896140ecb7", True, "Task rated successfully."),
        RatingAck("158004285a3523", False, "Task cannot be rated.")]),
    _v("post-job", lambda p: p.jobs.post_job(DRAFT), "POST", "jobs/post-job.php",
       {"zone_id": "int", "category_id": "0501", "title": "Sign up to ACME website",
        "instructions": ["visit the ACME website", "Create an account"],
        "proofs": [{"description": "Screenshot of your profile at ACME website", "type": "screenshot"}],
        "num_tasks": 25, "task_value": 0.10, "speed": 1000, "ttr": 7, "hold_time": 15},
       '{"ok": true, "url": "https://sproutgigs.com/employer/campaign-details.php?Id=JOB_ID",'
       ' "message": "Job posted successfully"}',
       PostedJob("JOB_ID", "https://sproutgigs.com/employer/campaign-details.php?Id=JOB_ID",
                 "Job posted successfully")),
    _v("feature-job", lambda p: p.jobs.feature_job(_ID, 5), "POST", "jobs/feature-job.php",
       {"job_id": _ID, "amount": 5.00}, '{"ok": true}', Ack()),
    _v("get-predicted-position", lambda p: p.jobs.get_predicted_position("2501", "5.00"), "POST",
       "jobs/get-predicted-position.php", {"category_id": "2501", "amount": 5.00},
       '{"position_in_all": 1, "position_in_category": 1}', PredictedPosition(1, 1)),
    _v("add-workers", lambda p: p.lists.add_workers(15237, _WORKERS), "POST", "lists/add-workers.php",
       {"list_id": 15237, "workers": _WORKERS},
       '{"ok": true, "message": "Freelancers added to the list successfully."}',
       Ack("Freelancers added to the list successfully.")),
    _v("block-workers", lambda p: p.lists.block_workers(_WORKERS), "POST", "lists/block-workers.php",
       {"workers": _WORKERS},
       '{"ok": true, "message": "Freelancers blocked and removed from all lists successfully."}',
       Ack("Freelancers blocked and removed from all lists successfully.")),
    _v("unblock-workers", lambda p: p.lists.unblock_workers(_WORKERS), "POST", "lists/unblock-workers.php",
       {"workers": _WORKERS}, '{"ok": true, "message": "Freelancers unblocked successfully."}',
       Ack("Freelancers unblocked successfully.")),
]  # fmt: skip
