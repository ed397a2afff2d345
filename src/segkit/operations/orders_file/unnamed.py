"""Data that no rule file can name, or should not."""

from __future__ import annotations

from segkit.addresses import database_of, is_address
from segkit.errors import RuleError
from segkit.io.read import Label


def refuse_unnamed(path: str) -> None:
    """`RuleError` for standard input, and for an address with what lets one in, which a rule file would hold."""
    if path == "-":
        raise RuleError.of("a rule file names files, and standard input is none", hint="name the file")
    place = path.rpartition("#")[0] if database_of(path) else path
    if is_address(place) and Label(place).path != place:
        hint = "make it for a copy of the file, and then give its `path` with variables, such as `?token=${TOKEN}`"
        if place != path:
            hint = "leave user and password out: they come from `PGUSER` and `PGPASSWORD`, or `~/.pgpass`"
        raise RuleError.of(f"a rule file would hold what lets one in at `{Label(place)}`", hint=hint)
