"""What people are told when something is wrong: in plain words, with its place, and nothing that is not so."""

from __future__ import annotations

import logging
from pathlib import Path

import httpx
import pytest

from picoworkers_async import (
    PICOWORKERS,
    SPROUTGIGS,
    AsyncPicoworkers,
    InvalidRequestError,
    InvalidResponseError,
    JobDraft,
    Journal,
    OutcomeStatus,
    OutcomeUnknownError,
    RateLimitedError,
    Rating,
    RetryPolicy,
    Task,
    Throttle,
    rules,
)
from picoworkers_async.credentials import credentials
from picoworkers_async.rating.later import Later
from picoworkers_async.sandbox import Sandbox

PAGE = "<!DOCTYPE html><html><head><title>Not Found</title></head><body>The page was not found.</body></html>"
FIELDS = {"category_id": "0501", "title": "Sign up", "task_value": "0.10"}


def answering(answer: httpx.Response, **options) -> AsyncPicoworkers:
    transport = httpx.MockTransport(lambda _: answer)
    return AsyncPicoworkers(
        "user_id", "open-sesame-42", transport=transport, retry=RetryPolicy(attempts=1), **options
    )


@pytest.mark.parametrize("name", ["sproutgigs", "SproutGigs"])
def test_an_edition_may_be_given_by_its_name(name: str) -> None:
    assert AsyncPicoworkers("a", "b", edition=name).edition is SPROUTGIGS


@pytest.mark.parametrize("edition", ["sproutgig", 5, None])
def test_what_is_no_edition_is_told_the_names_that_there_are(edition) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        AsyncPicoworkers("a", "b", edition=edition)
    assert f"edition={edition!r}: one of picoworkers, sproutgigs, or an Edition" in str(caught.value)


@pytest.mark.parametrize(
    "made",
    [
        lambda _: AsyncPicoworkers("", "b"),
        lambda _: AsyncPicoworkers("a", "b", edition="x"),
        lambda _: AsyncPicoworkers("a", "b", timeout=0),
        lambda _: AsyncPicoworkers("a", "b").with_options(timeout=0),
        lambda _: AsyncPicoworkers.from_env(),
        lambda _: credentials("", ""),
        lambda _: Throttle(0),
        lambda _: RetryPolicy(0),
        lambda _: Later(-1),
        lambda _: Journal(5),
        lambda path: Journal(path / "j.db").reopen("unknown"),
        lambda _: JobDraft.from_dict({}),
        lambda path: JobDraft.from_file(path / "draft.yaml"),
        lambda _: Sandbox().add_job(ttr="x"),
    ],
)
def test_what_never_sends_anything_does_not_say_that_nothing_was_sent(
    made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PICOWORKERS_USER_ID", "PICOWORKERS_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InvalidRequestError) as caught:
        made(tmp_path)
    assert "sent" not in str(caught.value)


def test_a_call_that_would_send_says_that_nothing_was_sent() -> None:
    with pytest.raises(InvalidRequestError, match="rate: nothing was sent, correct 1 problem"):
        AsyncPicoworkers("a", "b").rate([], limits=5)


def test_a_front_end_is_told_of_a_posting_in_words_and_never_in_names_of_classes() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        JobDraft.from_dict(
            {**FIELDS, "proofs": ["a code", {"kind": "text"}], "challenges": [5], "titel": "x", "notes": {}}
        )
    limits = {problem.field: problem.limit for problem in caught.value.problems}
    assert limits == {
        "proofs[0]": "the fields of a proof: description, type",
        "proofs[1].kind": "there is no such field of a proof",
        "proofs[1].description": "required",
        "proofs[1].type": "required",
        "challenges[0]": "the fields of a challenge: question, answer",
        "titel": "there is no such field of a job draft; did you mean title?",
        "notes": "a text",
    }
    draft = JobDraft(**FIELDS, proofs=["a code"], challenges=["which?"], zone_id="int")
    limits = {problem.field: problem.limit for problem in rules.check_draft(draft, PICOWORKERS)}
    assert limits["proofs[0]"] == "a proof, with a description and a type"
    assert limits["challenges[0]"] == "a challenge, with a question and an answer"


