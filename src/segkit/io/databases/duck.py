"""DuckDB, whose files are only read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from segkit.io.databases.refused import Reason, Refused, meant, not_installed, place_of_word

EXTRA = "duckdb"
_CONFIG = {
    "enable_external_access": "false",  # SQL of a rule file reads this database, and no other file
    "python_enable_replacements": "false",  # nor what Python has by the name of a table
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}

_REASONS = (
    Reason(
        "lock on file|used by another process|different configuration",
        "is open elsewhere",
        "close it there first",
    ),
    Reason("not a valid duckdb", "is no DuckDB database", "look at the path"),
    Reason("different version|storage version|newer", "is of another version of DuckDB", "update `duckdb`"),
    Reason("conversion error|out of range|overflow", "cannot compute a value", "look at the casts and the arithmetic"),
    Reason("syntax error|parser error", "does not understand the SQL", "look at the SQL there"),
    Reason("table with name|table .* does not exist", "has no such table", "look at its name"),
    Reason("referenced column|column .* not found", "has no such column", "look at its name"),
    Reason("function with name|no function matches", "has no such function", "look at its name"),
    Reason("interrupt", "was stopped: it took too long", "give it longer with `timeout`, or ask for less"),
    Reason("read-only|read only", "is only read: what is asked would write", "ask for rows alone, with `select`"),
    Reason("permission|external|disabled", "does not let SQL look at other files", "ask for its own tables alone"),
    Reason("out of memory|memory limit", "has not enough memory for that", "ask for less"),
    Reason("binder error", "does not understand the SQL", "look at the SQL there"),
)


def connect(path: Path, temporary: Path) -> Any:
    """A connection that only reads; what does not fit into memory goes to the folder `temporary`. Raises `Refused`."""
    try:
        import duckdb
    except ImportError:
        raise not_installed(f"`{path}`", EXTRA) from None
    with path.open("rb") as file:
        if file.read(12)[8:] != b"DUCK":  # of other files, `connect` makes databases in memory
            raise Refused(f"`{path}` is no DuckDB database", "look at the path")
    try:
        return duckdb.connect(str(path), read_only=True, config={**_CONFIG, "temp_directory": str(temporary)})
    except duckdb.Error as error:
        raise refused(path, error) from None


def refused(path: Path, error: BaseException, *, query: str = "") -> Refused:
    """What an error of DuckDB means; where the `query` of a rule file is to blame, with the place in it."""
    text = str(error)
    reason = meant(text, _REASONS)
    if reason is None:
        return Refused(f"`{path}` refuses what is asked{place_of_word(query, text)}", "try it with `duckdb`")
    return Refused(f"`{path}` {reason.says}{place_of_word(query, text)}", reason.hint)
