"""Words for true and false."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

TRUE = (
    "true", "t", "yes", "y", "oui", "o", "ja", "j", "si",
    "sí", "sim", "s", "wahr", "vrai", "vero", "verdadero", "on", "1", "1.0",
)  # fmt: skip
FALSE = ("false", "f", "no", "n", "non", "nein", "não", "nao", "falsch", "faux", "falso", "off", "0", "0.0")
TICKS = ("x", "X", "✓", "✔")
"""Marks in a column of which a field is either ticked or empty."""


def read(text: pl.Expr, true: Sequence[str] = (), false: Sequence[str] = ()) -> pl.Expr:
    """What the text says; `true` and `false` are words beside the usual ones, in any case.

    The usual words take no copy of the column, which trimming and lower case do.
    """
    other = pl.when((text != "true") & (text != "false")).then(text).str.strip_chars().str.to_lowercase()
    meanings = {word: word in TRUE for word in (*TRUE, *FALSE)}
    meanings |= {word.lower(): True for word in true} | {word.lower(): False for word in false}
    meant = other.replace_strict(list(meanings), list(meanings.values()), default=None, return_dtype=pl.Boolean)
    return pl.when(text == "true").then(True).when(text == "false").then(False).otherwise(meant)


def ticked(text: pl.Expr) -> pl.Expr:
    """True where there is a tick, false where there is nothing; missing where there is something else."""
    bare = text.str.strip_chars().fill_null("")
    return pl.when(bare.is_in(TICKS)).then(True).when(bare == "").then(False)
