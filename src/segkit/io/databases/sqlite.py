"""SQLite by the standard library."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from urllib.parse import quote

from segkit.io.databases.refused import Reason, Refused, meant, place_of_word

BUSY = 10.0
"""Seconds to wait for who writes to the file."""

_REASONS = (
    Reason("no such table", "has no such table", "look at its name"),
    Reason(
        "no such column|ambiguous column", "has no such column", "look at its name; a text stands in 'single quotes'"
    ),
    Reason("no such function|wrong number of arguments", "has no such function", "look at its name"),
    Reason("not a database|encrypted", "is no SQLite database, or an encrypted one", "look at the path"),
    Reason("malformed|corrupt", "is damaged", "mend it with `.recover` of `sqlite3`"),
    Reason("locked|busy", "is being written by someone else", "run this again when that is done"),
    Reason("readonly|read-only", "is only read: what is asked would write", "ask for rows alone, with `select`"),
    Reason("interrupted", "was stopped: it took too long", "give it longer with `timeout`, or ask for less"),
    Reason(
        "could not decode", "holds a text that is not UTF-8", "mend it, or read the column as `hex(...)` in `query`"
    ),
    Reason("disk is full|full", "has no disk left for that", "free some space there, or where `SQLITE_TMPDIR` says"),
    Reason("unable to open", "cannot be opened", "look at who may read the file and its folder"),
    Reason("one statement|incomplete|syntax", "does not understand the SQL", "look at the SQL there"),
    Reason("constraint", "does not take a row, because of a rule of its table", "look at its constraints"),
)


def connect(path: Path, *, writes: bool = False) -> sqlite3.Connection:
    """A connection in which only `begin` begins a transaction; the file must be there. Raises `Refused`."""
    mode = "rw" if writes else "ro"
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(path.absolute()))}?mode={mode}",
            uri=True,
            timeout=BUSY,
            isolation_level=None,
            check_same_thread=False,  # a timer interrupts it
        )
    except sqlite3.Error as error:
        raise refused(path, error) from None
    if sys.version_info >= (3, 12):  # a name in double quotes that no column has is an error, and not a text
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_DQS_DML, False)
    try:
        connection.execute("pragma schema_version").fetchone()  # the file itself is looked at with the first statement
    except sqlite3.Error as error:
        connection.close()
        raise refused(path, error) from None
    return connection


def refused(path: Path, error: sqlite3.Error | sqlite3.Warning, *, query: str = "") -> Refused:
    """What an error of SQLite means; where the `query` of a rule file is to blame, with the place in it."""
    reason = meant(str(error), _REASONS)
    if reason is None:
        return Refused(f"`{path}` refuses what is asked{place_of_word(query, str(error))}", "try it with `sqlite3`")
    return Refused(f"`{path}` {reason.says}{place_of_word(query, str(error))}", reason.hint)
