"""Jobs whose ids cannot be shown as they are."""

from __future__ import annotations

import re

from picoworkers_async.sandbox import Sandbox

from .test_page import page_of, post


def test_the_buttons_of_a_job_whose_id_is_not_shown_as_it_is_work() -> None:
    sandbox = Sandbox()
    for job_id in ("\x1b\u202e", "y" * 900):
        sandbox.add_job(id=job_id)
        with page_of(sandbox) as http:
            name = re.search(r'name="job_id" value="([^"]+)"', http.get("/").text)
            assert name is not None
            assert post(http, "submit", job_id=name[1], count="1").status_code == 303
            assert len(sandbox.store.unrated_of(job_id)) == 1
            said = post(http, "submit", {"accept": "application/json"}, job_id=job_id, count="1").json()["said"]
            assert "\x1b" not in said
            assert len(said) < 200
