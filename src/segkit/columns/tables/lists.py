"""Cells that hold several values: separated by a text, or arrays as JSON or PostgreSQL write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import polars as pl


class Form(NamedTuple):
    """A way to write an array: its name in words, what a cell looks like, and its values as a list of texts."""

    words: str
    shape: str
    values: Callable[[pl.Expr], pl.Expr]


def _array(opens: str, value: str, closes: str) -> str:
    return rf"^\s*{opens}\s*(?:(?:{value})\s*(?:,\s*(?:{value})\s*)*)?{closes}\s*$"


_LONE = r"[0-9a-cefA-CEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}"
_PAIR = r"[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_JSON_TEXT = rf'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u(?:{_LONE}|{_PAIR}))*"'
_JSON_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?"
_QUOTED, _BARE = r'"(?:[^"\\]|\\.)*"', r'[^{},"\\\s](?:[^{},"\\]*[^{},"\\\s])?'


def _of_postgres(cell: pl.Expr) -> pl.Expr:
    value = pl.element()
    plain = value.str.slice(1, value.str.len_chars() - 2).str.replace_all(r"\\(.)", "${1}")
    of_cell = pl.when(value.str.starts_with('"')).then(plain).when(value.str.to_uppercase() != "NULL").then(value)
    return cell.str.extract_all(f"(?s){_QUOTED}|{_BARE}").list.eval(of_cell)


FORMS: Mapping[str, Form] = {
    "json": Form(
        "a JSON array of texts or numbers",
        _array(r"\[", rf"{_JSON_TEXT}|{_JSON_NUMBER}|true|false|null", r"\]"),
        lambda cell: cell.str.json_decode(pl.List(pl.String)),
    ),
    "postgres": Form(
        "a PostgreSQL array of one dimension", f"(?s){_array(r'[{]', f'{_QUOTED}|{_BARE}', r'[}]')}", _of_postgres
    ),
}
"""By what stands in place of a separator."""


def values_of(cell: pl.Expr, separator: str) -> pl.Expr:
    """The values of a cell, trimmed; missing where there is none, and where the cell is not written so."""
    form = FORMS.get(separator)
    parts = form.values(pl.when(~misshapen(cell, separator)).then(cell)) if form else cell.str.split(separator)
    filled = parts.list.eval(pl.element().str.strip_chars()).list.eval(pl.element().filter(pl.element() != ""))
    return pl.when(filled.list.len() > 0).then(filled)


def misshapen(cell: pl.Expr, separator: str) -> pl.Expr:
    """Whether something stands in the cell that is not the array that the separator promises; never null."""
    form = FORMS.get(separator)
    return (~cell.str.contains(form.shape) & (cell.str.strip_chars() != "")).fill_null(False) if form else pl.lit(False)
