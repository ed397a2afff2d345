"""What is read where a command is given data and no rule file: files, or a table of a database behind `#`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import ValidationError

from segkit.addresses import database_of
from segkit.errors import RuleError
from segkit.io.read import Label
from segkit.rules.model.sources import Source


def source_keys(data: Sequence[str], sheet: str | None = None) -> dict[str, str | list[str]]:
    """The keys of a source for these files, or for a database and a table, such as `sqlite:shop.db#orders`.

    `RuleError` for a database without a table, or beside other data.
    """
    if not any(map(database_of, data)):
        return {"path": list(data) if len(data) > 1 else data[0], **({} if sheet is None else {"sheet": sheet})}
    if len(data) > 1:
        hint = "write a rule file: a `query` puts tables together"
        raise RuleError.of("a table of a database is read alone, without other data", hint=hint)
    path, mark, table = data[0].rpartition("#")
    if mark and _may_be_password(path, table):
        hint = "marks in an address are written as in `%23` for `#`; a password comes from `PGPASSWORD` or `~/.pgpass`"
        raise RuleError.of("what stands behind `#` may be a part of a password, and no table", hint=hint)
    if not (mark and table):
        name = str(Label(data[0].removesuffix("#")))
        hint = "name one behind `#` at the end, such as `#orders` or `#sales.orders`"
        raise RuleError.of(f"`{name}` is a database, of which a table is read", hint=hint)
    return {"path": path, "table": table, **({} if sheet is None else {"sheet": sheet})}


def _may_be_password(path: str, table: str) -> bool:
    """Whether a `#` within a login, or behind a password, has been taken for the one before a table."""
    bare = re.sub(r'"[^"]*"', "", table)
    return any(mark in bare for mark in "@/?&=") or "password=" in path.partition("?")[2].lower()


def source_of(data: Sequence[str], sheet: str | None = None) -> Source:
    """The source with these keys; `RuleError` where the table of a database is no name."""
    try:
        return Source.model_validate(source_keys(data, sheet))
    except ValidationError as error:
        raise RuleError.of(f"`{Label(data[0])}`: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from error


def name_of(path: str) -> str:
    """The file of a path, or the table of a database: what a table in a rule file may be called after."""
    if database_of(path):
        return path.rpartition("#")[2].rpartition(".")[2].strip('"')
    return path
