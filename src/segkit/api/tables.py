"""What a caller gives as a table: a path, or a frame of any library that speaks Arrow."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

import polars as pl

from segkit.errors import DataError, RuleError
from segkit.io.read.label import Label
from segkit.io.read.problems import problem
from segkit.rules.tables import CUSTOMERS


@runtime_checkable
class ArrowFrame(Protocol):
    """A table that gives its rows as a stream of Arrow: of pandas, pyarrow, DuckDB, Polars, ..."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The stream, as a capsule."""


Table: TypeAlias = str | os.PathLike[str] | pl.LazyFrame | ArrowFrame
"""A path, relative to the working directory, or a frame."""


class Given(NamedTuple):
    """The tables of a caller: the paths that stand for them in the rules, and the frames that some of these mean."""

    customers: str | None
    events: Mapping[str, str]
    lookups: Mapping[str, str]
    frames: Mapping[str, pl.LazyFrame]


def given_tables(
    customers: Table | None, events: Mapping[str, Table] | None, lookups: Mapping[str, Table] | None
) -> Given:
    """The tables of a caller. Raises `RuleError` for what is no table, and `DataError` for a frame without rows."""
    frames: dict[str, pl.LazyFrame] = {}

    def path_of(table: Table, place: str) -> str:
        if isinstance(table, str | os.PathLike):
            return os.fspath(table)
        address = f"frame://{place}"
        frames[address] = lazy(table, address)
        return address

    for option, named in (("events", events), ("lookups", lookups)):
        if not (named is None or isinstance(named, Mapping)):
            hint = f'give them by name: `{option}={{"NAME": ...}}`'
            raise RuleError.of(f"`{option}` is a mapping, not `{type(named).__name__}`", hint=hint)
    return Given(
        customers=None if customers is None else path_of(customers, CUSTOMERS),
        events={name: path_of(table, f"events/{name}") for name, table in (events or {}).items()},
        lookups={name: path_of(table, f"lookup/{name}") for name, table in (lookups or {}).items()},
        frames=frames,
    )


def lazy(table: Table, address: str) -> pl.LazyFrame:
    """A frame as one of Polars, which nobody changes; `address` is what messages call it."""
    if isinstance(table, pl.LazyFrame):
        return table
    if isinstance(table, pl.DataFrame):
        return table.lazy()
    label = Label(address)
    if not isinstance(table, ArrowFrame):
        hint = "give a path, or a frame of Polars, pandas, pyarrow or DuckDB"
        raise RuleError.of(f"`{label}` is no table: a Python object of type `{type(table).__name__}`", hint=hint)
    try:
        return _own(pl.DataFrame(_Stream(table))).lazy()
    except (pl.exceptions.PolarsError, ValueError, TypeError, NotImplementedError) as error:
        raise _no_arrow(label, error) from error


def _own(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame with memory of its own: whoever changes the other one in place does not change a run."""
    copy = io.BytesIO()
    frame.write_ipc_stream(copy)
    copy.seek(0)
    return pl.read_ipc_stream(copy)


class _Stream:
    """A frame as its stream alone: of some libraries Polars takes another way, which loses the index of pandas."""

    def __init__(self, table: ArrowFrame) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


def _no_arrow(label: Label, error: Exception) -> DataError:
    """The error for a frame that does not become one of Arrow, such as one of mixed objects."""
    told = error.args[-1] if error.args else error
    message = f"`{label.name}` cannot be taken as a table: {str(told).splitlines()[0]}"
    return problem(label, message, hint="give each column one name and one type")
