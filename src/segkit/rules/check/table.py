"""What `[output]` says about a table of a database in which the lists go."""

from __future__ import annotations

from collections.abc import Iterator

from segkit import codes
from segkit.addresses import database_of, is_address, without_secrets
from segkit.rules.findings import Finding
from segkit.rules.model.file import Output, RuleFile
from segkit.rules.model.table_name import HELD_OUT_SUFFIX, TableName, table_name

LONGEST = 63
"""The most bytes of a name in PostgreSQL, which cuts longer ones without a word."""
_OF_FILES = ("format", "combined", "workbook", "delimiter", "decimal", "bom", "escape_formulas")
_AT = ("output", "to")


def check_table(rules: RuleFile) -> Iterator[Finding]:
    """Everything about `to`, `table` and `load`, and about keys that mean nothing beside them."""
    output = rules.output
    if output.to is None:
        for key in ("table", "load"):
            if key in output.model_fields_set:
                hint = 'name the database: `to = "postgresql://HOST/NAME"`, or `to = "sqlite:FILE"`'
                yield Finding(("output", key), f"`{key}` is of a database, and there is no `to`", hint)
        return
    yield from _address(output, output.to)
    if output.table is None:
        yield Finding(_AT, "`to` names no table", 'say which one takes the lists: `table = "segments"`')
    else:
        yield from _name(rules, output.table)
    yield from _of_files(output)
    yield from _columns(rules)


def _address(output: Output, to: str) -> Iterator[Finding]:
    database = database_of(to)
    if database is None or database.kind == "duckdb":
        hint = '`to = "postgresql://HOST/NAME"`, or `to = "sqlite:FILE"`; a folder is named by `directory`'
        what = f"`{without_secrets(to)}`" if database or is_address(to) else "`to`"  # a password may be anywhere in it
        yield Finding(_AT, f"{what} is no database that segkit writes to", hint)
    elif database.kind == "sqlite":
        if not database.place or database.place.startswith("//"):
            yield Finding(_AT, f"`{to}` names no file", 'write `to = "sqlite:lists.db"`')
        if output.load == "append_changes":
            hint = 'take it out, or name a database of PostgreSQL in `to`; `load = "replace"` goes with both'
            message = "`append_changes` needs PostgreSQL, and `to` is a SQLite file"
            yield Finding(("output", "load"), message, hint, code=codes.CONTRADICTION)


def _is_sqlite(output: Output) -> bool:
    database = database_of(output.to or "")
    return database is not None and database.kind == "sqlite"


def _name(rules: RuleFile, text: str) -> Iterator[Finding]:
    at, name = ("output", "table"), table_name(text)
    if name is None:
        hint = "such as `segments` or `marketing.segments`; a name with a point stands in quotes: `'\"a.b\"'`"
        yield Finding(at, f"`{text}` is not the name of a table", hint)
        return
    if _is_sqlite(rules.output):
        if name.schema:
            message = f"`{name}` has a schema, and a SQLite file has none"
            yield Finding(at, message, f"write `{TableName(None, name.name)}`")
        elif name.name.lower().startswith("sqlite_"):
            yield Finding(at, f"`{name}`: names that begin with `sqlite_` are SQLite's own", "choose another one")
        return
    made = [name, name.of_held_out] if holds_out(rules) else [name]
    for long in [table for table in made if max(len(part.encode()) for part in table.parts) > LONGEST][:1]:
        hint = f"choose a shorter one; where some are held out, there is one with `{HELD_OUT_SUFFIX}` behind it, too"
        yield Finding(at, f"`{long}`: PostgreSQL has names of {LONGEST} bytes at most", hint)


def holds_out(rules: RuleFile) -> bool:
    """Whether a segment, or the control group, holds somebody out."""
    return rules.assignment.control is not None or any(s.holdout is not None for s in rules.segment.values())


def _of_files(output: Output) -> Iterator[Finding]:
    """Keys that are about files, beside `to`."""
    for key in _OF_FILES:
        if key in output.model_fields_set:
            message = f"`{key}` is about files, and with `to` the lists go to a table"
            yield Finding(("output", key), message, "take one of the two out", code=codes.CONTRADICTION)
    if output.keep is not None:
        message = "`keep` keeps the lists of old runs, and with `to` these are in a table"
        yield Finding(("output", "keep"), message, "take one of the two out", code=codes.CONTRADICTION)
    if output.changes:
        message = "`changes` is about files, and with `to` the lists go to a table"
        hint = 'take it out, or write `load = "append_changes"` in its place'
        yield Finding(("output", "changes"), message, hint, code=codes.CONTRADICTION)
    if "{as_of}" in output.directory:
        message = "`to` looks for the last run in the directory, and each `as_of` has its own"
        yield Finding(("output", "directory"), message, "take `{as_of}` out of it", code=codes.CONTRADICTION)


def _columns(rules: RuleFile) -> Iterator[Finding]:
    """Columns of the table that would have one name."""
    to_sqlite = _is_sqlite(rules.output)
    taken = {*rules.output.table_columns, *(["variant"] if any(s.split for s in rules.segment.values()) else [])}
    named = {("customers", "key"): rules.customers.key, ("output", "label_column"): rules.output.label_column}
    for path, name in named.items():
        if name in taken or (to_sqlite and name.lower() in taken):
            message = f"`{name}` is a column of the table that segkit fills"
            hint = "`rename` gives the key another name" if path[0] == "customers" else "choose another `label_column`"
            yield Finding(path, message, hint, code=codes.NAME_TAKEN)
