"""Words for true and false."""

from __future__ import annotations

import polars as pl

TRUE = ("true", "t", "yes", "y", "oui", "o", "ja", "j", "si", "sí", "1")
FALSE = ("false", "f", "no", "n", "non", "nein", "0")


def read(text: pl.Expr) -> pl.Expr:
    """What the text says; `true` and `false` without a copy of the column, which trimming and lower case take."""
    other = pl.when((text != "true") & (text != "false")).then(text).str.strip_chars().str.to_lowercase()
    meanings = {word: word in TRUE for word in (*TRUE, *FALSE)}
    meant = other.replace_strict(list(meanings), list(meanings.values()), default=None, return_dtype=pl.Boolean)
    return pl.when(text == "true").then(True).when(text == "false").then(False).otherwise(meant)
