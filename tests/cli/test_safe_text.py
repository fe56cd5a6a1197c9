"""Nothing that somebody else wrote is obeyed by a terminal, or hidden from whoever reads it."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async import Rating, Task
from picoworkers_async.cli import output, paid
from picoworkers_async.cli.output import Column, _csv_cell
from picoworkers_async.cli.safe_text import safe, safe_json
from picoworkers_async.sandbox import Sandbox
from tests.cli.conftest import Run, change_answers, serve

HOSTILE = {
    "colour": "\x1b[31mred\x1b[0m",
    "title": "\x1b]0;owned\x07",
    "link": "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "clear": "\x1bc\x1b[2J\x1b[H",
    "one byte": "\x9b31m\x9d0;owned\x9c",
    "line": "done\r\nrefused 0\rpaid",
    "column": "a\tb\x0bc\x0cd\x08\x7f",
    "bidi": "\u202egnp.exe\u2066\u2069\u200f\u061c",
    "no width": "a\u200bb\u200dc\u2060d\ufeffe\u00ad\u180e",
    "filler": "\u3164\u115f\uffa0\u2800\u034f\ufe0f\U000e0041\U000e0100",
    "lines": "a\u2028b\u2029c\u0085d",
    "half": "a\ud800b",
    "markup": "[red]pay[/red] [link=https://evil.example]x[/link] [/] [bold",
    "emoji code": ":skull: :boom:",
    "accents": "Z" + "\u0335\u0321\u0489" * 40,
    "format": "{0} %s %(name)s ${HOME}",
    "nul": "a\0b",
}


def is_harmless(text: str) -> bool:
    return all(
        character == "\n" or (character.isprintable() and unicodedata.category(character) not in ("Cf", "Cc"))
        for character in text
    )


def longest_run_of_accents(text: str) -> int:
    kinds = ("M" if unicodedata.category(character)[0] == "M" else " " for character in text)
    return max(map(len, "".join(kinds).split()), default=0)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_is_one_line_of_visible_characters(text: str) -> None:
    shown = safe(text)
    assert is_harmless(shown)
    assert "\n" not in shown
    assert longest_run_of_accents(shown) <= 4
    assert safe(shown) == shown


def test_what_is_harmless_stays_as_it_is_and_each_mark_says_what_it_is_for() -> None:
    for text in ("plain", "Grüße, 你好, שלום, e\u0301", "[red]pay[/red]", "👍", ""):
        assert safe(text) == text
    assert safe("\x1b[1m\n\x7f\u202e\u200b\u00a0x") == "␛[1m␊␡<U+202E><U+200B> x"


@given(st.text(st.characters(), max_size=50))
def test_no_text_at_all_gets_through(text: str) -> None:
    assert is_harmless(safe(text))
    assert json.loads(safe_json(text)) == text
    assert safe_json(text).isascii()
    assert safe_json(text).isprintable()
    for cell in (_csv_cell(text), paid._cell("worker", text), paid._cell("state", text)):
        assert is_harmless(cell)
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_cell_of_a_table_shows_the_text_and_interprets_nothing(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output.print_table([Column("a"), Column("b")], [(text, "after")])
    printed = capsys.readouterr().out
    assert safe(text).rstrip() in printed
    assert is_harmless(printed)
    output.say(text)
    assert capsys.readouterr().err == safe(text) + "\n"


COMMANDS = (
    *(["jobs"], ["job", "fc7b3bd10d08"], ["tasks"], ["zones"], ["categories"], ["lists"]),
    *(["pause", "fc7b3bd10d08"], ["restart", "fc7b3bd10d08"], ["job", "nowhere"], ["doctor"]),
)


@pytest.mark.parametrize("as_json", [False, True], ids=["table", "json"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_whatever_a_command_shows_is_harmless(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: list[str], as_json: bool
) -> None:
    everything = "".join(text for text in HOSTILE.values() if text.isascii() or "\ud800" not in text)
    sandbox = serve(monkeypatch, Sandbox())
    hostile = sandbox.add_job(title=everything, notes=everything, instructions=[everything])
    sandbox.add_tasks(hostile, 1, worker_id=everything, country_code=everything, proofs=[{"text": everything}])
    spoil_answers(monkeypatch, sandbox, everything)
    ran = run(*command, "--sandbox", *(["--json"] if as_json else []))
    assert is_harmless(ran.out)
    assert is_harmless(ran.err)
    # It is there to be seen, all of it.
    assert "[31mred" in ran.out + ran.err or command[0] in ("doctor", "pause")
    assert len(ran.err.splitlines()) <= 3
    assert ran.out.isascii() or not as_json


def spoil_answers(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, text: str) -> None:
    """Have every text of every answer end in this one, but for ids, statuses, numbers and times."""
    kept = ("id", "job_id", "status", "created_at", "finished_at", "task_value", "type", "url")

    def spoiled(value, name=""):
        if isinstance(value, dict):
            return {key: spoiled(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [spoiled(item, name) for item in value]
        return value + text if isinstance(value, str) and name not in kept and not _is_number(value) else value

    async def spoil(_, answer):
        content = json.dumps(spoiled(json.loads(await answer.aread())))
        return type(answer)(answer.status_code, headers=answer.headers, content=content, request=answer.request)

    change_answers(monkeypatch, sandbox, spoil)


def _is_number(text: str) -> bool:
    return text.replace(".", "").isdigit()


def test_a_journal_is_shown_harmless(run: Run, service: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "ratings.db"
    everything = "".join(text for text in HOSTILE.values() if "\ud800" not in text)
    service.add_tasks("fc7b3bd10d08", 1, worker_id=everything)
    for task_id in service.unrated():
        service.refuse(task_id, everything)

    async def rate() -> None:
        async with service.client() as pico:
            await pico.review_all(decide, journal=path)

    def decide(task: Task) -> Rating:
        return Rating.ok(task, "good")

    anyio.run(rate)
    for more in ([], ["--state", "refused"], ["--by", "worker"], ["--csv"], ["--by", "worker", "--csv"]):
        ran = run("journal", str(path), *more)
        assert ran.code == 0
        assert is_harmless(ran.out)
