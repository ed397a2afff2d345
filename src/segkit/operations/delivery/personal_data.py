"""Which of the columns that go out hold personal data."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from segkit.columns.helpers import KEY
from segkit.operations.delivery.manifest import PersonalColumn
from segkit.operations.lists.protection import protection
from segkit.operations.personal.contents import looks_of
from segkit.operations.personal.kinds import kind_of, kind_seen, kind_told, reaching, yes_or_no
from segkit.rules.model.file import RuleFile

SAMPLE = 1_000


def personal_data(rules: RuleFile, columns: Sequence[str], customers: pl.DataFrame) -> tuple[PersonalColumn, ...]:
    """The columns with personal data among those written: `column`, `kind`, and `protection` where there is one.

    The key tells one customer from another, so it is always among them.
    """
    output, key = rules.output, rules.customers.key
    looks = _looks(customers.head(SAMPLE), [name for name in columns if name in customers.columns])
    kinds = {key: kind_of(key) or _looks(customers.head(SAMPLE), [KEY]).get(KEY) or "key"}
    kinds |= {name: kind for name in columns if (kind := _named(name, customers) or looks.get(name))}
    kinds |= {name: "other" for name in columns if name not in kinds and protection(output, name)}
    return tuple(PersonalColumn(column=n, kind=k, protection=protection(output, n)) for n, k in kinds.items())


def _named(name: str, customers: pl.DataFrame) -> str | None:
    """The kind that the name of a column tells, where its values do not say otherwise."""
    if kind_of(name) is None or name not in customers.columns:
        return kind_of(name)
    values, column = customers.select(name), pl.col(name)
    if values.dtypes[0].is_nested() or not values[name].count():
        return kind_of(name)

    def says_yes_or_no() -> bool:
        # Most columns with such a name hold no yes and no: a look at the first ones tells, all would take 0.03 s each.
        return all(rows.select(yes_or_no(column)).item() for rows in (values.head(SAMPLE), values))

    return kind_told(name, says_yes_or_no, lambda kind: bool(values.select(reaching(column, kind)).item()))


def _looks(sample: pl.DataFrame, columns: Sequence[str]) -> dict[str, str]:
    kinds: dict[str, str] = {}
    for name in columns:
        if sample.schema[name] == pl.String:
            looks = sample.select(looks_of(pl.col(name))).item()
            if kind := kind_seen(sample[name].count(), looks):
                kinds[name] = kind
    return kinds
