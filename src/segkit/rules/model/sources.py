"""Where data comes from: the customer file, event tables and lookups."""

from __future__ import annotations

import datetime as dt
import re
from contextlib import suppress
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema, model_validator

from segkit.addresses import database_of
from segkit.rules.model.base import Contradiction, Lacking, Model, Paths, TextList, Unfit, as_list
from segkit.rules.model.conditions import Conditions
from segkit.rules.model.expect import ExpectEvents
from segkit.rules.model.table_name import parts_of

Spelling = Literal["zeros", "case", "decimals", "unicode"]
"""What keys may differ in and be the same all the same."""
TypeName = Literal["text", "number", "boolean", "date"]


def _formats(value: Any) -> Any:
    return {k: tuple(as_list(v)) for k, v in value.items()} if isinstance(value, dict) else {"": tuple(as_list(value))}


_FORMAT_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
DateFormats = Annotated[
    dict[str, tuple[str, ...]],
    BeforeValidator(_formats),
    WithJsonSchema({"anyOf": [*_FORMAT_SCHEMA["anyOf"], {"type": "object", "additionalProperties": _FORMAT_SCHEMA}]}),
]
"""Column (empty: all others) -> formats."""


_TIME = re.compile(r"^\s*([1-9]\d{0,5})\s+(second|minute|hour)s?\s*$")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}


def _seconds(value: Any) -> Any:
    match = _TIME.match(value) if isinstance(value, str) else None
    if match is None:
        raise Unfit(value, 'a time such as "30 seconds", "10 minutes" or "1 hour"')
    return int(match[1]) * _SECONDS[match[2]]


Seconds = Annotated[
    int,
    PlainValidator(_seconds),
    WithJsonSchema({"type": "string", "pattern": r"^\s*[1-9]\d{0,5}\s+(second|minute|hour)s?\s*$|\$\{"}),
]


def _moment(value: Any) -> Any:
    """A day, or a day and time, of TOML or as text."""
    if isinstance(value, str):
        with suppress(ValueError):
            return dt.date.fromisoformat(value) if len(value) == len("2024-06-30") else dt.datetime.fromisoformat(value)
    if not isinstance(value, dt.date):
        raise Unfit(value, "a day such as 2024-06-30, or a time such as 2024-06-30T18:00:00Z")
    return value


Moment = Annotated[dt.date | dt.datetime, PlainValidator(_moment), WithJsonSchema({"type": "string"})]


