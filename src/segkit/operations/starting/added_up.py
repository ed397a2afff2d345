"""Rows whose money is added up though it is not the same money, or was never paid: only people can tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from segkit.io.read import ColumnType, Table
from segkit.io.read.values.vocabulary.booleans import TRUE
from segkit.io.read.values.vocabulary.currencies import KNOWN
from segkit.operations.orders_file.guess import simple
from segkit.operations.personal.kinds import words_of
from segkit.operations.starting.known.found import Maybe
from segkit.words import listed

CURRENCIES = frozenset(
    {"currency", "currencycode", "curr", "devise", "monnaie", "währung", "waehrung", "moneda", "valuta"}
)
"""Names of columns that say in which currency an amount is."""
MARK = rf"{KNOWN}|[A-Za-z]{{3}}"
UNPAID = re.compile(
    r"\b(cancel|storn|annul|anul|fail|fehlgeschlagen|declin|abgelehnt|reject|refus|refund|return|retour|rückgabe|rembours|"
    r"erstatt|devol|reembols|void|charge ?back|unpaid|unbezahlt|pending|abandon|draft|expired|test\b)"
)
"""What tells of a row that its money did not come, or went back."""
WHATEVER = "amounts are added up, whatever this says: if such rows do not count"
ROWS = "\x1frows"
MOST_VALUES = 40
"""A text with more different values is no state of an order, and no currency."""


def added_up(table: Table, taken: set[str | None]) -> Iterator[Maybe]:
    """What `where` may leave out of the rows: other currencies, and what was cancelled or sent back."""
    for name, (values, missing) in _few_values(table, taken).items():
        by_name = simple(name) in CURRENCIES
        of_codes = bool(re.fullmatch(KNOWN, values[0].upper())) and all(re.fullmatch(MARK, value) for value in values)
        unpaid = [value for value in values if _unpaid(name, value)]
        if len(values) > 1 and (by_name or of_codes):
            why = "amounts of several currencies are added up: keep one, with `where`"
            yield Maybe(("where", name), values[0], why)
        elif unpaid and (missing or len(unpaid) < len(values)):
            of_numbers = table.columns[name].type is ColumnType.INTEGER
            left_out = sorted(map(int, unpaid)) if of_numbers else sorted(unpaid)
            yield _without(name, "not_in", left_out, missing=missing)
    for name, column in table.columns.items():
        if name in taken or not UNPAID.search(" ".join(words_of(name))):
            continue
        if column.type is ColumnType.BOOLEAN:
            yield _without(name, "is", False, missing=_misses(table, name))
        elif column.type is ColumnType.DATE:
            yield Maybe(("where", name, "missing"), True, WHATEVER)


def _without(name: str, operator: str, value: object, *, missing: bool) -> Maybe:
    """A condition that keeps rows where nothing is said."""
    if missing:
        return Maybe(("where", name), {operator: value, "or_missing": True}, WHATEVER)
    return Maybe(("where", name, operator), value, WHATEVER)


def _misses(table: Table, name: str) -> bool:
    return bool(table.frame.select(table.key(name).is_null().any()).collect(engine="streaming").item())


def files_added_up(paths: Sequence[str]) -> str:
    """What is to be told where some of several files have rows that were not paid, by their names."""
    of_returns = [Path(path).name for path in paths if UNPAID.search(" ".join(words_of(Path(path).name)))]
    return f"amounts of {listed(of_returns)} are added to the others" if 0 < len(of_returns) < len(paths) else ""


def _unpaid(name: str, value: str) -> bool:
    if UNPAID.search(" ".join(words_of(value))):
        return True
    return bool(UNPAID.search(" ".join(words_of(name)))) and value.lower() in TRUE


def _few_values(table: Table, taken: set[str | None]) -> dict[str, tuple[list[str], bool]]:
    """The values of texts, and of 0 and 1, that have few, the most frequent first, and whether rows have none."""
    of_states = (ColumnType.TEXT, ColumnType.INTEGER)
    names = [name for name, column in table.columns.items() if column.type in of_states and name not in taken]
    if not names:
        return {}
    keys = table.frame.select(table.key(name).alias(name) for name in names)
    counts = keys.select(pl.all().n_unique()).collect(engine="streaming").row(0, named=True)
    few = [name for name in names if counts[name] <= MOST_VALUES]
    found = pl.collect_all([keys.group_by(name).agg(pl.len().alias(ROWS)) for name in few], engine="streaming")
    told = dict[str, tuple[list[str], bool]]()
    for name, frame in zip(few, found, strict=True):
        values = frame.drop_nulls().sort([ROWS, name], descending=[True, False])[name].to_list()
        told |= {name: (values, len(values) < len(frame))} if values else {}
    return told
