"""The client's rules and the sandbox's own reading of the documents agree about every generated draft."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from picoworkers_async import PICOWORKERS, SPROUTGIGS, Challenge, Edition, JobDraft, Proof, codec, rules
from picoworkers_async.sandbox import checks

_PROOF, _CHALLENGE = Proof("d", "text"), Challenge("q", "a")
_PROOFS = [[], [Proof("d", "url")], [Proof("d", "video")], [Proof("", "text")], [_PROOF] * 4, [_PROOF] * 5]
_CHALLENGES = [[], [_CHALLENGE], [Challenge("q", "")], [_CHALLENGE] * 3, [_CHALLENGE] * 4]
_VALUES = st.lists(st.sampled_from(["x", "y"]), min_size=1, max_size=3)

USUAL: dict[str, Any] = {
    "zone_id": "int",
    "category_id": "0501",
    "title": "t",
    "instructions": ["visit the page"],
    "proofs": [_PROOF],
    "task_value": "0.10",
}

FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "zone_id": st.sampled_from([None, "int"]),
    "list_id": st.sampled_from([None, 1]),
    "excluded_countries": st.sampled_from([None, [], ["us"]]),
    "title": st.sampled_from(["t", ""]),
    "notes": st.sampled_from([None, "", "n"]),
    "instructions": st.sampled_from([None, [], ["plain"], ["{{A}}"], ["{{A}} {{B}}"], ["{{ A }}", "{{}}"]]),
    "proofs": st.sampled_from([None, *_PROOFS]),
    "challenges": st.sampled_from([None, *_CHALLENGES]),
    "challenge_action": st.sampled_from([None, "rate_nok", "shout"]),
    "num_tasks": st.sampled_from([None, 9, 10, 10**9]),
    "workers_level": st.sampled_from([None, "starter", "expert", "guru"]),
    "workers_max_tasks": st.sampled_from([None, 0, 1, 2, 10, 11]),
    "task_value": st.sampled_from(["0", "0.0001", "5"]),
    "speed": st.sampled_from([None, 0, 1, 1000, 1001]),
    "ttr": st.sampled_from([None, 0, 1, 7, 8, 90, 91]),
    "autorate": st.sampled_from([None, "V+R", "YES"]),
    "hold_time": st.sampled_from([None, 4, 5, 90, 91]),
    "distribution": st.sampled_from([None, 24, 25, 100, 101]),
    "premium_amount": st.sampled_from([None, "0", "1.99", "2", "50", "50.01"]),
    "start_time": st.sampled_from([None, "00:00", "24:01"]),
    "variables": st.none() | st.dictionaries(st.sampled_from(["A", "B"]), _VALUES),
    "watch_time": st.sampled_from([None, -1, 0, 5]),
    "daily_tasks_limit": st.sampled_from([None, -1, 0, 5]),
    "hourly_tasks_limit": st.sampled_from([None, -1, 0, 5]),
}


def refused_by_the_sandbox(draft: JobDraft, edition: Edition) -> str | None:
    body = codec.loads(codec.encode(codec.write_draft(draft, test=False)))
    attributes, required = checks.bodies(edition)["post_job"]
    message = checks.refuse(body, attributes, required)
    return message or checks.refuse_draft(body) or checks.refuse_variables(body, edition)


@settings(max_examples=400)
@given(st.data(), st.sampled_from([PICOWORKERS, SPROUTGIGS]))
def test_what_the_client_lets_through_is_what_the_sandbox_takes(data: st.DataObject, edition: Edition) -> None:
    changed = data.draw(st.sets(st.sampled_from(sorted(FIELDS)), max_size=3))
    draft = JobDraft(**{**USUAL, **{name: data.draw(FIELDS[name], label=name) for name in sorted(changed)}})
    # That an action needs challenges is the client's own conclusion.
    problems = [p for p in rules.check_draft(draft, edition) if p.limit != "only with challenges"]
    refused = refused_by_the_sandbox(draft, edition)
    assert bool(problems) is (refused is not None), (problems, refused)
