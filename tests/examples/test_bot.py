"""examples/bot: it says what it would do, rates until it is told to stop, and says by its exit code what then."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import redis

from picoworkers_async import Journal, JournalState
from picoworkers_async.sandbox import Sandbox
from tests.support.valkey import Server

from .programs import EXAMPLES, command_of, copy_of, ended, environment, free_port, running, until

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]


def quick_copy(folder: Path, port: int = 0) -> Path:
    """A copy whose pace and ticker are for tests, and that is asked at this port."""
    copy = copy_of("bot", folder)
    config = (copy / "bot.toml").read_text(encoding="utf-8")
    quick = {"requests_per_second = 1": "50", "tell_every = 600": "0.2", "port = 9464": str(port)}
    for line, value in quick.items():
        assert line in config
        config = config.replace(line, f"{line.split()[0]} = {value}")
    (copy / "bot.toml").write_text(config, encoding="utf-8")
    return copy


def lines_of(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.story
async def test_it_rates_answers_for_its_health_and_ends_in_good_order_when_it_is_told_to(tmp_path: Path) -> None:
    port = free_port()
    folder, command = quick_copy(tmp_path, port), command_of("bot")
    sandbox = Sandbox(edition="sproutgigs", page_size=50)
    ids = sandbox.add_tasks(sandbox.add_job(task_value="0.10"), 25)
    sandbox.refuse(ids[0], "Not this one.")
    async with sandbox.serve() as url:
        env = environment(url, tmp_path)
        dry = await ended([*command, "dry"], folder, env)
        assert (dry.code, sandbox.ledger) == (0, []), dry
        assert "25 would rate" in lines_of(dry.err)[-1]["message"]

        async with running(command, folder, env) as process:
            await until(lambda: len(sandbox.ledger) == 24 and "so far" in (folder / "err").read_text())
            async with httpx.AsyncClient(trust_env=False) as monitor:
                health = await monitor.get(f"http://127.0.0.1:{port}/healthz")
                metrics = await monitor.get(f"http://127.0.0.1:{port}/metrics")
            assert (health.status_code, health.json()["met"]) == (200, 25)
            outcomes = re.findall(
                r'^picoworkers_rating_outcomes_total{.*picoworkers_outcome="(\w+)".*} (\S+)$',
                metrics.text,
                re.MULTILINE,
            )
            assert dict(outcomes).items() >= {"rated": "24.0", "refused": "1.0", "unknown": "0.0"}.items()
            assert "api_secret" not in metrics.text
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0, (folder / "err").read_text()
    lines = lines_of((folder / "err").read_text())
    assert "24 rated, 1 refused" in lines[-1]["message"]
    (refused,) = [line for line in lines if line.get("event") == "outcome" and line["status"] == "refused"]
    assert (refused["task_id"], refused["reason"]) == (ids[0], "Not this one.")
    assert "api_secret" not in (folder / "err").read_text()
    assert Journal(folder / "ratings.db").counts() == {JournalState.RATED: 24, JournalState.REFUSED: 1}


@pytest.mark.story
async def test_it_says_by_its_exit_code_that_starting_it_again_does_not_help(tmp_path: Path) -> None:
    folder, command = quick_copy(tmp_path, free_port()), command_of("bot")
    async with Sandbox(edition="sproutgigs").serve() as url:
        wrong = await ended(command, folder, environment(url, tmp_path, PICOWORKERS_API_SECRET="wrong"))
        elsewhere = await ended(command, folder, environment(url.replace("/api/", "/"), tmp_path))
    for run, said in ((wrong, "does not accept"), (elsewhere, "check base_url, which ends in /api/")):
        (told,) = [line for line in lines_of(run.err) if line["message"].startswith("somebody has to look: ")]
        assert (run.code, said in told["message"]) == (2, True), run
        assert not [line for line in lines_of(run.err) if line["logger"].startswith("httpx")]


async def test_what_is_wrong_with_its_settings_is_one_line_with_key_value_and_remedy(tmp_path: Path) -> None:
    folder = quick_copy(tmp_path)
    whole = (folder / "bot.toml").read_text(encoding="utf-8")
    wrong = whole.replace('max_bonus = "0.50"', 'max_bonuss = "0.50"\npay_per_day = "a lot"').replace(
        'pay_per_day = "200"\n', ""
    )
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        cases = {
            "typo.toml": (wrong, [("limits.max_bonuss", "0.50", "there are max_bonus, ")]),
            "worth.toml": (
                wrong.replace("bonuss", "bonus"),
                [("limits.pay_per_day", "a lot", "")],
            ),
            "missing.toml": (
                whole.replace("look_every", "# look_every").replace("port = 0", 'port = "a"'),
                [("look_every", None, "add this key"), ("port", "a", "0 to 65535")],
            ),
            "taken.toml": (whole.replace("port = 0", f"port = {port}"), [("port", port, "set another one")]),
            "no.toml": ("limits =", [("", "no.toml", "Invalid value")]),
        }
        async with Sandbox(edition="sproutgigs").serve() as url:
            env = environment(url, tmp_path)
            for name, (text, problems) in cases.items():
                (folder / name).write_text(text, encoding="utf-8")
                run = await ended([sys.executable, "bot.py", name], folder, env)
                told = lines_of(run.err)[-1]
                assert (run.code, told["level"]) == (2, "ERROR"), run
                assert [(one["key"], one["value"]) for one in told["problems"]] == [one[:2] for one in problems]
                for one, (key, _, remedy) in zip(told["problems"], problems, strict=True):
                    assert remedy in one["remedy"]
                    assert key in told["message"]


async def test_stopped_at_a_limit_of_the_day_it_was_stopped(tmp_path: Path) -> None:
    folder, command = quick_copy(tmp_path, free_port()), command_of("bot")
    config = (folder / "bot.toml").read_text(encoding="utf-8")
    assert 'bonus_per_day = "20"' in config
    (folder / "bot.toml").write_text(config.replace('bonus_per_day = "20"', 'bonus_per_day = "0.10"'))
    sandbox = Sandbox(edition="sproutgigs")
    sandbox.add_tasks(sandbox.add_job(task_value="0.10"), 5)
    async with sandbox.serve() as url:
        env = environment(url, tmp_path)
        dry = await ended([*command, "dry"], folder, env)
        async with running(command, folder, env) as process:
            await until(lambda: "limit_reached" in (folder / "err").read_text())
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0, (folder / "err").read_text()
    assert "2 would rate" in (report := lines_of(dry.err)[-1]["message"])
    assert "would pay bonuses of $0.10" in report
    assert "2 rated" in (report := lines_of((folder / "err").read_text())[-1]["message"])
    assert "limit" not in report


@pytest.mark.story
@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        ('pay_per_day = "200"', "", ""),
        ('bonus_per_day = "20"', 'bonus_per_dya = "20"', "limits.bonus_per_dya"),
        ("[limits]", 'pay_per_day = "200"\n[limits]', "pay_per_day"),
        ("look_every = 60", "", "look_every"),
        ("[limits]", "[limit]", "limits=None"),
        ("[limits]", "[[limits", "line"),
    ],
)
async def test_a_setting_that_is_misspelt_missing_or_in_the_wrong_place_stops_it_for_good(
    tmp_path: Path, line: str, instead: str, said: str
) -> None:
    folder, command = quick_copy(tmp_path), command_of("bot", "dry")
    config = (folder / "bot.toml").read_text(encoding="utf-8")
    assert line in config
    (folder / "bot.toml").write_text(config.replace(line, instead), encoding="utf-8")
    async with Sandbox(edition="sproutgigs").serve() as url:
        run = await ended(command, folder, environment(url, tmp_path))
    assert run.code == (2 if said else 0), run
    assert said in lines_of(run.err)[-1].get("traceback", "")


async def test_with_a_url_of_valkey_its_pace_is_kept_there(tmp_path: Path) -> None:
    folder, command = quick_copy(tmp_path), command_of("bot", "dry")
    server = Server(tmp_path)
    server.start()
    try:
        async with Sandbox(edition="sproutgigs").serve() as url:
            dry = await ended(command, folder, environment(url, tmp_path, PACER_URL=server.url))
        with redis.Redis.from_url(server.url) as valkey:
            paces = list(valkey.scan_iter("picoworkers:*:pace"))
    finally:
        server.stop()
    assert (dry.code, len(paces)) == (0, 1), dry


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_takes_its_unit_and_finds_it_well_confined(tmp_path: Path, anyio_backend: str) -> None:
    text = (EXAMPLES / "bot" / "bot.service").read_text(encoding="utf-8")
    assert "ExecStart=/opt/bot/.venv/bin/python " in text
    unit = tmp_path / "bot.service"
    unit.write_text(text.replace("/opt/bot/.venv/bin/python", sys.executable), encoding="utf-8")
    for command in (["verify"], ["security", "--offline=true", "--threshold=20"]):
        done = subprocess.run(["systemd-analyze", *command, str(unit)], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), done