def test_a_program_that_gave_dicts_of_right_fields_is_told_where_dicts_are_taken() -> None:
    draft = JobDraft(**FIELDS, proofs=[{"description": "a code", "type": "text"}], zone_id="int")
    [problem] = rules.check_draft(draft, PICOWORKERS)
    assert problem.limit.endswith("; as a dict for JobDraft.from_dict, as a Proof for JobDraft")


def test_a_text_where_a_number_belongs_is_told_to_be_one() -> None:
    draft = JobDraft(**FIELDS, num_tasks="10", zone_id="int")
    assert [str(problem) for problem in rules.check_draft(draft, PICOWORKERS)] == [
        "num_tasks='10': a whole number of at least 10; this is a text"
    ]
    with pytest.raises(InvalidRequestError, match="num_tasks='10': a whole number; this is a text"):
        JobDraft.from_dict({**FIELDS, "num_tasks": "10"})
    with pytest.raises(InvalidRequestError, match=r"timeout='5': .*; this is a text"):
        AsyncPicoworkers("a", "b", timeout="5")
    # What is a number says nothing of texts.
    [problem] = rules.check_draft(JobDraft(**FIELDS, num_tasks=9, zone_id="int"), PICOWORKERS)
    assert problem.limit == "a whole number of at least 10"


def test_an_address_without_tls_is_told_why_and_where_it_may_be() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        AsyncPicoworkers("a", "b", base_url="http://sandbox:8000/api/")
    [problem] = caught.value.problems
    assert problem.value == "http://sandbox:8000/api/"
    assert problem.limit.startswith("https://, since over http:// anyone on the way reads the secret")
    assert AsyncPicoworkers("a", "b", base_url="http://127.0.0.1:8000/api/")


@pytest.mark.anyio
async def test_a_mistyped_address_is_told_plainly_and_without_pages() -> None:
    base_url = "https://sproutgigs.com/apj/"
    async with answering(httpx.Response(404, html=PAGE), base_url=base_url) as pico:
        with pytest.raises(InvalidResponseError) as caught:
            await pico.jobs.get_jobs(page=2)
        assert str(caught.value) == (
            "jobs.get_jobs: no such address: GET https://sproutgigs.com/apj/jobs/get-jobs.php "
            "(HTTP 404, and not in JSON); check base_url, which ends in /api/"
        )
        assert (caught.value.status, caught.value.excerpt) == (404, PAGE[:120])
        with pytest.raises(OutcomeUnknownError) as lost:
            await pico.request("POST", "jobs/typo.php", {"a": 1})
        said = str(lost.value.reason)
    assert "no such address: POST https://sproutgigs.com/apj/jobs/typo.php" in said
    assert said.endswith("check base_url, which ends in /api/, and the path")
    assert "<" not in str(lost.value)


@pytest.mark.anyio
@pytest.mark.parametrize("headers", [{"Retry-After": "0"}, {}])
async def test_a_pause_of_no_time_is_not_told_as_a_wait(headers: dict, caplog: pytest.LogCaptureFixture) -> None:
    throttle = Throttle(cooldown=0)
    with caplog.at_level(logging.DEBUG, "picoworkers_async"):
        async with answering(httpx.Response(429, headers=headers), throttle=throttle) as pico:
            with pytest.raises(RateLimitedError) as caught:
                await pico.users.get_balances()
    told = [str(caught.value), *(record.getMessage() for record in caplog.records)]
    assert not [text for text in told if "0 s" in text]
    assert any("no call waits" in text for text in told)


