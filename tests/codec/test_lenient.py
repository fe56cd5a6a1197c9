"""One odd field costs that field, never the task, the page or the batch."""

from __future__ import annotations

import json
import logging
from decimal import Decimal

import pytest

from picoworkers_async import Task, TaskProof, codec
from picoworkers_async.codec import reading


def read_tasks(*tasks, job_id: str | None = None, **page):
    body = {"current_page": 1, "pages": 1, "tasks": list(tasks), **page}
    return codec.read_tasks_page(codec.loads(json.dumps(body).encode()), job_id)


@pytest.mark.parametrize(
    ("name", "odd", "instead"),
    [
        ("worker_id", {"a": 1}, None),
        ("worker_id", True, None),
        ("finished_at", "soon", None),
        ("finished_at", 1635786285, None),
        ("finished_at", "2021-11-01T17:04:45+99:00", None),
        ("ip_address", ["1.2.3.4"], None),
        ("country_code", {}, None),
        ("variables", "x", {}),
        ("variables", 5, {}),
        ("proofs", "a text", ()),
        ("proofs", 7, ()),
        ("proofs", ["a text"], ()),
        ("proofs", [5], ()),
        ("proofs", [None], ()),
        ("proofs", [["nested"]], ()),
        ("proofs", {"text": "not in a list"}, ()),
        ("status", ["OK"], None),
        ("previous_proofs", "x", ()),
        ("previous_proofs", [3], ()),
    ],
)
def test_a_field_that_does_not_fit_is_none_or_empty_and_kept_as_it_came(name: str, odd, instead) -> None:
    task, other = read_tasks(
        {"id": "t1", "job_id": "j1", "revision_number": 2, "mood": "good", name: odd}, {"id": "t2", "job_id": "j1"}
    ).items
    assert (task.id, task.job_id, task.revision_number) == ("t1", "j1", 2)
    assert getattr(task, name) == instead
    assert task.extra == {"mood": "good", name: odd}
    assert other == Task("t2", "j1")


def test_within_a_proof_only_what_does_not_fit_is_lost() -> None:
    proofs = [{"text": "fine"}, {"text": ["odd"], "url": "x"}, {}]
    (task,) = read_tasks({"id": "t1", "job_id": "j1", "proofs": proofs}).items
    assert task.proofs == (TaskProof("fine"), TaskProof(None, {"url": "x", "text": ["odd"]}), TaskProof())
    assert task.extra == {}


def test_every_kind_of_object_of_the_service_is_read_as_leniently() -> None:
    odd = {"odd": []}
    job = codec.read_job({"id": 7, "task_value": odd, "proofs": "x", "status": 5, "num_tasks": "many"})
    assert (job.id, job.task_value, job.proofs, job.status, job.num_tasks) == ("7", None, (), "5", None)
    assert job.extra == {"task_value": odd, "proofs": "x", "num_tasks": "many"}
    (zone,) = codec.read_zones([{"id": "int", "zone": odd, "excludable_countries": 5}])
    assert (zone.zone, zone.excludable_countries, zone.extra) == (
        None,
        (),
        {"zone": odd, "excludable_countries": 5},
    )
    (category,) = codec.read_categories([{"id": "0501", "min_task_value": {"int": "free"}}])
    assert (category.min_task_value, category.extra) == ({}, {"min_task_value": {"int": "free"}})
    (workers,) = codec.read_lists([{"id": 3, "name": odd, "workers": "ten"}])
    assert (workers.name, workers.workers, workers.extra) == (None, None, {"name": odd, "workers": "ten"})


def test_the_balances_are_read_strictly() -> None:
    with pytest.raises(codec.ShapeError, match="earned: 'much' is not an amount"):
        codec.read_balances({"earned": "much", "spendable": 1})
    with pytest.raises(codec.ShapeError, match="lacks 'spendable'"):
        codec.read_balances({"earned": 1})
    assert codec.read_balances({"earned": 1, "spendable": 2, "held": []}).extra == {"held": []}


def test_a_field_that_does_not_fit_is_said_once(caplog: pytest.LogCaptureFixture, monkeypatch) -> None:
    monkeypatch.setattr(reading, "_said", set())
    odd = {"id": "t1", "job_id": "j1", "finished_at": "soon", "proofs": "x"}
    with caplog.at_level(logging.WARNING, "picoworkers_async"):
        for _ in range(3):
            read_tasks(odd, odd)
    assert sorted(record.args[:2] for record in caplog.records) == [("Task", "finished_at"), ("Task", "proofs")]


@pytest.mark.parametrize("missing", [{}, {"job_id": None}, {"job_id": ""}])
def test_a_task_without_a_job_is_of_the_job_whose_listing_it_is_in(missing: dict) -> None:
    page = read_tasks({"id": "t1", **missing}, {"id": "t2", "job_id": "j2"}, job_id="j1")
    assert [task.job_id for task in page.items] == ["j1", "j2"]
    with pytest.raises(codec.ShapeError, match="lacks its 'job_id'"):
        read_tasks({"id": "t1", **missing})


def test_an_id_that_cannot_be_encoded_is_read_as_it_is() -> None:
    (task,) = read_tasks({"id": "t\ud800", "job_id": 12}).items
    assert (task.id, task.job_id) == ("t\ud800", "12")


@pytest.mark.parametrize(
    ("page", "is_whole", "pages"),
    [
        ({}, True, 1),
        ({"tasks": []}, True, 1),
        ({"pages": "3"}, True, 3),
        ({"tasks": None}, False, 1),
        ({"pages": None}, False, 1),
        ({"pages": 0}, False, 1),
        ({"pages": 0, "tasks": []}, False, 0),
        ({"pages": -1}, False, 1),
        ({"pages": "many"}, False, 1),
        ({"pages": True}, False, 1),
        ({"pages": 1.5}, False, 1),
        ({"pages": "1e30"}, False, 1),
        ({"pages": []}, False, 1),
    ],
)
def test_a_page_knows_whether_it_says_all_that_it_must(page: dict, is_whole: bool, pages: int) -> None:
    read = read_tasks({"id": "t1", "job_id": "j1"}, **page)
    assert (read.is_whole, read.pages) == (is_whole, pages)


def test_a_page_without_a_number_of_pages_is_given_out_but_is_not_whole() -> None:
    page = codec.read_tasks_page({"tasks": [{"id": "t1", "job_id": "j1"}]})
    assert (page.current_page, page.pages, len(page.items), page.is_whole) == (1, 1, 1, False)


def test_a_page_number_that_cannot_be_read_is_that_of_no_page() -> None:
    assert read_tasks(current_page="x").current_page == 0
    assert read_tasks(current_page=None).current_page == 1


def test_an_address_that_cannot_be_parsed_does_not_unsay_that_a_job_was_posted() -> None:
    posted = codec.read_posted_job({"ok": True, "url": "https://[x?Id=J1"})
    assert (posted.job_id, posted.url) == (None, "https://[x?Id=J1")
    assert codec.read_posted_job({"ok": True, "url": ["x"]}).extra == {"url": ["x"]}


def test_an_entry_of_a_bulk_answer_that_names_no_task_costs_no_other() -> None:
    said = [5, None, [], {"id": {}}, {"id": True, "ok": True}, {"id": 7, "ok": Decimal(1)}, {"id": "8", "ok": []}]
    acks = codec.read_rating_acks({"tasks": said})
    assert {name: ack.ok for name, ack in acks.items()} == {"7": True, "8": None}
