"""What each answer, and each failure to get one, means for the caller and for the money."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async import (
    AuthenticationError,
    CallError,
    Fate,
    InvalidResponseError,
    NoAnswerError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
    ServiceError,
    ServiceMovedError,
    classify,
    codec,
)
from picoworkers_async.credentials import Credentials

TOKEN = "dXNlcl9pZDpvcGVuLXNlc2FtZS00Mg=="
SECRET = "open-sesame-42"
URL = "https://picoworkers.com/api/jobs/x.php"
NO = b'{"ok": false, "message": "Task cannot be rated."}'
HTML = b"<html><body>502 Bad Gateway</body></html>"


def as_it_is(value):
    return value


def error_of(status: int, body: bytes, *, money: bool = False, headers=None, reader=as_it_is, problem=None):
    hide = Credentials("user_id", f"Basic {TOKEN}").hide
    options = {"problem": problem, "costs_money": money, "hide": hide}
    with pytest.raises(CallError) as caught:
        classify.read("jobs.x", "POST", URL, status, headers or {}, body, reader, **options)
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "problem", "silent"),
    [
        (200, b"", None, True),
        (204, b"\n", None, True),
        (200, b"", "it broke off", False),
        (200, b"{}", None, False),
        (200, b"null", None, False),
        (404, b"", None, False),
        (502, b"", None, False),
        (301, b"", None, False),
    ],
)
def test_only_a_whole_success_with_nothing_in_it_is_accepted_in_silence(status, body, problem, silent) -> None:
    error = error_of(status, body, money=True, reader=codec.read_posted_job, problem=problem)
    assert isinstance(error, OutcomeUnknownError)
    assert classify.accepted_in_silence(error) is silent


@pytest.mark.parametrize("status", [200, 201, 400, 403, 404, 422])
def test_a_refusal_is_one_with_a_successful_status_or_a_clients_error(status: int) -> None:
    error = error_of(status, NO, money=True)
    assert isinstance(error, RefusedError)
    assert error.message == "Task cannot be rated."
    assert error.fate is Fate.NOT_PROCESSED


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, b""),
        (401, NO),
        (403, b""),
        (403, b"{}"),
        (403, HTML),
        (200, b'{"message": "Unauthorized"}'),
        (200, b'{"ok": false, "message": "UNAUTHORIZED."}'),
    ],
)
def test_credentials_that_are_not_accepted_are_told_as_such(status: int, body: bytes) -> None:
    assert isinstance(error_of(status, body, money=True), AuthenticationError)


@pytest.mark.parametrize(
    ("status", "body", "harmless"),
    [
        (200, HTML, InvalidResponseError),
        (200, b'{"ok": tr', InvalidResponseError),
        (200, b"", InvalidResponseError),
        (404, HTML, InvalidResponseError),
        (500, b"{}", ServiceError),
        (502, HTML, ServiceError),
        (503, HTML, ServiceError),
    ],
)
def test_an_answer_that_says_nothing_is_unknown_where_money_is_at_stake(status, body, harmless) -> None:
    assert isinstance(error_of(status, body), harmless)
    costly = error_of(status, body, money=True)
    assert isinstance(costly, OutcomeUnknownError)
    assert isinstance(costly.reason, harmless)
    assert costly.fate is Fate.UNKNOWN


def test_an_unreadable_answer_shows_a_short_excerpt() -> None:
    error = error_of(200, b"<html>" + b"x" * 10_000)
    assert isinstance(error, InvalidResponseError)
    assert error.excerpt.startswith("<html>xxx")
    assert len(str(error)) < 300


def test_a_client_error_with_a_message_is_a_refusal() -> None:
    error = error_of(400, b'{"message": "Job not found."}')
    assert isinstance(error, RefusedError)
    assert error.message == "Job not found."


UNKNOWABLE = [408, 409, 425, 499, 500, 502, 503, 504, 520, 599, 999]


@pytest.mark.parametrize("status", UNKNOWABLE)
@pytest.mark.parametrize(
    "body",
    [NO, HTML, b"", b'{"ok": true}', b'{"message": "Unauthorized"}', b'{"ok": false, "message": "Unauthorized"}'],
)
def test_a_failure_of_the_service_is_unknown_whatever_its_json_says(status: int, body: bytes) -> None:
    costly = error_of(status, body, money=True)
    assert isinstance(costly, OutcomeUnknownError)
    assert isinstance(costly.reason, ServiceError)
    assert (costly.status, costly.fate) == (status, Fate.UNKNOWN)
    harmless = error_of(status, body)
    assert type(harmless) is ServiceError
    assert classify.may_retry(harmless, costs_money=False)
    assert not classify.may_retry(costly, costs_money=True)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b'{"ok": true, "message": "Unauthorized"}'),
        (400, b'{"ok": true, "message": "Task rated successfully."}'),
        (403, b'{"ok": true}'),
        (404, b'{"ok": 1}'),
    ],
)
def test_an_answer_that_contradicts_itself_is_unknown(status: int, body: bytes) -> None:
    error = error_of(status, body, money=True)
    assert isinstance(error, OutcomeUnknownError)
    assert isinstance(error.reason, InvalidResponseError)


@pytest.mark.parametrize(
    ("status", "location", "host"),
    [
        (301, "https://sproutgigs.com/api/jobs/x.php", "sproutgigs.com"),
        (308, "https://u:p@sproutgigs.com/api/jobs/x.php", "sproutgigs.com"),
        (303, "https://sproutgigs.com/done", "sproutgigs.com"),
        (302, "/login.php", "picoworkers.com"),
        (304, "", "picoworkers.com"),
        (307, "https://[broken", ""),
        (307, "https://\ud800\x00/", "\\ud800\\x00"),
    ],
)
def test_a_redirect_is_unknown_and_names_the_new_host_and_the_way_there(status, location, host) -> None:
    headers = {"location": location}
    costly = error_of(status, b'{"ok": true}', money=True, headers=headers)
    harmless = error_of(status, b"", headers=headers)
    assert isinstance(costly, OutcomeUnknownError)
    assert costly.fate is Fate.UNKNOWN
    for error in (costly.reason, harmless):
        assert isinstance(error, ServiceMovedError)
        assert (error.host, error.fate, error.status) == (host, Fate.UNKNOWN, status)
    for text in (str(costly), str(harmless)):
        assert text.encode()
        assert "edition=SPROUTGIGS" in text
        assert "base_url=" in text
    assert not classify.may_retry(harmless, costs_money=False)


class Undecodable:
    """Headers whose values cannot be decoded."""

    def get(self, name: str, default: str = "") -> str:
        return b"\xff".decode()


@pytest.mark.parametrize("status", [200, 302, 429, 500])
@pytest.mark.parametrize("headers", [Undecodable(), {"location": b"x", "retry-after": 7}])
def test_headers_that_cannot_be_read_are_none(status: int, headers) -> None:
    assert error_of(status, HTML, money=True, headers=headers).status == status


@pytest.mark.parametrize(
    "failure",
    [
        RecursionError(),
        ValueError("x"),
        OverflowError(),
        KeyError("id"),
        TypeError(),
        AttributeError(),
        MemoryError(),
    ],
)
def test_whatever_a_reader_raises_becomes_a_documented_error(failure: Exception) -> None:
    def reader(data):
        raise failure

    assert type(error_of(200, b"{}", reader=reader)) is InvalidResponseError
    costly = error_of(200, b"{}", money=True, reader=reader)
    assert isinstance(costly, OutcomeUnknownError)
    assert costly.__context__ is None


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a": ' + b"1" * 100_000, b"\xff", b'{"ok": 1e999999999999999999999}']
)
def test_whatever_an_answer_holds_a_documented_error_comes_of_it(body: bytes) -> None:
    assert isinstance(error_of(200, body, money=True, reader=codec.read_ack), OutcomeUnknownError)


FORMS = [SECRET, TOKEN, TOKEN.replace("=", "%3D"), TOKEN.rstrip("="), SECRET.upper()]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (200, "<html>Authorization: Basic {}", {}),
        (200, "x" * 100 + " {} and more", {}),
        (200, '{{"ok": false, "message": "no such account: {}"}}', {}),
        (404, '{{"message": "no such account: {}"}}', {}),
        (302, "", {"location": "https://other/?a={}"}),
        (302, "", {"location": "https://{}@other/"}),
        (302, "", {"location": "https://{}/"}),
        (500, "{}", {}),
    ],
)
def test_an_answer_that_echoes_the_secret_does_not_have_it_shown(form, status, body, headers) -> None:
    sent = {name: value.format(form) for name, value in headers.items()}
    for money in (False, True):
        error = error_of(status, body.format(form).encode(), money=money, headers=sent)
        everything = f"{error} {error!r} {vars(error)} {vars(getattr(error, 'reason', error))}".lower()
        assert form.lower() not in everything


def test_a_reader_that_quotes_the_secret_does_not_have_it_shown() -> None:
    body = f'{{"earned": "{SECRET}", "spendable": 1}}'.encode()
    assert SECRET not in str(error_of(200, body, reader=codec.read_balances))


def test_a_429_is_certainly_not_processed() -> None:
    error = error_of(429, b"", money=True, headers={"retry-after": "7"})
    assert isinstance(error, RateLimitedError)
    assert (error.retry_after, error.fate) == (7.0, Fate.NOT_PROCESSED)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Tue, 24 Nov 2026 08:00:30 GMT", 30.0),
        ("Tue, 24 Nov 2026 07:00:00 GMT", 0.0),
        ("soon", None),
        ("inf", None),
        ("nan", None),
        ("1e400", None),
        ("1" * 5000, None),
        ("Tue, 99 Nov 99999 08:00:30 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 -9999", None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0.0),
        ("Tue, 24 Nov 2026 08:00:30 +999999999999", None),
        ("\ud800", None),
        (", , ,", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str, seconds: float | None) -> None:
    now = datetime(2026, 11, 24, 8, 0, 0, tzinfo=UTC)
    assert classify.retry_after({"retry-after": value}, now) == seconds


def test_a_lost_answer_is_unknown_only_where_money_is_at_stake() -> None:
    lost = httpx.ReadTimeout("")
    harmless = classify.error_for_failure("c", Fate.UNKNOWN, lost, url=URL, costs_money=False, hide=str)
    costly = classify.error_for_failure("c", Fate.UNKNOWN, lost, url=URL, costs_money=True, hide=str)
    unsent = classify.error_for_failure("c", Fate.NOT_PROCESSED, lost, url=URL, costs_money=True, hide=str)
    assert [type(error) for error in (harmless, costly, unsent)] == [
        NoAnswerError,
        OutcomeUnknownError,
        NotSentError,
    ]


class Mute(Exception):
    """One that cannot even be shown."""

    def __str__(self) -> str:
        raise ValueError


def test_a_failure_that_echoes_the_header_or_cannot_be_shown_is_told_safely() -> None:
    hide = Credentials("user_id", f"Basic {TOKEN}").hide
    failure = httpx.LocalProtocolError(f"Illegal header value b'Basic {TOKEN}'\x00")
    error = classify.error_for_failure("c", Fate.UNKNOWN, failure, url=URL, costs_money=True, hide=hide)
    assert TOKEN not in str(error)
    assert "Illegal header value b'Basic (hidden)'\\x00" in str(error)
    assert "Mute" in str(
        classify.error_for_failure("c", Fate.UNKNOWN, Mute(), url=URL, costs_money=False, hide=hide)
    )


@pytest.mark.parametrize(
    ("error", "harmless", "costly"),
    [
        (RateLimitedError("c", None), True, True),
        (NotSentError("c", "x"), True, True),
        (NoAnswerError("c", "x", fate=Fate.UNKNOWN), True, False),
        (ServiceError("c", "x", status=502, fate=Fate.UNKNOWN), True, False),
        (InvalidResponseError("c", "x", excerpt="<html>", status=200), True, False),
        (InvalidResponseError("c", "x", excerpt='{"ok": tr', status=200), True, False),
        (InvalidResponseError("c", "x", excerpt="<html>", status=404), False, False),
        (RefusedError("c", "no"), False, False),
        (AuthenticationError("c", "no"), False, False),
        (OutcomeUnknownError("c", ValueError()), False, False),
    ],
)
def test_a_call_is_repeated_only_where_that_is_safe(error, harmless: bool, costly: bool) -> None:
    assert classify.may_retry(error, costs_money=False) is harmless
    assert classify.may_retry(error, costs_money=True) is costly


_SAID = st.sampled_from([True, False, None, 1, 0, "1", "0", "", "true", "false", "yes", [], {}])
_WORDS = st.none() | st.sampled_from(["Task rated successfully.", "Unauthorized", "unauthorized!", ""]) | st.text()


@given(
    st.dictionaries(st.sampled_from(["ok", "message", "notice", "job", "error"]), _SAID | _WORDS)
    | st.lists(_SAID)
    | _SAID
)
def test_an_acknowledgement_known_by_its_bytes_says_what_reading_it_says(answer) -> None:
    def outcome(reader):
        hide = Credentials("user_id", f"Basic {TOKEN}").hide
        body = json.dumps(answer).encode()
        try:
            return classify.read("call", "POST", URL, 200, {}, body, reader, costs_money=True, hide=hide)
        except CallError as error:
            return type(error), str(error)

    closely = outcome(lambda data: codec.read_ack(data))
    assert outcome(codec.read_ack) == outcome(codec.read_ack) == closely


def test_what_a_caller_does_to_an_acknowledgement_is_not_seen_by_the_next() -> None:
    body = b'{"ok":true,"message":"Fine."}'
    first = classify.read("call", "POST", URL, 200, {}, body, codec.read_ack, costs_money=True, hide=str)
    first.extra["mine"] = 1
    assert (
        classify.read("call", "POST", URL, 200, {}, body, codec.read_ack, costs_money=True, hide=str).extra == {}
    )


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://api.example/api/x", "api.example:443"),
        ("http://[::1]:8000/", "[::1]:8000"),
        ("http://box/", "box:80"),
    ],
)
def test_what_was_never_sent_names_the_host_and_the_port(url: str, place: str) -> None:
    failure = OSError("Name or service not known")
    error = classify.error_for_failure("c", Fate.NOT_PROCESSED, failure, url=url, costs_money=False, hide=str)
    assert f"never reached the service at {place} (" in str(error)
