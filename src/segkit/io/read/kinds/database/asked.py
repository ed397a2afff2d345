"""What of a database is read, and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from segkit.io.databases.names import qualified
from segkit.io.databases.refused import Refused
from segkit.rules.model.sources import Customers, Events, Lookup, Source
from segkit.rules.text.row_order import is_ordered, without_end
from segkit.words import nearest

WITHIN = 600
"""Seconds that reading may take where nothing else is said."""


class Asked(NamedTuple):
    """A table of a database, or a query."""

    table: str | None
    query: str
    """Without a semicolon at its end and what stands behind it; empty where there is a table."""
    key: tuple[str, ...]
    """The columns by which rows are ordered first."""
    seconds: int

    @classmethod
    def by(cls, spec: Source) -> Asked:
        """What a section of the rule file asks for."""
        return cls(
            table=spec.table,
            query=without_end(spec.query or ""),
            key=tuple(spec.rename.get(name, name) for name in _key(spec)),
            seconds=spec.timeout or WITHIN,
        )

    @property
    def within(self) -> str:
        """What messages call it, behind the database."""
        return f"table {self.table}" if self.table else "query"

    @property
    def is_ordered(self) -> bool:
        """Whether the outermost level of the query says in which order its rows come."""
        return is_ordered(self.query)

    @property
    def rows(self) -> str:
        """The rows, as they stand behind `from`; the lines around a query end a comment that it may end with."""
        return f"(\n{self.query}\n)" if self.query else qualified(self.table or "")

    def order(self, names: Sequence[str]) -> list[str]:
        """The columns by which the rows are ordered: those of the key, then all others."""
        first = [name for name in self.key if name in names]
        return [*first, *(name for name in names if name not in first)]


class Brought(NamedTuple):
    """What there is to know of rows that were written into a file."""

    numbers: frozenset[str] = frozenset()
    """The columns that have exact numbers as text."""
    hides_rows: bool = False
    """The database may keep rows from this user."""


def require_own_names(names: Sequence[str]) -> None:
    """`Refused` where a query gives no column, or two columns one name."""
    if not names:
        raise Refused("what is asked for has no columns", "ask for some in `query`")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise _twice(twice[0])


def require_names_kept(called: Sequence[str], names: Sequence[str]) -> None:
    """`Refused` where a database reads a column of a query by another name, since two have one."""
    for own, name in zip(called, names, strict=True):
        if own != name:
            raise _twice(own)


def _twice(name: str) -> Refused:
    return Refused(f"two columns of `query` are called `{name}`", "give them names of their own with `as`")


def no_table(database: str, table: str, names: Iterable[str]) -> Refused:
    """The error for a table that is not there, with those that are."""
    return Refused(f"`{database}` has no table `{table}`", nearest(table, names, "tables"))


def _key(spec: Source) -> tuple[str, ...]:
    if isinstance(spec, Lookup):
        return tuple(spec.on.values())
    if isinstance(spec, (Customers, Events)) and spec.key:
        return (spec.key,)
    return ()
