"""Take the pictures docs/images/demo.svg and demo-short.svg: `picoworkers demo` in a terminal of 80 columns.

The short one, for the README, has what part 1 counts and the ledger of part 4.

Needs the extra `cli` and the dependency group `test`. Run it as `python benchmarks/terminal.py`.
"""

from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path

import pexpect
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

IMAGES = Path(__file__).parents[1] / "docs" / "images"
MOST_BYTES = 150_000
COLUMNS, LINES = 80, 100
SECONDS = 120
PROGRAM = "import sys; from picoworkers_async.cli.main import main; sys.exit(main(['demo']))"
MOVES = re.compile(r"\x1b\[(?:1A|2K|\?25[lh])|[\r\n]")
# The font's own address would have every reader's browser fetch it.
FETCHED = re.compile(r"@font-face \{\{.*?\}\}", re.DOTALL)


def run() -> str:
    """What the demo sends to its terminal."""
    env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    env["TERM"] = "xterm-256color"
    child = pexpect.spawn(
        sys.executable, ["-c", PROGRAM], encoding="utf-8", timeout=SECONDS, dimensions=(LINES, COLUMNS), env=env
    )
    child.expect(pexpect.EOF)
    child.close()
    if child.exitstatus != 0:
        raise SystemExit(f"the demo failed:\n{child.before}")
    return child.before


def seen(sent: str) -> list[str]:
    """The lines that are there in the end: tables that change go back up, and write over themselves."""
    lines, row = [""], 0
    place = 0
    for move in MOVES.finditer(sent):
        lines[row] += sent[place : move.start()]
        place = move.end()
        match move.group():
            case "\n":
                row += 1
                if row == len(lines):
                    lines.append("")
            case "\x1b[1A":
                row -= 1
            case "\x1b[2K":
                lines[row] = ""
    return lines


def short(lines: list[str]) -> list[str]:
    """The heading and the table of part 1, and all of part 4."""
    plain = [Text.from_ansi(line).plain for line in lines]
    first, second, last = (
        next(at for at, line in enumerate(plain) if line.startswith(f"{part}. ")) for part in "124"
    )
    table = next(at for at in range(first, second) if {"sproutgigs", "picoworkers"} <= set(plain[at].split()))
    return ["", lines[first], "", *lines[table:second], *lines[last:]]


def take(lines: list[str], name: str) -> None:
    console = Console(file=io.StringIO(), record=True, width=COLUMNS, force_terminal=True, highlight=False)
    console.print(Text("$ picoworkers demo", style="bold"))
    for line in lines:
        console.print(Text.from_ansi(line), soft_wrap=True)
    image = IMAGES / f"{name}.svg"
    svg = console.export_svg(title="picoworkers demo", code_format=FETCHED.sub("", CONSOLE_SVG_FORMAT))
    image.write_text(svg, encoding="utf-8")
    size = image.stat().st_size
    print(f"docs/images/{image.name}: {size / 1000:.0f} kB, {len(lines)} lines")
    if size > MOST_BYTES:
        raise SystemExit(f"{image.name} is larger than {MOST_BYTES / 1000:.0f} kB")


def main() -> None:
    lines = seen(run())
    take(lines, "demo")
    take(short(lines), "demo-short")


if __name__ == "__main__":
    main()
