"""Tests that can run together as the customers of one plan, and the rules that read them instead of the files."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from segkit.columns.features.permission import suppression_lists
from segkit.io.read import Workspace
from segkit.io.read.values.numbers import MONEY
from segkit.io.read.values.texts import WHITE
from segkit.operations.testing.given import Given, kind_of_cell
from segkit.operations.testing.known import DTYPES, Known, Place
from segkit.rules.model.file import Output, RuleFile
from segkit.rules.model.permissions import Permission
from segkit.rules.model.sources import Customers, Events
from segkit.rules.tables import CUSTOMERS

KEPT = ("key", "null_values", "derive", "where")
KEPT_OF_CUSTOMERS = (*KEPT, "from_", "normalise_keys", "latitude", "longitude", "lists")
KEPT_OF_EVENTS = (*KEPT, "time", "id", "amount", "amount_per", "fill_down", "duplicates")
"""What a source says of its columns and rows; the rest says how its files are written, or what is expected of them."""
NOT_FOR_ONE = ("each", "sample", "limit", "holdout", "split", "salt", "expect")
"""What a segment does with many customers, or when they are written."""


class Batch(NamedTuple):
    """Tests of one day that give the same computed columns: each is a customer of the same plan.

    `keys` are those of the customers, `given` the computed columns that they bring. Those in `unknown` are found over
    all customers, and the tests do not give them.
    """

    as_of: dt.date
    tests: Sequence[Given]
    keys: Sequence[str]
    given: frozenset[str]
    unknown: frozenset[str]


def batches_of(tests: Iterable[Given], known: Known) -> Iterator[Batch]:
    """The tests in as few batches as can be: none has customers on different lists, or of which one changes another.

    A test whose rows are filled down is alone: they could be filled from those of the test before.
    """
    groups: dict[Any, list[Given]] = {}
    keys: dict[Any, set[str]] = {}
    for test in tests:
        with_key, lists = test.key is not None, frozenset(test.test.listed)
        kind = (test.as_of, test.computed, test.derived, test.certain, lists, with_key)
        key, turn = plainest(test.key or ""), 0
        while with_key and key in keys.get((kind, turn), ()):
            turn += 1
        keys.setdefault((kind, turn), set()).add(key)
        alone_ = None if known.filled_down.isdisjoint(test.events) else test.number
        groups.setdefault((kind, turn, alone_), []).append(test)
    for group in groups.values():
        yield _batch(group, known)


def plainest(key: str) -> str:
    """The key without all that two spellings of one may differ in, whichever of them count as one."""
    whole = re.sub(r"[.,]0+$", "", unicodedata.normalize("NFKC", key).strip())
    return re.sub(r"[\W_]", "", whole).lstrip("0").casefold()


def alone(batch: Batch, known: Known) -> Iterator[Batch]:
    """Each test of a batch in one of its own."""
    for test in batch.tests:
        yield _batch([test], known)


def _batch(tests: Sequence[Given], known: Known) -> Batch:
    computed = tests[0].computed
    cuts = [cut for cut in known.cuts if computed.isdisjoint(cut.names)]
    return Batch(
        as_of=tests[0].as_of,
        tests=tests,
        keys=[f"test{test.number}" if test.key is None else test.key.strip(WHITE) for test in tests],
        given=computed,
        unknown=frozenset(name for cut in cuts for name in cut.names),
    )


def rules_for(rules: RuleFile, batch: Batch, known: Known, ws: Workspace) -> RuleFile:
    """The rules, which read the customers and events of the tests instead of files; lookups are given by the tests."""
    tables = _Tables(rules, batch, known, ws)
    segments = {
        name: segment.model_copy(update=dict.fromkeys(NOT_FOR_ONE) | {"each": ()})
        for name, segment in rules.segment.items()
    }
    changed = {
        "as_of": batch.as_of,
        "customers": tables.customers(),
        "events": {name: tables.events(name) for name in rules.events},
        "lookup": {},
        "consent": tables.consent(),
        "assignment": rules.assignment.model_copy(update={"control": None}),
        "output": Output.model_construct(),
        "segment": segments,
        "test": (),
    }
    return rules.model_copy(update=changed)


class _Tables:
    """Writes the tables of a batch, and describes them as sources."""

    def __init__(self, rules: RuleFile, batch: Batch, known: Known, ws: Workspace) -> None:
        self._rules, self._batch, self._known, self._ws = rules, batch, known, ws
        self._origin = rules.customers.from_

    def customers(self) -> Customers:
        """The customers; those who are made of events bring what is given with their events."""
        spec = self._rules.customers
        kept = _kept(spec, KEPT_OF_CUSTOMERS, self._derived(CUSTOMERS))
        if self._origin:
            return Customers.model_construct(**kept, columns=tuple(self._names(CUSTOMERS)))
        batch = self._batch
        rows = [{**test.customer, spec.key: key} for test, key in zip(batch.tests, batch.keys, strict=True)]
        return Customers.model_construct(**kept, **self._write(CUSTOMERS, spec.key, self._names(CUSTOMERS), rows))

    def events(self, name: str) -> Events:
        """The events of one table."""
        spec, batch = self._rules.events[name], self._batch
        key = self._key(name)
        names, rows = self._names(name), []
        for test, of_test in zip(batch.tests, batch.keys, strict=True):
            brought = test.customer if name == self._origin else {}
            rows += [{**brought, **row, key: of_test} for row in test.events.get(name, ())]
        if name == self._origin:
            names = [*names, *(other for other in self._names(CUSTOMERS) if other not in names)]
        kept = _kept(spec, KEPT_OF_EVENTS, self._derived(name))
        return Events.model_construct(**kept, **self._write(name, key, names, rows))

    def consent(self) -> Any:
        """The rules of consent, whose lists have the customers who are on them."""
        consent = self._rules.consent
        if consent is None:
            return None
        lists = {place: self._list(*place) for place in suppression_lists(self._rules)}

        def named(permission: Permission) -> dict[str, Any]:
            column = permission.suppress_on or self._rules.customers.key
            return {"suppress": tuple(lists[file, column] for file in permission.suppress)}

        channels = {name: one.model_copy(update=named(one)) for name, one in consent.channel.items()}
        return consent.model_copy(update=named(consent) | {"channel": channels})

    def _list(self, file: str, column: str) -> str:
        """The path of a list of those tests that are on `file`: all of a batch, or none."""
        values = []
        for test, key in zip(self._batch.tests, self._batch.keys, strict=True):
            if file in test.test.listed:
                values.append(key if column == self._rules.customers.key else str(test.customer[column]))
        return self._saved(pl.DataFrame({column: pl.Series(values, dtype=pl.String)}))

    def _derived(self, table: str) -> dict[str, str]:
        """What is still derived in a table, beside what the tests give, and the key."""
        batch, own = self._batch, self._rules.customers if table == CUSTOMERS else self._rules.events[table]
        given = batch.given if table == CUSTOMERS else {c for t, c in batch.tests[0].derived if t == table}
        return {name: text for name, text in own.derive.items() if name not in {*given, self._key(table)}}

    def _names(self, table: str) -> list[str]:
        """The columns of a table but its key: all that rules name, and what the tests bring."""
        brought = self._batch.given if table == CUSTOMERS else frozenset()
        of_table = (self._known.columns[table] | brought) - self._derived(table).keys()
        return sorted(of_table - {self._key(table)})

    def _key(self, table: str) -> str:
        own = None if table == CUSTOMERS else self._rules.events[table].key
        return own or self._rules.customers.key

    def _write(self, table: str, key: str, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        columns = {key: pl.Series([row[key] for row in rows], dtype=pl.String)}
        for name in names:
            place = (table, name) if name in self._known.columns[table] else (CUSTOMERS, name)
            columns[name] = self._series(place, [row.get(name) for row in rows])
        texts = [name for name, series in columns.items() if series.dtype == pl.String]
        return {"path": self._saved(pl.DataFrame(columns)), "types": dict.fromkeys(texts, "text")}

    def _series(self, place: Place, values: Sequence[Any]) -> pl.Series:
        return series_of(values, self._known.dtype(place), exact=place in self._known.money)

    def _saved(self, frame: pl.DataFrame) -> str:
        path = self._ws.new_file(".parquet")
        frame.write_parquet(path)
        return str(path)


def series_of(values: Sequence[Any], empty: pl.DataType, *, exact: bool) -> pl.Series:
    """The values of a column, of one kind, as segkit reads them in a file; of type `empty` where there are none."""
    there = [value for value in values if value is not None]
    if not there:
        return pl.Series(values, dtype=empty)
    kind = kind_of_cell(there[0])
    if kind == "date":
        timed = any(isinstance(value, dt.datetime) for value in there)
        days = [_midnight(value) if timed and value is not None else value for value in values]
        return pl.Series(days, dtype=pl.Datetime("us") if timed else pl.Date())
    if kind == "number":
        whole = all(isinstance(value, int) for value in there)
        if exact:
            return pl.Series([value if value is None else str(value) for value in values], dtype=pl.String).cast(MONEY)
        numbers = [value if value is None or whole else float(value) for value in values]
        return pl.Series(numbers, dtype=pl.Int64() if whole else pl.Float64())
    cells = [list(value) if isinstance(value, tuple) else value for value in values]
    return pl.Series(cells, dtype=DTYPES[kind])


def _midnight(value: Any) -> dt.datetime:
    return value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())


def _kept(spec: Customers | Events, names: Sequence[str], derive: Mapping[str, str]) -> dict[str, Any]:
    """The keys of a source that say something of tests, too."""
    return {name: getattr(spec, name) for name in names} | {"derive": dict(derive)}
