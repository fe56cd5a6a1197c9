"""The tables of a pacer's file, and the queries on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

SELECT = """
SELECT epoch, next_slot, next_departure, silent_until, margin, margin_at, first_after_pause, boot
FROM paces WHERE account = ?
"""

SCHEMA = """
CREATE TABLE IF NOT EXISTS paces (
    account TEXT PRIMARY KEY, epoch TEXT NOT NULL, next_slot REAL NOT NULL, next_departure REAL NOT NULL,
    silent_until REAL NOT NULL, margin REAL NOT NULL, margin_at REAL NOT NULL, first_after_pause INTEGER NOT NULL,
    boot TEXT
);
CREATE TABLE IF NOT EXISTS clients (account TEXT, client TEXT, seen REAL NOT NULL, PRIMARY KEY (account, client));
"""
# A file of an earlier version may have any number of clients that are long gone. Whoever is not comes again.
FORGET_ALL = """
BEGIN IMMEDIATE; DELETE FROM clients;
CREATE INDEX IF NOT EXISTS clients_by_time ON clients (account, seen, client); COMMIT;
"""
HAS_BOOT = "SELECT count(*) FROM pragma_table_info('paces') WHERE name = 'boot'"
ADD_BOOT = "ALTER TABLE paces ADD COLUMN boot TEXT"
HAS_INDEX = "SELECT count(*) FROM sqlite_schema WHERE name = 'clients_by_time'"
ACTIVE = "SELECT count(*), sum(client < ?) FROM clients WHERE account = ? AND seen BETWEEN ? AND ?"
# Some at a time, so that no reservation pays for all that came before it. A time ahead is from before a restart.
FORGET_SOME = """
DELETE FROM clients WHERE rowid IN (
    SELECT rowid FROM clients WHERE account = :account AND seen < :since
    UNION ALL SELECT rowid FROM clients WHERE account = :account AND seen > :now LIMIT 20
)
"""
STORE = "INSERT OR REPLACE INTO paces VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


def prepare(database: sqlite3.Connection) -> None:
    """Create the tables in a new file, and bring those of an earlier version up to this one."""
    database.executescript(SCHEMA)
    if database.execute(HAS_INDEX).fetchone() == (0,):
        database.executescript(FORGET_ALL)
    if database.execute(HAS_BOOT).fetchone() == (0,):
        database.execute("BEGIN IMMEDIATE")
        if database.execute(HAS_BOOT).fetchone() == (0,):
            database.execute(ADD_BOOT)
        database.execute("COMMIT")
