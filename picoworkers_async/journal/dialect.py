"""The journal's statements are written for SQLite; here is what PostgreSQL calls the same."""

from __future__ import annotations

import re
from functools import lru_cache

# U+0000 is no text in PostgreSQL: it and the sign that stands for it are written as two.
_SIGN = "\ue000"

_WORDS = (
    (re.compile(r"\bINDEXED BY \w+"), ""),
    (re.compile(r"\bgroup_concat\("), "string_agg("),
    (re.compile(r"\binstr\("), "strpos("),
    # SQLite cuts what is behind the point off, PostgreSQL rounds.
    (re.compile(r"\bCAST\(((?:[^()]|\([^()]*\))+) AS INTEGER\)"), r"CAST(trunc(\1) AS BIGINT)"),
    (re.compile("%"), "%%"),
    (re.compile(r"\?"), "%s"),
)
_TYPES = (
    (re.compile(r"\bINTEGER\b"), "BIGINT"),
    (re.compile(r"\bREAL\b"), "DOUBLE PRECISION"),
    # Texts compare by their bytes, as in SQLite, whatever the database's language is.
    (re.compile(r"\bTEXT\b"), 'TEXT COLLATE "C"'),
    (re.compile(r"\) WITHOUT ROWID"), ")"),
)


@lru_cache(maxsize=256)
def in_postgres(statement: str) -> str:
    """A statement of SQLite's, for psycopg."""
    for pattern, word in _WORDS:
        statement = pattern.sub(word, statement)
    return statement


def tables_in_postgres(statements: str) -> str:
    """SQLite's statements that make tables, for PostgreSQL."""
    for pattern, word in _TYPES:
        statements = pattern.sub(word, statements)
    return statements


def kept(value: object) -> object:
    """A value as PostgreSQL keeps it."""
    if isinstance(value, str):
        if "\0" in value or _SIGN in value:
            return value.replace(_SIGN, f"{_SIGN}1").replace("\0", f"{_SIGN}0")
    elif value is True or value is False:
        return int(value)
    return value


def given(text: str) -> str:
    """A text as it was before it was kept."""
    return text.replace(f"{_SIGN}0", "\0").replace(f"{_SIGN}1", _SIGN) if _SIGN in text else text
