"""PostgreSQL by ADBC, which hands rows on in batches of Arrow."""

from __future__ import annotations

import os
from typing import Any

import polars as pl

from segkit.addresses import without_secrets
from segkit.io.databases.refused import Reason, Refused, meant, not_installed, place_in

EXTRA = "database"
CONNECT_WITHIN = 30
"""Seconds for a server to answer in."""
_PASSWORD = "give it as it is in `PGPASSWORD` or `~/.pgpass`; in an address, marks are written as in `%40` for `@`"
_ADDRESS = "look at host, port and database in the address"
_LATER = "see whether it runs, and run this again"

_CONNECTING = (
    Reason("password authentication failed", "does not take the user and the password", _PASSWORD),
    Reason("no password supplied", "asks for a password", _PASSWORD),
    Reason('role ".*" does not exist', "does not know the user", "look at the user in the address, or in `PGUSER`"),
    Reason('database ".*" does not exist', "is not there: its server has no such database", _ADDRESS),
    Reason(
        "could not translate host name",
        "is not there: no server of that name is known here",
        f"{_ADDRESS}; marks in a password are written as in `%40` for `@`",
    ),
    Reason("connection refused|no such file", "does not answer: no server runs there", _ADDRESS),
    Reason("timeout expired|timed out", f"does not answer within {CONNECT_WITHIN} seconds", _ADDRESS),
    Reason("no pg_hba.conf entry", "lets this user not in from here", "ask whoever runs the server"),
    Reason("ssl|certificate", "cannot be trusted, or does not encrypt", "look at `sslmode` in the address"),
    Reason("too many|connection slots", "has no connection left", "run this again later"),
    Reason("starting up|shutting down|recovery", "is starting or stopping", _LATER),
    Reason(
        "invalid|missing|end of string|unexpected|forbidden value|could not parse",
        "is no address that PostgreSQL understands",
        "marks in a user or password are written as in `%40` for `@`; options are those of libpq",
    ),
)
"""What libpq says when it cannot connect, which has no code."""

_TIMEOUT = "give it longer with `timeout`, or ask for less"
_AGAIN = "see whether the server runs, and run this again"
_STATES = (
    Reason("0A000", "cannot do that in a query that is only read", "ask for rows alone, with `select`"),
    Reason("42P01", "has no such table", "look at its name and its schema, as in `sales.orders`"),
    Reason("3F000", "has no such schema", "look at its name"),
    Reason("42703", "has no such column", "look at its name"),
    Reason("42883", "has no such function", "look at its name, and at the types of what it gets"),
    Reason("42501", "does not let this user do that", "ask whoever runs the server"),
    Reason("25006", "is only read: what is asked would write", "ask for rows alone, with `select`"),
    Reason("57014", "was stopped: it took too long", _TIMEOUT),
    Reason("57P0|^08", "was cut off", _AGAIN),
    Reason("55P03|40P01", "is held by someone else", "run this again later"),
    Reason("^53|^54", "has not enough memory, disk or connections for that", "ask whoever runs the server"),
    Reason("^22", "cannot compute a value", "look at the casts and the arithmetic"),
    Reason("^23", "does not take a row, because of a rule of its table", "look at its constraints"),
    Reason("^42", "does not understand the SQL", "look at the SQL there"),
)
"""Codes of PostgreSQL (SQLSTATE)."""

_STREAMING = (
    Reason("read-only transaction", "is only read: what is asked would write", "ask for rows alone, with `select`"),
    Reason("invalid input|out of range|by zero|overflow", "cannot compute a value", "look at casts and arithmetic"),
    Reason("permission denied", "does not let this user do that", "ask whoever runs the server"),
    Reason("statement timeout|canceling statement", "was stopped: it took too long", _TIMEOUT),
    Reason("terminating|closed the connection|connection|no more data|eof", "was cut off", _AGAIN),
)
"""What is said while rows come, which Polars hands on without its code."""


def shown(address: str) -> str:
    """The address as messages have it."""
    return without_secrets(address)