class Source(Model):
    """A file or files of one table, or one of a database. What is not given is detected, and `-v` shows what was."""

    may_be_addresses = ("path",)
    path: Paths = ""
    """File or glob (`orders/*.csv`), relative to the rule file, an address such as `https://host/orders.csv` or
    `s3://bucket/orders/*.parquet`, or a list of these, read as one table; `-` is standard input; always given, but with
    `from` or `like`. CSV, TSV, NDJSON (also gzip or zstd), Parquet, Arrow IPC or Excel. Or a folder: a Delta table, or
    files below folders such as `region=0042`. Or a database, with `table` or `query`: `postgresql://host/db`,
    `sqlite:shop.db`, `duckdb:shop.duckdb`."""
    sheet: str | Annotated[int, Field(ge=1)] | None = None
    """The sheet of a workbook, by its name or its number from 1; default: the only one that is visible."""
    table: str | None = Field(None, min_length=1)
    """Of a database: the table or view to read, such as `orders` or `sales.orders`, as it is spelt there."""
    query: str | None = Field(None, min_length=1)
    """Of a database, instead of `table`: the `select` whose rows are read; it cannot write."""
    timeout: Seconds | None = None
    """Of a database: how long reading may take, in seconds, minutes or hours; default: `10 minutes`."""
    version: int | None = Field(None, ge=0)
    """Of a Delta table: the version to read; default: the newest."""
    at: Moment | None = None
    """Of a Delta table, instead of `version`: the version that was the newest at a time, `2024-06-30T18:00:00Z` (in
    `timezone` without an offset), or at the end of a day."""
    delimiter: str | None = None
    """What separates the fields; `" "` stands for runs of spaces."""
    quote: str | None = None
    """The quoting character; `""` for none."""
    encoding: TextList | None = None
    """Of text files, such as `utf-8` or `cp1252`; of a list, each line is read in the first that it fits."""
    skip_lines: int | None = Field(None, ge=0)
    """How many lines stand above the header."""
    skip_footer: int | None = Field(None, ge=0)
    """How many lines below the rows are none, such as totals."""
    comment: str | None = Field(None, min_length=1)
    """Lines that begin with this are left out."""
    header: tuple[str, ...] | None = Field(None, min_length=1)
    """The names of the columns, for text whose first line is a row."""
    ragged: Literal["error", "pad", "cut"] = "error"
    """What lines of another length than the header are: an error, filled up (`pad`), or also shortened (`cut`)."""
    escape: str | None = None
    """What stands before a delimiter or quotation mark that is text, such as `"\\\\"`."""
    decimal: Literal[".", ","] | None = None
    """The decimal mark in numbers."""
    thousands: str | None = None
    """What groups the digits of large numbers; `""` for nothing."""
    date_format: DateFormats | None = None
    """How dates are written, such as `%d/%m/%Y`: one format, a list that is tried in order, or a table by column; also
    `epoch`, `epoch_ms` (since 1970) and `excel` (days), by column or for `time`."""
    percent: Literal["keep", "divide"] | None = None
    """What `12 %` is as a number: 12 (`keep`) or 0.12 (`divide`); without it, text."""
    null_values: TextList | None = None
    """Texts that stand for a missing value, beside `NULL`, `\\N` and `#N/A`; with `[]`, only the empty text does."""
    true_values: TextList = ()
    """Words for true in columns that are read as true or false, beside `true`, `yes`, `oui`, `ja`, `1` and the like."""
    false_values: TextList = ()
    """Words for false."""
    types: dict[str, TypeName] = {}
    """The type of a column, where the detected one is not what you mean."""
    rename: dict[str, str] = {}
    """New name = the name in the file."""
    derive: dict[str, str] = {}
    """New columns computed row by row, in SQL, which sees the time of day of timestamps here."""
    where: Conditions = {}
    """Only rows that satisfy these conditions are kept."""
    bad_values: Literal["error", "missing"] = "error"
    """What a date or number that cannot be read is: an error, or missing (and counted)."""

    @model_validator(mode="after")
    def _one_meaning(self) -> Source:
        twice = {word.lower() for word in self.true_values} & {word.lower() for word in self.false_values}
        if twice:
            word = min(twice)
            raise Contradiction(f"`{word}` is true and false", "leave it out of one of them", key="false_values")
        return self

    @model_validator(mode="after")
    def _one_version(self) -> Source:
        if self.version is not None and self.at is not None:
            raise Contradiction("`version` and `at` are two ways to choose the past", "take out one", key="at")
        return self

    @model_validator(mode="after")
    def _one_table(self) -> Source:
        if not isinstance(self.path, str):
            if any(map(database_of, self.path)):
                raise Contradiction("a list of files cannot hold a database", "give it a table of its own", key="path")
            return self
        database = database_of(self.path)
        if database is None:
            return self
        if database.kind != "postgresql" and (database.place.startswith("//") or not database.place):
            raise Contradiction(f"a file follows `{database.kind}:`", f"as in `{database.kind}:shop.db`", key="path")
        if database.kind != "postgresql" and re.search(r"[*?]", database.place):
            raise Contradiction("a glob cannot name a database", "name one file", key="path")
        if self.table is None and self.query is None:
            raise Contradiction("a database needs `table` or `query`", 'such as `table = "orders"`', key="path")
        if self.table is not None and not parts_of(self.table):
            hint = "as in `orders` or `sales.orders`; a name with a point stands in quotes: `'\"a.b\"'`"
            raise Contradiction(f"`{self.table}` is not the name of a table", hint, key="table")
        if self.table is not None and self.query is not None:
            raise Contradiction("`table` and `query` are two ways to say what is read", "take out one", key="query")
        return self


_ALL_COLUMNS = "a customer file brings all its columns; `[output] columns` says which go out"


