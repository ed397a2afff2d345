"""Where data comes from: the customer file, event tables and lookups."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from segkit.rules.model.base import Contradiction, Lacking, Model, TextList
from segkit.rules.model.conditions import Conditions

TypeName = Literal["text", "number", "boolean", "date"]


class Source(Model):
    """A file or files of one table. What is not given is detected, and `-v` shows what was."""

    path: str = ""
    """File or glob (`orders/*.csv`), relative to the rule file; `-` is standard input; always given, but with
    `from` or `like`. CSV, TSV, NDJSON (also gzip or zstd), Parquet or Arrow IPC."""
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
    date_format: str | None = None
    """How dates are written, such as `%d/%m/%Y`."""
    null_values: TextList | None = None
    """Texts that stand for a missing value, beside the empty text."""
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


_ALL_COLUMNS = "a customer file brings all its columns; `[output] columns` says which go out"


class Customers(Source):
    """The customer file: one row a customer."""

    key: str
    """The column that identifies a customer; always text."""
    from_: str | None = Field(None, alias="from")
    """An event table whose keys are the customers, where there is no customer file."""
    columns: tuple[str, ...] = ()
    """With `from`: columns of the event table whose latest known value each customer takes."""
    duplicates: Literal["error", "first", "last"] = "error"
    """What a key that comes twice is: an error, or the first or last row counts."""
    latitude: str | None = None
    """The column with the latitude, in degrees, for `geographic.near` and `inside`; it may be looked up."""
    longitude: str | None = None
    """The column with the longitude, in degrees."""
    lists: dict[str, str] = {}
    """Text columns that hold several values = what separates them."""

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

    @model_validator(mode="after")
    def _complete(self) -> Events:
        # With `like`, what is missing is told at the other table.
        for key in ("path", "time"):
            if not getattr(self, key) and self.like is None:
                raise Lacking(key)
        return self


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
