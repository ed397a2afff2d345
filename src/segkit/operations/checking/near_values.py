"""What to say instead of a value that no row has: those that come near, or how values of people look."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from segkit.columns.plan.plan import Plan
from segkit.operations.column_facts.personal_columns import Place, is_one_each, personal_among
from segkit.operations.column_facts.uses import origin_of
from segkit.operations.evaluation.doubts.values_nobody_has import IGNORE_CASE, Asked, Hint
from segkit.operations.personal.contents import looks_of
from segkit.operations.personal.shapes import usual_shapes
from segkit.rules.tables import lookup_table
from segkit.words import listed, nearest

MANY = 5_000
"""In a column with more different values than this, no similar value is looked for."""
FEW = 5
"""A value of fewer rows than this may be that of somebody, unless the table is small."""
NAMED = 12


def hints(plan: Plan, customers: pl.LazyFrame) -> Hint:
    """The hint of a value that no row has: it names no value that `columns` says is personal, nor one of few rows.

    `customers` are those of the run, with the columns that are computed late.
    """
    known: dict[Place, Mapping[Place, str]] = {}

    def hint(asked: Asked) -> str | None:
        values = asked.occurring
        if None in values.values() or values.keys() <= {"true", "false"}:
            return nearest(asked.value, sorted(values), "values")
        place = (asked.mention.table, asked.mention.column)
        if place not in known:
            known[place] = personal_among(plan, customers, [place, *_joined_by(plan, place)])
        if place in known[place]:
            return _shape(values)
        if len(values) > MANY:
            return None
        named = [*values] if _are_names(plan, place, known[place]) else _of_several(values)
        said = None if _look_personal(named) else _near(asked, named)
        return said or _shape(values)

    return hint


def _near(asked: Asked, named: Collection[str]) -> str | None:
    """The values that come near, of those that may be named; None where there are none."""
    other_case = sorted(value for value in asked.occurring if value.lower() == asked.value.lower())
    if other_case and asked.minds_case:
        meant = f"did you mean `{other_case[0]}`? " if other_case[0] in named else "it occurs in another case: "
        return meant + IGNORE_CASE
    names = sorted(named)
    if len(named) == len(asked.occurring):
        return nearest(asked.value, names, "values")
    frequent = f"the more frequent values are {listed(names[:NAMED])}" if names else None
    return nearest(asked.value, names) or frequent


def _joined_by(plan: Plan, place: Place) -> list[Place]:
    """The columns that a lookup is joined by, where it is the lookup that a column comes from."""
    table = _lookup_of(plan, place)
    if table is None:
        return []
    lookup = plan.rules.lookup[table.removeprefix(lookup_table(""))]
    return [(lookup.into, here) for here in lookup.on]


def _lookup_of(plan: Plan, place: Place) -> str | None:
    table, column = place
    if table.startswith(lookup_table("")):
        return table
    path = plan.origins[table][column]
    return lookup_table(str(path[1])) if origin_of(plan.rules, table, path) == "lookup" else None


def _are_names(plan: Plan, place: Place, personal: Mapping[Place, str]) -> bool:
    """Whether all values of a column may be named: those of a lookup, whose rows are no customers."""
    lookup = _lookup_of(plan, place)
    return lookup is not None and not is_one_each(plan.rules, lookup, personal)


def _of_several(values: Mapping[str, int | None]) -> list[str]:
    """The values of so many rows that they are of nobody alone."""
    filled = sum(rows or 0 for rows in values.values())
    return [value for value, rows in values.items() if rows and rows > 1 and (rows >= FEW or 100 * rows >= filled)]


def _look_personal(values: Collection[str]) -> bool:
    looks: dict[str, int] = (
        pl.Series("value", [*values], pl.String).to_frame().select(looks_of(pl.col("value"), alone=True)).item()
    )
    return any(looks.values())


def _shape(values: Collection[str]) -> str | None:
    known = pl.LazyFrame({"value": [*values]}, schema={"value": pl.String})
    shape = usual_shapes(known, {"value": pl.col("value")})["value"]
    return f"its values look like this: {shape}" if shape else "there are no values"
