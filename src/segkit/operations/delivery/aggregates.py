"""What the manifest keeps for reports: counts of all customers, of which none is of a few."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from segkit.columns.features.rfm.cuts import RAW
from segkit.columns.helpers import COUNT, TOTAL_HIGH, TOTAL_LOW
from segkit.columns.plan.known_values import summarised, values_of
from segkit.operations.decide import Decision
from segkit.operations.delivery import manifest as m
from segkit.operations.delivery.answers import answers
from segkit.operations.summary.aggregates import BITS, EDGES, total
from segkit.operations.summary.tally import Tally
from segkit.rules.model.computed.rfm import rfm_column
from segkit.rules.model.file import RuleFile

MOST_COMBINATIONS = 50
DIGITS = 6
_SUMS = pl.col(COUNT, TOTAL_HIGH, TOTAL_LOW).sum()


def aggregates_of(run: Decision) -> m.AggregatesOf:
    """All that a report draws; where fewer than `min_cell` customers are counted, it says no more than that."""
    rules, tally = run.rules, run.tally
    fewest = rules.output.min_cell
    combinations, others, in_others = _combinations(run.chosen, tally, fewest)
    return m.AggregatesOf(
        fewest=fewest,
        rfm=tuple(_rfm(run, table, fewest) for table in rules.rfm),
        combinations=tuple(combinations),
        others=others,
        in_others=some(in_others, fewest),
        columns=tuple(m.ColumnOf(column=c, values=tuple(_values(c, tally, rules, fewest))) for c in summarised(rules)),
        mavr=tuple(answers(run, fewest)),
    )


def some(customers: int, fewest: int) -> m.Some:
    """A count; of a few customers, that they are a few."""
    return f"<{fewest}" if 0 < customers < fewest else customers


def _rfm(run: Decision, table: str, fewest: int) -> m.RfmOf:
    tally, groups = run.tally, run.tally.frames["rfm", table]
    bars = {measure: tuple(_bars(tally.frames["bars", table, measure], measure, fewest)) for measure in RAW}
    medians = {
        measure: round(run.of_measures[rfm_column(table, column)], DIGITS)
        for measure, column in RAW.items()
        if tally.frames["bars", table, measure][COUNT].sum() >= fewest
    }
    known = values_of(run.rules)[rfm_column(table, "rfm_segment")].names
    by_segment = groups.group_by("value").agg(_SUMS)
    counts = {value: (customers, total(*money)) for value, customers, *money in by_segment.rows()}
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
        grid=tuple(_cells(groups, known, fewest)),
        recency=bars["recency"],
        frequency=bars["frequency"],
        monetary=bars["monetary"],
        medians=medians,
        segments=tuple(segments),
    )


def _cells(groups: pl.DataFrame, known: Sequence[str], fewest: int) -> Iterator[m.CellOf]:
    """The cells in the order of their scores; each names its segments in their order."""
    scored = groups.filter(pl.col("r").is_not_null(), pl.col("f").is_not_null())
    cells = scored.group_by("r", "f").agg(_SUMS, pl.col("value").unique()).sort("r", "f")
    for r, f, customers, *money, values in cells.rows():
        yield m.CellOf(
            r=r,
            f=f,
            customers=some(customers, fewest),
            mean=None if customers < fewest else round(float(total(*money) / customers), DIGITS),
            segments=tuple(name for name in known if name in values),
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
