"""Every example of the 2022 document, as data: what a user calls, what is sent, what is answered, what is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs

from picoworkers_async import (
    Ack,
    AsyncPicoworkers,
    Autorate,
    Balances,
    Job,
    JobDraft,
    JobStatus,
    Page,
    PostedJob,
    Proof,
    ProofType,
    Rating,
    Task,
    TaskProof,
    Verdict,
    WorkerList,
    WorkersLevel,
)

_BASE = "https://picoworkers.com/api/"


@attrs.frozen
class Vector:
    """One example. `read` is what the call gives, or a function that checks it."""

    name: str
    section: str
    call: Callable[[AsyncPicoworkers], Awaitable[Any]]
    method: str
    url: str
    body: Any
    answer: str
    read: Any


def _v(section: str, call: Any, method: str, path: str, body: Any, answer: str, read: Any) -> Vector:
    return Vector(path, section, call, method, _BASE + path, body, answer, read)


DRAFT = JobDraft(
    zone_id="int",
    category_id="0501",
    title="Sign up to ACME website",
    instructions=["visit the ACME website", "Create an account"],
    proofs=[Proof("Screenshot of your profile at ACME website", "screenshot")],
    num_tasks=25,
    task_value=0.10,
    speed=1000,
    ttr=7,
    hold_time=15,
)

JOB = Job(
    id="0950e7d99b65",
    id_user="abcd1234",
    zone_id="int",
    category_id="2004",
    created_at=datetime(2021, 10, 25, 7, 42, 35, tzinfo=UTC),
    status=JobStatus.RUNNING,
    task_value=Decimal("0.06"),
    tasks_done=3741,
    num_tasks=4030,
    unrated_tasks=4,
    workers_max_tasks=1,
    workers_level=WorkersLevel.STARTER,
    speed=1000,
    ttr=7,
    autorate=Autorate.NO,
    pause_after_approval=False,
    hold_time=5,
    title="Play Video",
    instructions=("Go to https://video-website.io/watch/1", "Play the video."),
    notes="",
    proofs=(Proof("FULL screenshot showing video is playing.", ProofType.SCREENSHOT),),
)

JOB_JSON = """{
  "id": "0950e7d99b65", "id_user": "abcd1234", "zone_id": "int", "excluded_countries": [],
  "category_id": "2004", "created_at": "2021-10-25T07:42:35Z", "status": "RUNNING", "task_value": 0.06,
  "tasks_done": 3741, "num_tasks": 4030, "unrated_tasks": 4, "workers_max_tasks": 1,
  "workers_level": "starter", "speed": 1000, "ttr": 7, "autorate": "NO", "pause_after_approval": 0,
  "hold_time": 5, "title": "Play Video",
  "instructions": ["Go to https://video-website.io/watch/1", "Play the video."], "notes": "",
  "proofs": [{"description": "FULL screenshot showing video is playing.", "type": "screenshot"}],
  "challenge_action": "", "challenges": []
}"""

TASK = Task(
    id="158004285a3523",
    job_id="abcdef123456",
    worker_id="abcd1234",
    finished_at=datetime(2021, 11, 1, 17, 4, 45, tzinfo=UTC),
    ip_address="127.0.0.1",
    country_code="XX",
    revision_number=0,
    proofs=(TaskProof("submitted proof"),),
)

TASK_JSON = """{
  "id": "158004285a3523", "job_id": "abcdef123456", "worker_id": "abcd1234",
  "finished_at": "2021-11-01T17:04:45Z", "ip_address": "127.0.0.1", "country_code": "XX",
  "revision_number": 0, "variables": [], "proofs": [{"text": "submitted proof"}]
}"""

RATING = Rating(
    job_id="fc7b3bd10d08",
    task_id="1416896140ecb7",
    verdict=Verdict.OK,
    satisfaction="good",
    comment="great job!",
    list_id=0,
    block_worker=False,
    bonus=0.0,
)

_ID = "fc7b3bd10d08"

VECTORS = [
    _v("3.1", lambda p: p.jobs.get_zones(), "GET", "jobs/get-zones.php", None,
       '[{"id": "africa1", "zone": "Africa", "excludable_countries": ["ao", "bw", "cg"]},'
       ' {"id": "west1", "zone": "USA & Western", "excludable_countries": ["us", "uk", "ca", "au", "nz"]}]',
       lambda zones: [z.id for z in zones] == ["africa1", "west1"]
       and zones[1].zone == "USA & Western" and zones[1].excludable_countries == ("us", "uk", "ca", "au", "nz")),
    _v("3.2", lambda p: p.jobs.get_lists(), "GET", "jobs/get-lists.php", None,
       '[{"id": 12870, "name": "Successfully Completed", "workers": 147},'
       ' {"id": 16329, "name": "My special list", "workers": 18}]',
       [WorkerList(12870, "Successfully Completed", 147), WorkerList(16329, "My special list", 18)]),
    _v("3.3", lambda p: p.jobs.get_categories(), "GET", "jobs/get-categories.php", None,
       '[{"id": "0500", "category": "Sign up", "subcategory": "Email submit only",'
       ' "min_task_value": {"int": "0.080", "west1": "0.240"}}]',
       lambda rows: rows[0].id == "0500" and rows[0].subcategory == "Email submit only"
       and rows[0].min_task_value == {"int": Decimal("0.080"), "west1": Decimal("0.240")}),
    _v("3.4", lambda p: p.jobs.post_job(DRAFT), "POST", "jobs/post-job.php",
       {"zone_id": "int", "category_id": "0501", "title": "Sign up to ACME website",
        "instructions": ["visit the ACME website", "Create an account"],
        "proofs": [{"description": "Screenshot of your profile at ACME website", "type": "screenshot"}],
        "num_tasks": 25, "task_value": 0.10, "speed": 1000, "ttr": 7, "hold_time": 15},
       '{"ok": true, "url": "https://picoworkers.com/employer/campaign-details.php?Id=JOB_ID",'
       ' "message": "Job posted successfully"}',
       PostedJob("JOB_ID", "https://picoworkers.com/employer/campaign-details.php?Id=JOB_ID",
                 "Job posted successfully")),
    _v("3.5", lambda p: p.jobs.add_positions(_ID, 1), "POST", "jobs/add-positions.php",
       {"job_id": _ID, "positions": 1}, '{"ok": true, "message": "The position(s) has been added."}',
       Ack("The position(s) has been added.")),
    _v("3.6", lambda p: p.jobs.set_speed(_ID, 800), "POST", "jobs/set-speed.php",
       {"job_id": _ID, "speed": 800}, '{"ok": true, "message": "Job speed updated successfully."}',
       Ack("Job speed updated successfully.")),
    _v("3.7", lambda p: p.jobs.set_ttr(_ID, 3), "POST", "jobs/set-ttr.php", {"job_id": _ID, "ttr": 3},
       '{"ok": true, "message": "Job time to rate (TTR) updated successfully."}',
       Ack("Job time to rate (TTR) updated successfully.")),
    _v("3.8", lambda p: p.jobs.get_jobs(), "GET", "jobs/get-jobs.php", None,
       '{"current_page": 1, "pages": 1, "jobs": [' + JOB_JSON + "]}", Page(1, 1, (JOB,))),
    _v("3.9", lambda p: p.jobs.get_unrated_tasks(), "GET", "jobs/get-unrated-tasks.php", None,
       '{"current_page": 1, "pages": 1, "tasks": [' + TASK_JSON + "]}", Page(1, 1, (TASK,))),
    _v("3.10", lambda p: p.jobs.rate_single_task(RATING), "POST", "jobs/rate-single-task.php",
       {"job_id": _ID, "task_id": "1416896140ecb7", "task_rating": "ok", "task_satisfaction": "good",
        "task_comment": "great job!", "list_id": 0, "block_worker": False, "task_bonus": 0.0},
       '{"ok": true, "message": "Task rated successfully."}', Ack("Task rated successfully.")),
    _v("3.11", lambda p: p.jobs.stop_job(_ID), "POST", "jobs/job-stop.php", {"job_id": _ID},
       '{"ok": true, "message": "Job stoped successfully."}', Ack("Job stoped successfully.")),
    _v("3.12", lambda p: p.jobs.restart_job(_ID, 10), "POST", "jobs/job-restart.php",
       {"job_id": _ID, "positions": 10}, '{"ok": true, "notice": "job restarted successfully"}',
       Ack("job restarted successfully")),
    _v("3.13", lambda p: p.jobs.get_job("0950e7d99b65"), "GET", "jobs/get-job.php?job_id=0950e7d99b65", None,
       JOB_JSON.replace('"RUNNING"', '"PAUSED"').replace('"excluded_countries": []',
                                                          '"excluded_countries": ["pk", "bd", "in"]'),
       attrs.evolve(JOB, status=JobStatus.PAUSED, excluded_countries=("pk", "bd", "in"))),
    _v("3.14", lambda p: p.jobs.pause_job(_ID), "POST", "jobs/job-pause.php", {"job_id": _ID},
       '{"ok": true}', Ack()),
    _v("3.15", lambda p: p.jobs.resume_job(_ID), "POST", "jobs/job-resume.php", {"job_id": _ID},
       '{"ok": true}', Ack()),
    _v("4.1", lambda p: p.users.get_balances(), "GET", "users/get-balances.php", None,
       '{"earned": "0.4200", "spendable": "3.3482"}', Balances(Decimal("0.4200"), Decimal("3.3482"))),
    _v("5.1", lambda p: p.lists.add_workers(15237, ["0de178af", "ffcc1278", "abcd0129"]), "POST",
       "lists/add-workers.php", {"list_id": 15237, "workers": ["0de178af", "ffcc1278", "abcd0129"]},
       '{"ok": true, "message": "Workers added to the list successfully."}',
       Ack("Workers added to the list successfully.")),
    _v("6.1", lambda p: p.wallet.deposit(1000), "POST", "wallet/deposit.php", {"amount": 1000},
       '{"ok": true, "message": "Thank you for your deposit! Your account balance will be updated shortly."}',
       Ack("Thank you for your deposit! Your account balance will be updated shortly.")),
]  # fmt: skip
