"""Signing secrets: who is believed, and what is never shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async import InvalidRequestError
from picoworkers_async.webhooks import Receiver
from picoworkers_async.webhooks.signature import Signatures
from tests.support.receiving import EXAMPLE, IDS, SIGNING, ask, durable_ids, signature

BODY = json.dumps(EXAMPLE).encode()
RIGHT = signature(BODY).encode()
NAME = b"x-sproutgigs-signature"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "submitted.db"


def test_a_known_signature_is_computed_as_hmac_sha256_of_the_raw_body() -> None:
    # Computed by `openssl dgst -sha256 -hmac`.
    known = "f79e798875ea89dd40248d0269b455cf0b4211dedc2072071cd83612cf584a56"
    assert Signatures("a key to sign with").match(f"sha256={known}", b"what do ya want for nothing?")


@pytest.mark.parametrize("value", [RIGHT, RIGHT[:7] + RIGHT[7:].upper()])
def test_a_signed_body_is_taken(path: Path, value: bytes) -> None:
    assert ask(Receiver(path, signing_secret=SIGNING), BODY, [(NAME, value)])[0] == 200
    assert durable_ids(path) == IDS


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(NAME, b"")],
        [(NAME, RIGHT[7:])],
        [(NAME, b"sha1=" + RIGHT[7:])],
        [(NAME, b"SHA256=" + RIGHT[7:])],
        [(NAME, RIGHT[:-1])],
        [(NAME, RIGHT + b"0")],
        [(NAME, RIGHT + b"\n")],
        [(NAME, b"sha256=" + b"g" * 64)],
        [(NAME, b"sha256=" + "é".encode() * 32)],
        [(NAME, b"sha256=" + b"\xb2" * 64)],
        [(NAME, b"sha256=" + "٣".encode() * 32)],
        [(NAME, b"sha256=" + b"0" * 64)],
        [(NAME, signature(BODY, "another secret").encode())],
        [(NAME, signature(BODY + b" ").encode())],
        [(NAME, RIGHT), (NAME, RIGHT)],
        [(b"x-hub-signature-256", RIGHT)],
    ],
    ids=lambda headers: str(len(headers)),
)  # fmt: skip
def test_what_is_not_signed_by_the_secret_is_answered_401_and_not_read(path: Path, headers) -> None:
    status, text = ask(Receiver(path, signing_secret=SIGNING), BODY, headers)
    assert status == 401
    assert "signature" in text.lower()
    assert not path.exists()


def test_an_unsigned_body_is_not_parsed(path: Path) -> None:
    receiver = Receiver(path, signing_secret=SIGNING)
    assert ask(receiver, b"not json", [(NAME, RIGHT)])[0] == 401
    assert ask(receiver, b"not json", [(NAME, signature(b"not json").encode())])[0] == 422


def test_while_a_secret_is_being_changed_either_is_believed(path: Path) -> None:
    receiver = Receiver(path, signing_secret=["the old secret", "the new secret"])
    for secret in ("the old secret", "the new secret"):
        assert ask(receiver, BODY, [(NAME, signature(BODY, secret).encode())])[0] == 200
    assert ask(receiver, BODY, [(NAME, RIGHT)])[0] == 401


def test_the_same_signed_body_once_more_changes_nothing(path: Path) -> None:
    receiver = Receiver(path, signing_secret=SIGNING)
    for _ in range(3):
        assert ask(receiver, BODY, [(NAME, RIGHT)])[0] == 200
    assert durable_ids(path) == IDS


@pytest.mark.parametrize(
    ("given_secret", "field"),
    [
        ("", "signing_secret="),
        ("shorter", "signing_secret="),
        ("with a newline\n", "signing_secret="),
        (b"bytes of a secret", "signing_secret="),
        (12345678, "signing_secret="),
        ("a lone \ud800 surrogate", "signing_secret="),
        ([], "signing_secret="),
        (["long enough", "shorter"], "signing_secret[1]="),
        (["long enough", None], "signing_secret[1]="),
    ],
)
def test_a_signing_secret_that_protects_nothing_is_refused_and_not_shown(path: Path, given_secret, field) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        Receiver(path, signing_secret=given_secret)
    assert field in str(caught.value)
    assert "8 characters" in str(caught.value) or "at least one" in str(caught.value)
    for shown in (str(caught.value), repr(caught.value.problems)):
        assert not any(
            word in shown for word in ("shorter", "newline", "bytes of", "12345678", "lone", "long enough")
        )


def test_a_receiver_holds_no_secret_as_text(path: Path) -> None:
    receiver = Receiver(path, secret="a-segment-nobody-guesses", signing_secret=SIGNING)
    shown = repr(receiver) + repr(vars(receiver)) + repr(vars(receiver._signatures))
    assert "nobody-guesses" not in shown
    assert SIGNING not in shown


@given(st.binary(max_size=60), st.text(min_size=8, max_size=20).filter(lambda text: text == text.strip()))
def test_only_the_body_itself_matches_its_signature(body: bytes, secret: str) -> None:
    try:
        signatures = Signatures(secret)
    except InvalidRequestError:
        return
    value = signature(body, secret)
    assert signatures.match(value, body)
    assert not signatures.match(value, body + b"x")
    assert not signatures.match(signature(body, secret + "x"), body)