@pytest.mark.anyio
async def test_a_pause_is_told_with_its_seconds(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "picoworkers_async"):
        async with answering(httpx.Response(429, headers={"Retry-After": "20"})) as pico:
            with pytest.raises(RateLimitedError, match="it asks for 20 s of silence"):
                await pico.users.get_balances()
    assert "all calls wait 20 s" in caplog.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('title = "a"\nnotes = "b"\ntitle = "c"', "line 3: title would overwrite what was given before"),
        ("[extra]\na = 1\n[ extra ]\nb = 2", "line 3: [extra] would overwrite what was given before"),
        ("proofs = []\n[[proofs]]\nx = 1", "line 2: [proofs] would overwrite what was given before"),
        ("extra = {a = 1}\nextra.b = 2", "line 2: extra.b would overwrite what was given before"),
        ("extra = {a = 1, a = 2}", "line 1: 'a' would overwrite what was given before"),
        ('title = "a"\ntitle = """b\nc\n"""\n', "title would overwrite what was given before"),
        ("title =\nnotes = 5", "line 1, 'title =': Invalid value"),
        ("title =", "Invalid value, at the end of the file"),
        ('notes = """a\n', "Unterminated string, at the end of the file"),
    ],
)
def test_a_file_of_toml_is_told_with_its_name_the_line_and_the_name_of_the_value(
    tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "draft.toml"
    file.write_text(text)
    with pytest.raises(InvalidRequestError) as caught:
        JobDraft.from_file(file)
    [problem] = caught.value.problems
    assert problem.value == str(file)
    assert said in problem.limit
    assert "Cannot overwrite a value" not in problem.limit


@pytest.mark.parametrize("line", ["[" + " " * 200_000, "." * 200_000, "'" + '"' * 200_000, " " * 200_000 + "x"])
def test_a_hostile_line_of_toml_is_told_in_no_time(tmp_path: Path, line: str) -> None:
    file = tmp_path / "draft.toml"
    file.write_text(f"a = 1\n{line}\na = 2\n")
    with pytest.raises(InvalidRequestError) as caught:
        JobDraft.from_file(file)
    assert len(str(caught.value)) < 500


def test_a_name_that_comes_twice_in_json_is_told_with_its_lines(tmp_path: Path) -> None:
    file = tmp_path / "draft.json"
    file.write_text('{"title": "a",\n "notes": "b",\n "title": "c"}')
    with pytest.raises(InvalidRequestError, match="'title' appears twice, in lines 1 and 3"):
        JobDraft.from_file(file)


BAD = Rating("", "task", "fine", "spam", list_id=-1, bonus="much")  # type: ignore[arg-type]


def test_a_rating_refuses_nothing_when_it_is_made_and_says_what_is_wrong_with_it() -> None:
    assert [str(problem) for problem in BAD.problems()] == [
        "job_id='': a text that is not empty",
        "verdict='fine': one of ok, not_ok, revise",
        "list_id=-1: a whole number of at least 0",
        "bonus='much': an amount in US dollars, as a number or its text",
    ]
    assert Rating.ok(Task("task", "job"), "good", bonus="0.10").problems() == ()
    assert [problem.field for problem in Rating("job", "task", "revise").problems()] == ["comment"]


@pytest.mark.anyio
async def test_a_bad_rating_in_a_decision_fails_its_task_by_name_and_the_others_are_rated() -> None:
    sandbox = Sandbox()
    first, second, third = sandbox.add_tasks(sandbox.add_job(), 3)

    def decide(task: Task) -> Rating:
        return Rating.ok(task, bonus="much" if task.id == second else None)

    async with sandbox.client() as pico, pico.review(decide) as outcomes:
        reached = {outcome.task.id: outcome async for outcome in outcomes}
    assert reached[second].status is OutcomeStatus.FAILED
    assert "bonus='much': an amount in US dollars" in reached[second].message
    assert {reached[one].status for one in (first, third)} == {OutcomeStatus.RATED}
    assert set(sandbox.unrated()) == {second}


def test_the_limits_of_a_batch_are_asked_for_by_example() -> None:
    with pytest.raises(InvalidRequestError, match=r"a Limits object, such as Limits\(total=100\)"):
        AsyncPicoworkers("a", "b").rate([], limits={"total": 100})
