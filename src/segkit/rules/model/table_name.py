"""A table in a database, as a rule file names it: `segments`, `marketing.segments`, `"My Lists"`."""

from __future__ import annotations

import re
from typing import NamedTuple

_PART = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')
_PLAIN = re.compile(r"[^\W\d]\w*")
HELD_OUT_SUFFIX = "_holdout"
LIST, AS_OF, CHANGE = "list", "as_of", "change"
"""The columns of a table that files do not have; the last two where changes are appended."""


class TableName(NamedTuple):
    """A table, and the schema that it is in; without one, the database looks for it where it always does."""

    schema: str | None
    name: str

    def __str__(self) -> str:
        return ".".join(part if _PLAIN.fullmatch(part) else quoted(part) for part in self.parts)

    @property
    def parts(self) -> tuple[str, ...]:
        """Schema and name, or the name alone."""
        return (self.schema, self.name) if self.schema else (self.name,)

    @property
    def sql(self) -> str:
        """The name in SQL: exactly as it is written, capitals and spaces too."""
        return ".".join(map(quoted, self.parts))

    @property
    def of_held_out(self) -> TableName:
        """The table beside it that has those who are held out."""
        return self._replace(name=self.name + HELD_OUT_SUFFIX)


def quoted(name: str) -> str:
    """A name in SQL that stands for itself, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def table_name(text: str) -> TableName | None:
    """The table that a text names, perhaps in a schema; None where it names none."""
    parts = parts_of(text)
    schema, name = (None, *parts) if len(parts) == 1 else parts if len(parts) == 2 else (None, None)
    return TableName(schema, name) if name else None


def parts_of(text: str) -> tuple[str, ...]:
    """The names in a text such as `sales.orders`, the table last; none where it is no such text.

    A part in double quotes may hold points, and a quotation mark that is doubled.
    """
    parts, at = [], 0
    while found := _PART.match(text, at):
        parts.append(found[1].replace('""', '"') if found[1] else found[2])
        at = found.end()
        if at == len(text):
            return () if any("\0" in part for part in parts) else tuple(parts)
        if text[at] != ".":
            return ()
        at += 1
    return ()
