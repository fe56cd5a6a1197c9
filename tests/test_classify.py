"""What each answer, and each failure to get one, means for the caller and for the money."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from picoworkers_async import (
    AuthenticationError,
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
)

URL = "https://picoworkers.com/api/jobs/x.php"
NO = b'{"ok": false, "message": "Task cannot be rated."}'
HTML = b"<html><body>502 Bad Gateway</body></html>"


def error_of(status: int, body: bytes, *, money: bool = False, headers: dict | None = None) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        classify.read_answer("jobs.x", URL, status, headers or {}, body, costs_money=money)
    return caught.value


@pytest.mark.parametrize("status", [200, 201, 400, 403, 404, 422, 500, 503])
def test_a_refusal_is_one_whatever_the_status(status: int) -> None:
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


@pytest.mark.parametrize(
    ("status", "location", "host", "fate"),
    [
        (301, "https://sproutgigs.com/api/jobs/x.php", "sproutgigs.com", Fate.NOT_PROCESSED),
        (308, "https://sproutgigs.com/api/jobs/x.php", "sproutgigs.com", Fate.NOT_PROCESSED),
        (303, "https://sproutgigs.com/done", "sproutgigs.com", Fate.UNKNOWN),
        (302, "/login.php", "picoworkers.com", Fate.UNKNOWN),
    ],
)
def test_a_redirect_names_the_new_host_and_the_way_there(status, location, host, fate) -> None:
    error = error_of(status, b"", money=True, headers={"location": location})
    assert isinstance(error, ServiceMovedError)
    assert (error.host, error.fate) == (host, fate)
    assert "edition=SPROUTGIGS" in str(error)
    assert "base_url=" in str(error)


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
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str, seconds: float | None) -> None:
    now = datetime(2026, 11, 24, 8, 0, 0, tzinfo=UTC)
    assert classify.retry_after({"retry-after": value}, now) == seconds


def test_a_lost_answer_is_unknown_only_where_money_is_at_stake() -> None:
    lost = httpx.ReadTimeout("")
    harmless = classify.error_for_failure("c", Fate.UNKNOWN, lost, costs_money=False)
    costly = classify.error_for_failure("c", Fate.UNKNOWN, lost, costs_money=True)
    unsent = classify.error_for_failure("c", Fate.NOT_PROCESSED, lost, costs_money=True)
    assert [type(error) for error in (harmless, costly, unsent)] == [
        NoAnswerError,
        OutcomeUnknownError,
        NotSentError,
    ]


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
