"""A million rows of a sheet looked through and read, beside plain reading of the same CSV: time, and peak memory.

`python benchmarks/sheets.py [ROWS]`. Each runs in a process of its own; times are of its processor.
"""

from __future__ import annotations

import csv
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from picoworkers_async import sheets
from picoworkers_async.sheets.layout import BEFORE, TO_FILL
from picoworkers_async.sheets.writing import open_writer

ROWS = 1_000_000
SMALL_SHARE = 50
COLUMNS = (*BEFORE, "PROOF_1", "PROOF_2", *TO_FILL)


def write(path: Path, rows: int) -> None:
    """A sheet as `export` makes it, filled in: nine of ten rows, with a bonus here and there."""
    with path.open("wb") as file, open_writer(path.suffix[1:], file, COLUMNS) as put:
        for number in range(rows):
            mark = ["x", "", ""] if number % 10 < 7 else ["", "x", ""] if number % 10 < 9 else ["", "", ""]
            comment = f"Not what was asked for, {number}" if mark[1] else ""
            known = ["fc7b3bd10d08", f"{number:08x}abcdef", "0", f"w{number % 5000}", "0.10"]
            times = ["2026-05-01 10:00:00", "2026-05-08 10:00:00"]
            proofs = [f"https://example.org/u/{number}", "done, thank you"]
            put([*known, *times, *proofs, *mark, "", comment, "0.05" if number % 20 == 0 else "", "", ""])


def plain(path: Path) -> int:
    """What the standard library takes to read the rows, and do nothing with them."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return sum(1 for _ in csv.reader(file))


def check(path: Path) -> int:
    """The first pass."""
    return sheets.check(path).ratings


def read(path: Path) -> int:
    """Both passes."""
    return sum(1 for _ in sheets.read(path))


JOBS = {"plain": plain, "check": check, "read": read}


def measured(job: str, path: Path) -> tuple[float, float]:
    """Seconds of the processor, and MB at most."""
    command = [sys.executable, __file__, job, str(path)]
    seconds, peak = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), float(peak)


def main() -> None:
    if len(sys.argv) > 2:
        began = time.process_time()
        JOBS[sys.argv[1]](Path(sys.argv[2]))
        print(time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder) / "large.csv", Path(folder) / "small.csv"
        write(large, rows)
        write(small, rows // SMALL_SHARE)
        base, base_peak = measured("plain", large)
        print(f"{rows} rows, {large.stat().st_size / 1e6:.0f} MB of CSV: plain {base:.1f} s, {base_peak:.0f} MB")
        for job in ("check", "read"):
            seconds, peak = measured(job, large)
            _, few = measured(job, small)
            print(
                f"{job:5}: {seconds:.1f} s, {seconds / base:.1f} times plain; peak {peak:.0f} MB, "
                f"{peak / few:.2f} times that of {rows // SMALL_SHARE} rows ({few:.0f} MB)"
            )
        for kind in ("jsonl", "xlsx"):
            other = Path(folder) / f"some.{kind}"
            write(other, rows // 10)
            seconds, peak = measured("check", other)
            each = seconds / (rows // 10) / (base / rows)
            print(f"check of {rows // 10} rows of .{kind}: {seconds:.1f} s, {each:.1f} times plain, {peak:.0f} MB")


if __name__ == "__main__":
    main()
