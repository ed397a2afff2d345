"""Accessible: who may be written to by consent and lists, and has a contact that can be used."""

from __future__ import annotations

from functools import reduce
from operator import and_

import polars as pl

from segkit.columns import helpers
from segkit.columns.features.permission import CONSENT, SUPPRESSED, permission_columns
from segkit.operations.personal.kinds import REACHES, kind_of
from segkit.rules.model.file import RuleFile


def tells_reach(rules: RuleFile, channel: str | None) -> bool:
    """Whether consent, a list or a contact tells who can be reached by this channel."""
    asked, contact = permission_columns(rules), channel and rules.mavr.contact.get(channel)
    names = [helpers.permission(reason, name) for reason in (CONSENT, SUPPRESSED) for name in _rules_of(channel)]
    return bool(contact) or any(name in asked for name in names)


def reached(rules: RuleFile, channel: str | None, customers: pl.DataFrame) -> pl.Series:
    """Which customers can be reached by this channel; the general rules alone where that is None."""
    asked = frozenset(permission_columns(rules))
    told = [pl.Series([True]).new_from_index(0, len(customers))]
    for name in _rules_of(channel):
        if (consent := helpers.permission(CONSENT, name)) in asked:
            told.append(customers[consent])
        if (refused := helpers.permission(SUPPRESSED, name)) in asked:
            told.append(~customers[refused])
    column = rules.mavr.contact.get(channel) if channel else None
    if column is not None:
        told.append(_is_usable(customers[column], kind_of(column) or ""))
    return reduce(and_, told)


def _rules_of(channel: str | None) -> tuple[str, ...]:
    """The general rules, and those of the channel."""
    return ("", channel) if channel else ("",)


def _is_usable(values: pl.Series, kind: str) -> pl.Series:
    """Whether there is a contact: a value that is not blank, and for an e-mail or phone looks like one.

    Of a list, one such value is enough.
    """

    def usable(value: pl.Expr) -> pl.Expr:
        text = value.cast(pl.String).str.strip_chars()
        return ((text != "") & text.str.contains(REACHES.get(kind, ""))).fill_null(value=False)

    column = pl.col(values.name)
    is_list = isinstance(values.dtype, pl.List)
    found = column.list.eval(usable(pl.element())).list.any() if is_list else usable(column)
    return values.to_frame().select(found.fill_null(value=False)).to_series()
