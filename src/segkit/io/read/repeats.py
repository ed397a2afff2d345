"""Lines of events as they come in exports: fields that only the first line of an event has, rows that come twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import polars as pl

from segkit.io.read.values.texts import NULL_KEYS, NULL_TEXTS, trimmed

FILE = "\x1ffile"
"""The position of the file that a row is from."""
REPEATED = "\x1frepeated"
"""Whether a row repeats another one, which counts instead."""


def filled_down(
    frame: pl.LazyFrame, id_: str, columns: Sequence[str], mixed: Mapping[str, str] = MappingProxyType({})
) -> pl.LazyFrame:
    """The rows of one file, where an empty field takes the nearest value above it among the rows of its event.

    `mixed` are columns beside that say what the values are, and are filled with them.
    """
    schema = frame.collect_schema()
    event = _id(pl.col(id_), schema[id_])
    known = event.is_not_null()
    values = {name: _filled(pl.col(name), schema[name]) for name in columns if name in schema}
    values |= {
        mixed[name]: pl.when(value.is_not_null()).then(mixed[name]) for name, value in values.items() if name in mixed
    }
    return frame.with_columns(
        pl.when(known).then(value.forward_fill().over(event)).otherwise(value).alias(name)
        for name, value in values.items()
    )


def _id(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """What tells one event from another: without white space around it; missing where keys are."""
    return pl.when(~trimmed(value).is_in(["", *NULL_KEYS])).then(trimmed(value)) if dtype == pl.String else value


def _filled(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    return pl.when(~trimmed(value).is_in(["", *NULL_TEXTS])).then(value) if dtype == pl.String else value


def repeats(frame: pl.LazyFrame, names: Sequence[str], id_: str | None, how: str) -> pl.LazyFrame:
    """The frame with `REPEATED`: rows that came before as a whole, or events that a later file has again."""
    if how == "last_file":
        assert id_ is not None, "checked before the run"
        event = _id(pl.col(id_), frame.collect_schema()[id_])
        latest = pl.col(FILE).max().over(event)
        return frame.with_columns((event.is_not_null() & (pl.col(FILE) < latest)).alias(REPEATED))
    return frame.with_columns((~pl.struct(names).is_first_distinct()).alias(REPEATED))
