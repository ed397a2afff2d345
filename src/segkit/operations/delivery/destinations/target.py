"""What goes to a table of a database: which columns, which rows, and which rows there they take the place of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import polars as pl

from segkit.addresses import Database, database_of
from segkit.columns import helpers
from segkit.columns.plan.plan import Plan
from segkit.errors import WriteError
from segkit.gates.draws import VARIANT
from segkit.io.write.tables.kinds import Kind, kind_of
from segkit.io.write.tables.postgresql import PostgresDatabase
from segkit.io.write.tables.sqlite import SqliteFile
from segkit.io.write.tables.stores import Column, Store, require_fit
from segkit.operations.delivery.changes import Changes, change_rows, list_name
from segkit.operations.lists.lists import List, has_variants, layout
from segkit.operations.lists.protection import protection
from segkit.results.apply import TableTarget
from segkit.rules.check.table import LONGEST, check_table, holds_out
from segkit.rules.model.file import RuleFile
from segkit.rules.model.table_name import AS_OF, CHANGE, LIST, TableName, table_name
from segkit.rules.tables import CUSTOMERS
from segkit.rules.text.loader import Loaded


class Target:
    """The table of a rule file, and the one of those who are held out."""

    def __init__(self, loaded: Loaded, database: Database, table: TableName) -> None:
        self.loaded, self.table = loaded, table
        path = loaded.source.directory / database.place if database.kind == "sqlite" else None
        self.store: Store = SqliteFile(path, loaded.rules.output.mode) if path else PostgresDatabase(database.place)
        self._file = path
        self._there: Mapping[TableName, Mapping[str, Column] | None] = {}

    @property
    def holds_out(self) -> bool:
        """Whether the rules hold somebody out."""
        return holds_out(self.loaded.rules)

    @property
    def told(self) -> TableTarget:
        """Where the lists go, for people."""
        load = self.loaded.rules.output.load
        held = str(self.table.of_held_out) if self.holds_out else None
        return TableTarget(address=self.store.address, table=str(self.table), holdout=held, load=load)

    def look(self, directory: Path) -> None:
        """`WriteError` where the database, or a table in it, cannot be written to; it may not be in `directory`."""
        if self._file is not None and self._file.resolve().is_relative_to(directory.resolve()):
            hint = "put it elsewhere, or name another `directory`"
            raise WriteError.of(f"`{self.store.address}` is in `{directory}`, which each run replaces", hint=hint)
        tables = [self.table, self.table.of_held_out] if self.holds_out else [self.table]
        self._there = self.store.look(tables)

    def require_fit(self, plan: Plan) -> None:
        """`WriteError` where a table that is there has other columns than the lists."""
        for table, there in self._there.items():
            kinds = kinds_of(plan, held_out=table != self.table)
            if self._file is None:
                _require_short(kinds)
            require_fit(self.store, table, there, kinds)


def _require_short(names: Iterable[str]) -> None:
    """`WriteError` for a column whose name PostgreSQL would cut."""
    for name in (name for name in names if len(name.encode()) > LONGEST):
        hint = "give it a shorter one with `rename`, or choose `columns`"
        message = f"column `{name}`: PostgreSQL has names of {LONGEST} bytes at most"
        raise WriteError.of(message, hint=hint)


def target_of(loaded: Loaded) -> Target | None:
    """The table in which the lists go; None where they go to files, or where the rules are wrong about it."""
    output = loaded.rules.output
    database, table = database_of(output.to or ""), table_name(output.table or "")
    if database is None or table is None or any(check_table(loaded.rules)):
        return None
    return Target(loaded, database, table)


def kinds_of(plan: Plan, *, held_out: bool = False) -> dict[str, Kind]:
    """The columns of the table in their order; that of those held out has no changes."""
    rules = plan.rules
    kinds = dict.fromkeys(_head(rules, held_out=held_out), Kind.TEXT)
    if AS_OF in kinds:
        kinds[AS_OF] = Kind.DATE
    raw = plan.views[CUSTOMERS].schema
    for name in layout(plan)[0]:
        as_text = protection(rules.output, name) or helpers.as_it_came(name) in raw
        kinds[name] = Kind.TEXT if as_text else kind_of(plan.schema[name])
    return kinds


def rows_of(changes: Changes, lists: Sequence[List], columns: Sequence[str], as_of: dt.date) -> pl.LazyFrame:
    """The rows of these lists in the columns of the table; where it has changes, those who entered and who left."""
    nobody = changes.rows.of_all([]).with_columns(pl.lit(None, pl.String).alias(LIST))
    if AS_OF not in columns:
        frames = [changes.rows.of(one, in_common=True).with_columns(_text(LIST, list_name(one))) for one in lists]
        return pl.concat([nobody, *frames], how="diagonal").select(columns)
    frames = [
        rows.with_columns(_text(LIST, name), pl.lit(as_of).alias(AS_OF), _text(CHANGE, what))
        for name, what, rows in change_rows(changes)
    ]
    nobody = nobody.with_columns(pl.lit(None, pl.Date).alias(AS_OF), pl.lit(None, pl.String).alias(CHANGE))
    return pl.concat([nobody, *frames], how="diagonal").select(columns)


def _text(name: str, value: str) -> pl.Expr:
    return pl.lit(value).alias(name)


def _head(rules: RuleFile, *, held_out: bool) -> list[str]:
    """The columns before those of the customers; who is held out has no changes."""
    changes = [] if held_out else [AS_OF, CHANGE]
    of_table = [name for name in rules.output.table_columns if name == LIST or name in changes]
    return [rules.customers.key, rules.output.label_column, *of_table, *([VARIANT] if has_variants(rules) else [])]
