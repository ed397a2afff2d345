"""What the manifest keeps for reports: counts of all customers, of which none is of a few."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from segkit.columns.features.rfm.cuts import RAW
from segkit.columns.plan.known_values import summarised, values_of
from segkit.operations.delivery import manifest as m
from segkit.operations.summary.aggregates import BITS, EDGES, total
from segkit.operations.summary.tally import Tally
from segkit.rules.model.computed.rfm import rfm_column
from segkit.rules.model.file import RuleFile

MOST_COMBINATIONS = 50
DIGITS = 6


def aggregates_of(rules: RuleFile, chosen: Sequence[str], tally: Tally) -> m.AggregatesOf:
    """All that a report draws; where fewer than `min_cell` customers are counted, it says no more than that."""
    fewest = rules.output.min_cell
    combinations, others, in_others = _combinations(chosen, tally, fewest)
    return m.AggregatesOf(
        fewest=fewest,
        rfm=tuple(_rfm(rules, table, tally, fewest) for table in rules.rfm),
        combinations=tuple(combinations),
        others=others,
        in_others=some(in_others, fewest),
        columns=tuple(m.ColumnOf(column=c, values=tuple(_values(c, tally, rules, fewest))) for c in summarised(rules)),
    )


def some(customers: int, fewest: int) -> m.Some:
    """A count; of a few customers, that they are a few."""
    return f"<{fewest}" if 0 < customers < fewest else customers


def _rfm(rules: RuleFile, table: str, tally: Tally, fewest: int) -> m.RfmOf:
    cells = [
        m.CellOf(
            r=r,
            f=f,
            customers=some(customers, fewest),
            mean=None if customers < fewest else round(float(total(*money) / customers), DIGITS),
        )
        for r, f, customers, *money in tally.frames["grid", table].sort("r", "f").rows()
    ]
    bars = {measure: tuple(_bars(tally.frames["bars", table, measure], measure, fewest)) for measure in RAW}
    known = values_of(rules)[rfm_column(table, "rfm_segment")].names
    counts = {value: (customers, total(*money)) for value, customers, *money in tally.frames["rfm", table].rows()}
    segments = [
        m.ValueOf(
            value=name,
            customers=some(counts[name][0], fewest),
            monetary=None if counts[name][0] < fewest or name is None else counts[name][1],
        )
        for name in (*known, None)
        if name in counts
    ]
    return m.RfmOf(
        table=table,
        grid=tuple(cells),
        recency=bars["recency"],
        frequency=bars["frequency"],
        monetary=bars["monetary"],
        segments=tuple(segments),
    )


def _bars(counts: pl.DataFrame, measure: str, fewest: int) -> Iterator[m.BarOf]:
    """The bars from the first with somebody to the last one, those with nobody between them, too."""
    by_bar, edges = dict(counts.rows()), EDGES[measure]
    for bar in range(min(by_bar), max(by_bar) + 1) if by_bar else ():
        yield m.BarOf(
            low=edges[bar - 1] if bar else None,
            high=edges[bar] if bar < len(edges) else None,
            customers=some(by_bar.get(bar, 0), fewest),
        )


def _values(column: str, tally: Tally, rules: RuleFile, fewest: int) -> Iterator[m.ValueOf]:
    counts = dict(tally.frames["values", column].rows())
    for name in (*summarised(rules)[column].names, None):
        if name is not None or counts.get(name):
            yield m.ValueOf(value=name, customers=some(counts.get(name, 0), fewest))


def _combinations(chosen: Sequence[str], tally: Tally, fewest: int) -> tuple[list[m.CombinationOf], int, int]:
    """The combinations with the most customers, how many others there are, and how many customers are in these."""
    if ("combinations",) not in tally.frames:
        return [], 0, 0
    rows = [(_named(bits, chosen), customers) for *bits, customers in tally.frames["combinations",].rows()]
    places = {name: place for place, name in enumerate(chosen)}
    rows.sort(key=lambda row: (-row[1], [places[name] for name in row[0]]))
    shown = [row for row in rows[:MOST_COMBINATIONS] if row[1] >= fewest]
    others = rows[len(shown) :]
    return (
        [m.CombinationOf(segments=names, customers=customers) for names, customers in shown],
        len(others),
        sum(customers for _, customers in others),
    )


def _named(bits: Sequence[int], chosen: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for place, name in enumerate(chosen) if bits[place // BITS] >> place % BITS & 1)
