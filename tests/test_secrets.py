"""What a user gives us by mistake, or a service echoes, does not show the secret."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator

import httpx
import pytest

from picoworkers_async import (
    AsyncPicoworkers,
    InvalidRequestError,
    Journal,
    PicoworkersError,
    Rating,
    RetryPolicy,
    Verdict,
)
from picoworkers_async.credentials import credentials
from tests.support.seeding import seeded

SECRET = "open/sesame+42 ü"


def everything(error: BaseException) -> str:
    """All that a logger, a traceback with its variables or an error tracker shows of an error of ours."""
    parts = []
    seen: BaseException | None = error
    while seen is not None:
        parts += [str(seen), repr(seen), repr(seen.args), repr(vars(seen))]
        seen = seen.__cause__ or seen.__context__
    # The frames of the test hold the secret of necessity; that which checks it need not.
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    parts += [repr(frame.f_locals) for frame in frames if frame.f_code.co_name == "credentials"]
    return "".join(parts)


@pytest.mark.parametrize(
    ("user_id", "secret", "field"),
    [
        (f"user:{SECRET}", "x", "user_id"),
        (("user", SECRET), "x", "user_id"),
        (None, SECRET, "user_id"),
        ("u\ud800", SECRET, "user_id"),
        ("user", "\ud800" + SECRET, "api_secret"),
        ("user", SECRET.encode(), "api_secret"),
    ],
)
def test_credentials_given_wrongly_are_refused_without_being_shown(user_id, secret, field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        AsyncPicoworkers(user_id, secret)
    assert [problem.field for problem in caught.value.problems] == [field]
    assert caught.value.__context__ is None
    assert "sesame" not in everything(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://u:sesame@host:notaport",
        "ftp://u:sesame@h",
        "https://u:sesame@",
        "https://u:sesame@host/api",
        "https://u:sesame@host/?a=b",
        "https://u:sesame",
        "https://u:12/sesame@host",
        "http://sesame@host",
        "u:sesame@host",
        "u:sesame",
        "//u:sesame@host",
        "https://u:sesame@[::1",
        "https:\\\\u:sesame@host",
        "https://u:sesame\uff20host",
        "https://u:sesame%40host",
        "https://host/?token=sesame",
        "https://host/#sesame",
        b"https://u:sesame@host",
        "https://u:sesame@ho\ud800st",
    ],
)
def test_an_address_that_may_hold_a_password_is_refused_without_being_shown(url) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        AsyncPicoworkers("user_id", SECRET, base_url=url)
    assert {problem.field for problem in caught.value.problems} == {"base_url"}
    assert "sesame" not in everything(caught.value)


@pytest.mark.parametrize("url", ["https://ho st/", "https://höst/", "https://host/\n", "https://h\ud800/"])
def test_an_address_that_is_not_plain_is_refused_by_name(url: str) -> None:
    with pytest.raises(InvalidRequestError, match="base_url"):
        AsyncPicoworkers("user_id", SECRET, base_url=url)


def test_names_and_secrets_may_be_of_any_script() -> None:
    assert credentials("żółw", "日本").authorization() == "Basic xbzDs8WCdzrml6XmnKw="
    assert "żółw" in repr(credentials("żółw", "日本"))


@pytest.mark.parametrize(
    "form",
    [
        "open/sesame+42 ü",
        "open\\/sesame+42 \\u00fc",
        "open/sesame+42 \\u00fc",
        "open%2Fsesame%2B42%20%C3%BC",
        "open%2fsesame%2b42%20%c3%bc",
        "open%2Fsesame%2B42+%C3%BC",
        "open%252Fsesame%252B42%2520%25C3%25BC",
        "open/sesame+42 \\xc3\\xbc",
        "open/sesame+42 ü".encode().decode("latin-1"),
        "dXNlcl9pZDpvcGVuL3Nlc2FtZSs0MiDDvA==",
        "dXNlcl9pZDpvcGVuL3Nlc2FtZSs0MiDDvA",
        "dXNlcl9pZDpvcGVuL3Nlc2FtZSs0MiDDvA%3D%3D",
    ],
)
def test_the_secret_is_found_in_every_form_in_which_it_may_be_echoed(form: str) -> None:
    hide = credentials("user_id", SECRET).hide
    assert hide(f"<{form}>, <{form}>") == "<(hidden)>, <(hidden)>" or form.endswith("DvA==")
    assert "sesame" not in hide(form)
    assert "dXNl" not in hide(form)
    assert hide("nothing of it") == "nothing of it"


@pytest.mark.anyio
@pytest.mark.each_package
async def test_no_error_of_a_call_shows_the_secret_that_the_service_or_the_transport_echoes() -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        header, way = request.headers["authorization"], request.url.path
        if way.endswith("get-balances.php"):
            return httpx.Response(200, text=f"<html>{header} {SECRET}")
        if way.endswith("get-job.php"):
            return httpx.Response(404, json={"ok": False, "message": f"{header} {SECRET}"})
        raise httpx.ReadError(f"{header} {SECRET}")

    retry, rating = RetryPolicy(attempts=1), Rating("j1", "t1", Verdict.OK)
    transport = httpx.MockTransport(echo)
    async with AsyncPicoworkers("user_id", SECRET, transport=transport, retry=retry) as pico:
        for call in (
            pico.users.get_balances,
            lambda: pico.jobs.get_job("j"),
            lambda: pico.jobs.rate_single_task(rating),
        ):
            with pytest.raises(PicoworkersError, match="hidden") as caught:
                await call()
            shown = everything(caught.value) + "".join(traceback.format_exception(caught.value))
            assert "sesame" not in shown
            assert "dXNl" not in shown


@pytest.mark.anyio
async def test_no_event_log_or_journal_shows_the_secret_that_the_programs_own_code_raises(
    tmp_path, caplog
) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[str] = []
    sandbox, ratings = seeded(2, api_secret=SECRET)

    def decide(task: object) -> Rating:
        raise ValueError(f"GET https://files.example/?key={SECRET}")

    def source() -> Iterator[Rating]:
        yield ratings[0]
        raise ValueError(f"GET https://files.example/?key={SECRET}")

    pico = AsyncPicoworkers(
        "user_id", SECRET, transport=sandbox.transport(), on_event=lambda event: told.append(repr(event))
    )
    async with pico:
        report = await pico.review_all(decide, journal=tmp_path / "review.db")
        with pytest.raises(ValueError, match="files"):
            await pico.rate_all(source(), journal=tmp_path / "rate.db")
    messages = [row.message for row in Journal(tmp_path / "review.db").rows()]
    shown = "".join([str(report), repr(messages), *told, caplog.text, repr([vars(one) for one in caplog.records])])
    assert "files.example/?key=(hidden)" in shown
    assert SECRET not in shown
