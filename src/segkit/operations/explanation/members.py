"""What the lists of a run say of some of its customers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from segkit.columns.helpers import KEY
from segkit.io.write import FORMATS, keys_of
from segkit.operations.delivery.runs import Run
from segkit.operations.lists.protection import key_form, written_key
from segkit.results import HELD_OUT, WRITTEN
from segkit.rules.model.file import RuleFile

_SHOWN = "\x1fshown"


class Place(NamedTuple):
    """The list of a customer in a segment, and whether it is that of the members or of those held out."""

    outcome: str
    file: str
    variant: str | None


def places_in(run: Run, rules: RuleFile, keys: Sequence[str]) -> dict[tuple[str, str], Place]:
    """(Segment, key) -> where the lists of the run have the customer; nothing where they do not.

    Raises `DataError` where the keys are not written as they were, or a list cannot be read.
    """
    run.key.require_same(key_form(rules), "the run", "its rule file now")
    shown = pl.DataFrame({KEY: keys}, schema={KEY: pl.String}).with_columns(written_key(rules).alias(_SHOWN))
    with run.reading():
        rows = pl.concat(_rows(run)).filter(pl.col(_SHOWN).is_in(shown[_SHOWN].to_list())).collect()
    found = rows.join(shown, on=_SHOWN).select("segment", KEY, "outcome", "file", "variant")
    return {(segment, key): Place(*where) for segment, key, *where in found.rows()}


def _rows(run: Run) -> list[pl.LazyFrame]:
    """All customers of all lists, as they are shown there."""
    if run.members_file:
        extension = FORMATS[run.manifest.output.format].extension
        file = pl.concat_str(pl.col("list"), pl.lit("" if run.manifest.output.table else f".{extension}"))
        return [run.members().select(pl.col("key").alias(_SHOWN), "segment", "outcome", file.alias("file"), "variant")]
    lists = [(one.file, one.segment, WRITTEN) for one in run.lists]
    held = [(one.holdout_path, one.name, HELD_OUT) for one in run.manifest.segments if one.holdout_path]
    nobody = pl.LazyFrame(schema=dict.fromkeys([_SHOWN, "segment", "outcome", "file", "variant"], pl.String))
    return [nobody, *(_listed(run, *one) for one in (*lists, *held))]


def _listed(run: Run, file: str, segment: str, outcome: str) -> pl.LazyFrame:
    keys = keys_of(run.folder / file, run.key.column, run.delimiter)
    return keys.select(
        pl.nth(0).cast(pl.String).alias(_SHOWN),
        pl.lit(segment).alias("segment"),
        pl.lit(outcome).alias("outcome"),
        pl.lit(file).alias("file"),
        pl.lit(None, pl.String).alias("variant"),
    )
