"""What the lists of a run say of some of its customers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from segkit.columns.helpers import KEY
from segkit.operations.delivery.runs import Run
from segkit.operations.lists.protection import key_form, written_key
from segkit.rules.model.file import RuleFile

_SHOWN = "\x1fshown"


class Place(NamedTuple):
    """The list of a customer in a segment, and whether it is that of the members or of those held out.

    `file` is missing where the list is for a platform that cannot find the customer.
    """

    outcome: str
    file: str | None
    variant: str | None


def places_in(run: Run, rules: RuleFile, keys: Sequence[str]) -> dict[tuple[str, str], Place]:
    """(Segment, key) -> where the lists of the run have the customer; nothing where they do not.

    Raises `DataError` where the keys are not written as they were, or a list cannot be read.
    """
    run.key.require_same(key_form(rules), "the run", "its rule file now")
    shown = pl.DataFrame({KEY: keys}, schema={KEY: pl.String}).with_columns(written_key(rules).alias(_SHOWN))
    with run.reading():
        rows = run.reached().rename({KEY: _SHOWN}).filter(pl.col(_SHOWN).is_in(shown[_SHOWN].to_list())).collect()
    found = rows.join(shown, on=_SHOWN).select("segment", KEY, "outcome", "file", "variant")
    return {(segment, key): Place(*where) for segment, key, *where in found.rows()}
