"""What the summary counts of the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import polars as pl

from segkit.columns.helpers import COUNT
from segkit.gates.draws import VARIANT
from segkit.gates.ledger import Line, overlaps
from segkit.operations.summary.aggregates import tally_of_aggregates
from segkit.operations.summary.distributions import tally_of_values
from segkit.operations.summary.profiles import tally_of_profiles
from segkit.operations.summary.tally import Entry, Tally
from segkit.results.terms import CONTROL
from segkit.rules.model.file import RuleFile


def shown(rules: RuleFile, chosen: Sequence[str]) -> list[str]:
    """The segments that the summary shows: those that are written, and those that never are."""
    return [name for name in rules.segment if name in chosen or not rules.segment[name].write]


def tally_of_customers(
    rules: RuleFile, customers: pl.DataFrame, lines: Mapping[str, Line], chosen: Sequence[str]
) -> Tally:
    """All that the summary says of these customers, but for the tables that they come from."""
    written = {name: lines[name].written for name in chosen}
    numbers: dict[Entry, int | Decimal] = {}
    for name in shown(rules, chosen):
        numbers |= _numbers(lines[name])
    numbers |= {("overlap", first, second): count for first, second, count in overlaps(written)}
    if group := [lines[name].control for name in chosen if lines[name].control is not None]:
        numbers[CONTROL,] = int(pl.DataFrame(group).select(pl.any_horizontal(pl.all()).sum()).item())
    if written:
        numbers |= _coverage([lines[n].matched for n, s in rules.segment.items() if s.write], list(written.values()))
    tally = Tally(numbers, dict(_frames(rules, customers, lines, chosen)))
    members = {name: lines[name].written for name in shown(rules, chosen)}
    tally = tally.add(tally_of_aggregates(rules, customers, written))
    return tally.add(tally_of_profiles(customers, members, rules.output.profile)).add(tally_of_values(rules, customers))


def _numbers(line: Line) -> dict[Entry, int | Decimal]:
    numbers: dict[Entry, int | Decimal] = {
        ("matched", line.name): int(line.matched.sum()),
        ("written", line.name): int(line.written.sum()),
        (CONTROL, line.name): 0 if line.control is None else int(line.control.sum()),
        **{("stopped", line.name, reason): int(mask.sum()) for reason, mask in line.stopped.items()},
    }
    return numbers


def _coverage(matched: Sequence[pl.Series], written: Sequence[pl.Series]) -> dict[Entry, int | Decimal]:
    """How many customers match a segment, how many are written in a list, and how many in two or more."""
    frame = pl.DataFrame([mask.alias(str(number)) for number, mask in enumerate(matched)])
    somewhere = frame.select(pl.any_horizontal(pl.all()).sum()).item()
    frame = pl.DataFrame([mask.alias(str(number)) for number, mask in enumerate(written)])
    lists = frame.select(pl.sum_horizontal(pl.all().cast(pl.UInt32)).alias("lists"))
    listed, several = lists.select((pl.col("lists") > 0).sum(), (pl.col("lists") > 1).sum().alias("several")).row(0)
    return {("in", "segment"): int(somewhere), ("in", "list"): int(listed), ("in", "several"): int(several)}


def _frames(
    rules: RuleFile, customers: pl.DataFrame, lines: Mapping[str, Line], chosen: Sequence[str]
) -> Iterator[tuple[Entry, pl.DataFrame]]:
    """By segment: how many of those written have each combination of the values of `each`, and each variant."""
    for name in chosen:
        line, each = lines[name], rules.segment[name].each
        if each:
            drawn_apart = [line.variants.alias(VARIANT)] if line.variants is not None and VARIANT in each else []
            there = customers.with_columns(drawn_apart).filter(line.written)
            yield ("each", name), there.group_by(each).len(COUNT)
        if line.variants is not None:
            drawn = line.variants.alias(VARIANT).drop_nulls().to_frame()
            yield ("variant", name), drawn.group_by(VARIANT).len(COUNT)
