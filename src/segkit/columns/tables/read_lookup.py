"""Reference data, read into memory once and joined to customers or events by its key."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from segkit.columns.helpers import KEY, lookup_key, text_of
from segkit.columns.tables.joined import Joined
from segkit.columns.tables.view import View
from segkit.criteria.readings import field_text
from segkit.diagnostics import Diagnostic, Quotes
from segkit.errors import DataError
from segkit.rules.model.sources import Lookup

DUPLICATES = "duplicate_key"


class LookupFailed(Exception):
    """The rows of a lookup cannot be computed."""

    def __init__(self, view: View, reason: pl.exceptions.PolarsError) -> None:
        super().__init__()
        self.view = view
        self.reason = reason


def read_lookup(name: str, view: View, adds: Sequence[str]) -> tuple[Joined, pl.DataFrame]:
    """The rows of a lookup, one for each key, and the counts of its view.

    Raises `DataError` for a key that comes twice, unless the rule file says which row counts, and `LookupFailed`.
    """
    assert isinstance(view.spec, Lookup)
    spec = view.spec
    keys = [lookup_key(there) for there in spec.on.values()]
    carried = [text_of(name) for name in adds if name in view.reads.keys]
    carried += [field_text(name) for name in adds if field_text(name) in view.frame.collect_schema()]
    columns = dict.fromkeys([*keys, KEY, *adds, *carried, *([spec.by] if spec.by else [])])
    try:
        collected = view.rows(columns).collect()
    except pl.exceptions.PolarsError as error:
        raise LookupFailed(view, error) from error
    rows, counts = view.sort_out(collected)
    once = _one_row_a_key(rows, spec, view)
    counts = counts.with_columns(pl.lit(len(rows) - len(once), pl.UInt32).alias(DUPLICATES))
    return Joined(name, once.select(*keys, *adds, *carried), dict(spec.on), adds), counts


def _one_row_a_key(rows: pl.DataFrame, spec: Lookup, view: View) -> pl.DataFrame:
    if spec.by:
        rows = rows.sort(spec.by, descending=True, nulls_last=True, maintain_order=True)
    if spec.duplicates == "first":
        return rows.unique(KEY, keep="first", maintain_order=True)
    twice = rows.filter(pl.col(KEY).is_duplicated())[KEY].unique(maintain_order=True)
    if len(twice):
        keys = tuple(key.replace(chr(31), " / ") for key in twice.head(5))
        raise DataError(
            Diagnostic(
                f"the key {_shown(keys, len(twice))} of `[{view.name}]` comes more than once",
                view.table.place,
                'keep one row of each: `duplicates = "first"`, with `by = "COLUMN"` for the largest',
                quotes=Quotes(", ".join(spec.on.values()), keys),
            )
        )
    return rows


def _shown(keys: Sequence[str], of_all: int) -> str:
    shown = ", ".join(f"`{key}`" for key in keys)
    return f"{shown} and {of_all - len(keys):,} more" if of_all > len(keys) else shown
