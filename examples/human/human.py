"""Human review by spreadsheet: rate what came back filled in, export what waits, report. Run it every morning.

todo/ has a fresh sheet, filled/ is where people put theirs when they are done, done/ keeps those that were rated.
"""

import csv
import sys
from datetime import UTC, datetime
from pathlib import Path

import anyio

from picoworkers_async import AsyncPicoworkers, BatchReport, Journal, JournalState, sheets

TODO, FILLED, DONE = Path("todo"), Path("filled"), Path("done")
JOURNAL = Path("ratings.db")  # one for all sheets, so that a task which stands in two of them is rated once
REPORT = Path("paid.csv")
MAX_BONUS = "1.00"
FORMATS = (".xlsx", ".csv", ".jsonl")
COUNTED = (JournalState.RATED, JournalState.REFUSED, JournalState.UNKNOWN)


def filled_in() -> list[Path]:
    """What came back, without the files beside it of programs that have a sheet open (`.` and `~`)."""
    return sorted(path for path in FILLED.iterdir() if path.name[0] not in ".~")


def is_sheet(path: Path) -> bool:
    return path.suffix.lower() in FORMATS and path.is_file()


def version_of(sheet: Path) -> tuple[int, int]:
    """Another one after somebody saved it."""
    status = sheet.stat()
    return status.st_mtime_ns, status.st_size


async def rate(pico: AsyncPicoworkers, sheet: Path) -> BatchReport:
    """Rate what a sheet says."""
    ratings = await anyio.to_thread.run_sync(lambda: sheets.read(sheet, max_bonus=MAX_BONUS))
    return await pico.rate_all(ratings, journal=JOURNAL)


def write_report() -> None:
    """Who was paid what, of all that was ever rated here."""
    with REPORT.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("day or worker", *COUNTED, "pay", "bonus", "without known pay"))
        for by in ("day", "worker"):
            for row in Journal(JOURNAL).summary(by=by):
                counts = [row.counts.get(state, 0) for state in COUNTED]
                table.writerow((row.key, *counts, row.pay, row.bonus, row.unpriced))


async def main() -> int:
    for folder in (TODO, FILLED, DONE):
        folder.mkdir(exist_ok=True)
    wrong = 0
    async with AsyncPicoworkers.from_env() as pico:
        for sheet in filled_in():
            if not is_sheet(sheet):
                print(f"{sheet}: not a sheet ({', '.join(FORMATS)})", file=sys.stderr)
                wrong += 1
                continue
            version = version_of(sheet)
            try:
                report = await rate(pico, sheet)
            except sheets.SheetError as error:
                print(error, file=sys.stderr)
                wrong += 1
                continue
            print(f"{sheet}: {report}")
            if version_of(sheet) != version:
                print(f"{sheet}: somebody saved it meanwhile; the next run takes it again", file=sys.stderr)
                wrong += 1
            elif not report.failed and not report.unknown:
                sheet.rename(DONE / f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{sheet.name}")
            wrong += report.failed + report.unknown
        # Never over one that is there: somebody may have begun to fill it in.
        fresh = TODO / f"{datetime.now(UTC):%Y-%m-%dT%H%M%S%f}.xlsx"
        exported = await sheets.export(pico, fresh)
        print(f"{fresh}: tasks: {exported.rows}, jobs: {exported.jobs}")
    if JOURNAL.exists():
        write_report()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(anyio.run(main))
