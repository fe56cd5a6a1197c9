"""What a worker wrote is shown harmless, and all of it that is shown can be seen."""
# ruff: noqa: RUF001

from __future__ import annotations

import unicodedata

import hypothesis.strategies as st
import pytest
from hypothesis import given

from picoworkers_async.console.html import element, page, render
from picoworkers_async.console.words import MOST_LINES, proofs, shown


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain, with ünïcode 漢字 and עברית", "plain, with ünïcode 漢字 and עברית"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred\x07\x00\x7f", "␛[31mred␇␀␡"),
        ("\u202egnp.exe", "\u2039U+202E\u203agnp.exe"),
        ("a\u200bb\ufeffc\u2028d\x85", "a‹U+200B›b‹U+FEFF›c‹U+2028›d‹U+0085›"),
        ("half \ud800 a pair", "half ‹U+D800› a pair"),
        ("tag \U000e0041", "tag ‹U+E0041›"),
        ("family 👩\u200d👧", "family 👩\u200d👧"),
        ("\r\n", "␍\n"),
        ("bob\u3164\u2800\u034f", "bob‹U+3164›‹U+2800›‹U+034F›"),
        ("\ufe01\U000e0101 \u2764\ufe0f", "‹U+FE01›‹U+E0101› \u2764\ufe0f"),
    ],
)
def test_what_cannot_be_seen_is_made_visible(text: str, seen: str) -> None:
    assert shown(text) == seen


def test_a_long_text_is_cut_with_a_note() -> None:
    assert shown("x" * 100_000, 600) == "x" * 600 + "… (99,400 more characters)"
    assert shown("x" * 600, 600) == "x" * 600


def test_marks_without_end_are_not_heaped_on_one_letter() -> None:
    assert shown("Vie\u0302\u0323t \u0e19\u0e49\u0e33") == "Vie\u0302\u0323t \u0e19\u0e49\u0e33"
    assert shown("Z" + "\u0301" * 8) == "Z" + "\u0301" * 6 + "‹…›"


def test_a_text_of_many_lines_takes_the_height_of_a_few() -> None:
    assert shown("\n" * 100, 600).count("\n") == MOST_LINES - 1
    assert shown("x\n" * MOST_LINES + "y").endswith("x␊y")


@given(st.text(alphabet=st.characters(codec=None), max_size=50))
def test_nothing_hidden_is_left_and_every_text_can_be_sent(text: str) -> None:
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    left = {letter for letter in shown(text) if unicodedata.category(letter) in hidden}
    assert left <= set("\n\t\u200c\u200d")
    page(element("p", shown(text))).decode("utf-8")


@given(st.text(alphabet="<>&\"'=/ ab!-", max_size=30))
def test_no_text_and_no_attribute_becomes_html(text: str) -> None:
    written = render(element("p", text, title=text))
    assert (written.count("<"), written.count(">"), written.count('"')) == (2, 2, 2)
    assert "'" not in written


def test_proofs_of_any_shape_become_a_text() -> None:
    assert proofs([{"text": "a"}, {"text": "b"}]) == "a\nb"
    assert proofs([{"text": None}, 3, "c", {"x": 1}]) == 'null\n3\nc\n{"x": 1}'.replace("null", '{"text": null}')
    assert proofs(None) == "null"
    assert proofs({"text": "d"}) == "d"