def connect(address: str) -> Any:
    """A connection of ADBC's DBAPI, which begins a transaction by itself; whoever asks for it closes it.

    Raises `Refused`.
    """
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError:
        raise not_installed(f"`{shown(address)}`", EXTRA) from None
    try:
        connection = dbapi.connect(_with_defaults(address))
    except dbapi.Error as error:
        raise _not_connected(address, str(error)) from None
    try:
        _require_utf8(connection, address)
    except BaseException:
        connection.close()
        raise
    return connection


def _require_utf8(connection: Any, address: str) -> None:
    """`Refused` where texts do not come as UTF-8, for which ADBC takes them; the next statement begins anew."""
    encoding = run(connection, address, "select current_setting('client_encoding') as encoding").item()
    connection.rollback()  # a transaction that has seen rows takes no other isolation level
    if encoding != "UTF8":
        hint = "see what stands between us and the server, such as a pool of connections"
        raise Refused(f"`{shown(address)}` sends texts as {encoding}, and not as UTF-8", hint)


def run(connection: Any, address: str, sql: str, *, query: str = "") -> pl.DataFrame:
    """What a statement gives, as a whole; of a `query` of a rule file in it, errors tell the line and column."""
    with connection.cursor() as cursor:
        execute(cursor, address, sql, query=query)
        try:
            return pl.DataFrame(cursor.fetch_arrow())
        except pl.exceptions.PolarsError as error:
            raise stream_refused(address, error) from None


def execute(cursor: Any, address: str, sql: str, *, query: str = "") -> None:
    """Run a statement whose rows the caller fetches; raises `Refused`."""
    import adbc_driver_manager

    try:
        cursor.execute(sql)
    except adbc_driver_manager.Error as error:
        raise refused(address, error, sql, query=query) from None


def refused(address: str, error: Any, sql: str = "", *, query: str = "") -> Refused:
    """What an error of the driver means, by its code; `sql` is what was sent, `query` its part that a user wrote."""
    state = error.sqlstate or ""
    reason = meant(state, _STATES) or (None if state else meant(str(error), (*_STREAMING, *_CONNECTING)))
    if reason is None:
        code = f" (SQLSTATE {state})" if state else ""
        return Refused(f"`{shown(address)}` refuses what is asked{code}", "see what `psql` says of the same rows")
    return Refused(f"`{shown(address)}` {reason.says}{_place(error, sql, query)}", reason.hint)


def stream_refused(address: str, error: BaseException) -> Refused:
    """What an error means that Polars raises while rows come."""
    reason = meant(str(error), _STREAMING)
    if reason is None:
        return Refused(f"`{shown(address)}` stopped while its rows were read", "see what `psql` says of the same rows")
    return Refused(f"`{shown(address)}` {reason.says} while its rows were read", reason.hint)


def _place(error: Any, sql: str, query: str) -> str:
    position = dict(error.details or ()).get("PG_DIAG_STATEMENT_POSITION") or dict(error.details or ()).get(
        b"PG_DIAG_STATEMENT_POSITION"
    )
    if not query or position is None:
        return ""
    return place_in(query, int(position) - 1 - sql.find(query))


def _not_connected(address: str, text: str) -> Refused:
    reason = meant(text, _CONNECTING)
    if reason is None:
        return Refused(f"`{shown(address)}` does not let us in", _ADDRESS)
    return Refused(f"`{shown(address)}` {reason.says}", reason.hint)


def _with_defaults(address: str) -> str:
    """The address with a limit to how long a server may be silent, unless it or the environment says so.

    Texts come as UTF-8, whatever the address, the environment or the user's settings say.
    """
    defaults = {
        "connect_timeout": str(CONNECT_WITHIN),
        "application_name": "segkit",
        "keepalives_idle": "60",
        "keepalives_interval": "10",
        "keepalives_count": "6",
    }
    known = {name for name in defaults if f"{name}=" in address}
    known |= {"connect_timeout"} if "PGCONNECT_TIMEOUT" in os.environ else set()
    more = {name: value for name, value in defaults.items() if name not in known}
    more["client_encoding"] = "UTF8"  # of two, the last one counts
    return f"{address}{'&' if '?' in address else '?'}{'&'.join(f'{name}={value}' for name, value in more.items())}"