class Customers(Source):
    """The customer file: one row a customer."""

    key: str
    """The column that identifies a customer; always text."""
    from_: str | None = Field(None, alias="from")
    """Where there is no customer file: an event table whose keys, in the rows that its `where` keeps, are the
    customers."""
    columns: tuple[str, ...] = ()
    """With `from`: columns of the event table whose latest known value each customer takes."""
    normalise_keys: tuple[Spelling, ...] | None = None
    """What keys of customers, events and suppression lists may differ in: `zeros` (leading ones of numbers), `case`,
    `decimals` (`.0`, and marks between groups of digits), `unicode` (composed and decomposed letters). The key goes out
    as the customers write it. `[]`: keys are right as they are written, whatever they look like."""
    duplicates: Literal["error", "first", "last"] = "error"
    """What a key that comes twice is: an error, or the first or last row counts."""
    latitude: str | None = None
    """The column with the latitude, in degrees, for `geographic.near` and `inside`; it may be looked up."""
    longitude: str | None = None
    """The column with the longitude, in degrees."""
    lists: dict[str, str] = {}
    """Text columns that hold several values = what separates them, or `json` or `postgres` for arrays written so."""

    @model_validator(mode="after")
    def _one_origin(self) -> Customers:
        if bool(self.path) == bool(self.from_):
            if self.path:
                raise Contradiction(
                    "`path` and `from` are two origins of the customers", "give one of them", key="from"
                )
            raise Lacking("path")
        if self.columns and not self.from_:
            raise Contradiction("`columns` goes with `from`", _ALL_COLUMNS, key="columns")
        if (self.latitude is None) != (self.longitude is None):
            raise Contradiction("`latitude` and `longitude` go together", "give both")
        return self


class Events(Source):
    """An event table: orders, visits, sends, tickets; one row an event or a line of one."""

    like: str | None = None
    """Another event table whose keys are the starting point of this one."""
    key: str | None = None
    """The column with the customer's key; default: the one named as `[customers] key`."""
    time: str = ""
    """The column with the date or timestamp of the event; always given, but with `like`."""
    id: str | None = None
    """Rows with one id are one event (order lines); default: each row is an event."""
    amount: str | None = None
    """The column with the money of the row, summed exactly."""
    amount_per: Literal["row", "event"] = "row"
    """`event` when each line repeats the event's total."""
    fill_down: tuple[str, ...] = ()
    """With `id`: columns that only the first line of an event has; its other lines take their value from above."""
    duplicates: Literal["keep", "drop", "error", "last_file"] | None = None
    """What rows are that come twice as a whole; `last_file`: lines of an id count from the last file that has it."""
    expect: ExpectEvents | None = None
    """How new it should be; where it is older, nothing is published. `like` does not take this over."""

    @model_validator(mode="after")
    def _complete(self) -> Events:
        # With `like`, what is missing is told at the other table.
        for key in ("path", "time"):
            if not getattr(self, key) and self.like is None:
                raise Lacking(key)
        for key in ("fill_down", "duplicates"):
            if (self.fill_down if key == "fill_down" else self.duplicates == "last_file") and not self.id:
                raise Contradiction(f"`{key}` needs `id`", "name the column that lines of one event share", key=key)
        return self

    @property
    def repeats_amount(self) -> bool:
        """Whether each line of an event has its total."""
        return self.amount_per == "event" or self.amount in self.fill_down


def _pairs(value: Any) -> Any:
    return {value: value} if isinstance(value, str) else value


class Lookup(Source):
    """Reference data joined to the customers, or to an event table, by one column or several."""

    on: Annotated[
        dict[str, str],
        BeforeValidator(_pairs),
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}]}),
    ]
    """The column to join on, or pairs of (column here) = (column of the lookup)."""
    columns: tuple[str, ...] = ()
    """The columns to add; default: all but the keys."""
    into: str = "customers"
    """The table that gets the columns: `customers`, or the name of an event table."""
    duplicates: Literal["error", "first"] = "error"
    """What a key that comes twice is: an error, or the first row counts."""
    by: str | None = None
    """With `duplicates = "first"`: the row with the largest value of this column counts."""
    explode: dict[str, str] = {}
    """Columns that hold several keys in one field = what separates them."""

    @model_validator(mode="after")
    def _complete(self) -> Lookup:
        if not self.path:
            raise Lacking("path")
        if self.by is not None and self.duplicates != "first":
            raise Contradiction('`by` goes with `duplicates = "first"`', "add it, or take out `by`", key="by")
        return self
