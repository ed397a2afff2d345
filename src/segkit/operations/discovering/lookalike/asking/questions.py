"""What the card asks of a column: conditions of which exactly one holds for each customer, whatever his value is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import ceil
from typing import Any, NamedTuple, TypeAlias

import polars as pl

from segkit.criteria.conditions import holds
from segkit.criteria.context import Context
from segkit.criteria.kinds import Kind, kind_of
from segkit.operations.discovering.lookalike.asking.cuts import cuts
from segkit.rules.model.base import freeze
from segkit.rules.model.conditions import Condition

RARE = 2
"""A value that fewer customers have, in percent, has no answer of its own: it may be that of somebody."""
MOST_ITEMS = 20
"""How many values of a list are asked for."""
Written: TypeAlias = Mapping[str, Any]
"""A condition as a rule file has it: operator -> value."""
MISSING: Written = {"missing": True}


class Asked(NamedTuple):
    """A question: its column, and the answers as conditions; of a list, the value that it is `about`."""

    column: str
    answers: tuple[Written, ...]
    about: str | None = None


def fewest(customers: int) -> int:
    """How many customers have a value that is not rare."""
    return max(ceil(RARE * customers / 100), 1)


def questions(values: pl.Series) -> list[Asked]:
    """What is asked of a column with these values; nothing where they are not frequent enough to be asked for.

    Missing values, and those that are rare, have an answer of their own, also where there are none: prospects may.
    """
    kind, name, least = kind_of(values.dtype), values.name, fewest(len(values))
    known = values.drop_nulls()
    if kind == "list":
        return [_about_item(name, item) for item in _frequent_items(known, least, len(values))]
    answers = [*_ANSWERS[kind](known, least)] if len(known) else []
    if kind != "text" and answers:
        answers.append(MISSING)
    return [Asked(name, tuple(answers))] if answers else []


def _of_ranges(known: pl.Series, least: int) -> Iterator[Written]:
    edges = cuts(known, least)
    if not edges:
        yield {"missing": False}
        return
    yield {"max": edges[0]}
    yield from ({"above": low, "max": high} for low, high in pairwise(edges))
    yield {"above": edges[-1]}


def _of_texts(known: pl.Series, least: int) -> Iterator[Written]:
    """Frequent texts, the most frequent first, and all others, missing ones among them."""
    frequent = [value for value, _ in _counted(known, least)]
    if frequent:
        yield from ({"is": value} for value in frequent)
        yield {"not_in": frequent, "or_missing": True}


def _of_booleans(known: pl.Series, _: int) -> Iterator[Written]:
    if known.n_unique() == 1:
        yield {"missing": False}
        return
    yield from ({"is": value} for value in (True, False))


_ANSWERS = {"number": _of_ranges, "date": _of_ranges, "text": _of_texts, "boolean": _of_booleans}


def _frequent_items(known: pl.Series, least: int, customers: int) -> Iterator[str]:
    """The values of lists that neither few customers have nor all but few, the most frequent first."""
    items = known.list.unique().explode().drop_nulls()
    usual = [item for item, rows in _counted(items, least) if rows <= customers - least and item]
    yield from usual[:MOST_ITEMS]


def _about_item(column: str, item: str) -> Asked:
    return Asked(column, ({"has_any": [item]}, {"has_none": [item], "or_missing": True}), item)


def _counted(values: pl.Series, least: int) -> list[tuple[Any, int]]:
    counts = values.alias("value").value_counts(sort=False, name="rows").filter(pl.col("rows") >= least)
    return counts.sort("rows", "value", descending=[True, False]).rows()


def answered(frame: pl.DataFrame, asked: Sequence[Asked], context: Context) -> pl.DataFrame:
    """Which answer each customer gives to each question, by its number: a column a question, named by its place."""
    return frame.select(
        pl.coalesce(
            *(
                pl.when(holds(one.column, frame.schema[one.column], condition_of(written), context)).then(
                    pl.lit(number, pl.UInt8)
                )
                for number, written in enumerate(one.answers)
            )
        ).alias(str(place))
        for place, one in enumerate(asked)
    )


def condition_of(written: Written) -> Condition:
    """The condition as rules check and run it."""
    return Condition.model_validate(freeze(dict(written)), by_alias=True, by_name=False)


def asks_well(kind: Kind) -> bool:
    """Whether values of this kind can be asked for."""
    return kind in (*_ANSWERS, "list")
