"""RFM: scores of three values, and the segment that a map gives to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from segkit.columns.features.rfm.cuts import RAW, SCORES, Cuts, fit, kept
from segkit.columns.features.steps import (
    CutStep,
    Layers,
    MeasureStep,
    RowStep,
    Step,
    Told,
    hidden_measure,
    measured,
)
from segkit.criteria.kinds import Dtypes
from segkit.results.parts import Threshold
from segkit.rules.findings import KeyPath
from segkit.rules.model.computed.rfm import Rfm, RfmColumns, rfm_column, rfm_columns
from segkit.rules.model.computed.rfm_maps import map_codes
from segkit.rules.model.measures import MeasureName


def rfm_steps(table: str, rfm: Rfm) -> list[Step]:
    """The three values of a customer in the RFM table of this name, and the scores that their cuts give."""
    path: KeyPath = ("rfm", table)
    values = _own_values(table, rfm.columns, path) if rfm.columns else _values(table, rfm, path)
    types = {name: pl.Int64() if name.endswith("_score") else pl.String() for name in rfm_columns(table)[3:]}
    scores = CutStep(
        names=rfm_columns(table)[3:],
        needs=frozenset(rfm_columns(table)[:3]),
        types=types,
        fit=lambda customers: fitted(table, rfm, customers),
        again=lambda told, schema: again(table, rfm, told, schema),
        path=path,
        by_key=rfm.ties == "split",
    )
    return [*values, scores]


def _own_values(table: str, columns: RfmColumns, path: KeyPath) -> list[Step]:
    own = {rfm_column(table, name): (name, getattr(columns, name)) for name in RAW.values()}
    return [
        RowStep(value, frozenset({column}), _column(column), (*path, "columns", name))
        for value, (name, column) in own.items()
        if value != column
    ]


def _column(name: str) -> Callable[[Dtypes], pl.Expr]:
    return lambda _: pl.col(name)


def _values(table: str, rfm: Rfm, path: KeyPath) -> list[Step]:
    """The values measured over the events; customers without events have none, not even a frequency of 0."""
    frequency: MeasureName = "count" if rfm.frequency == "events" else "active_days"
    kinds: dict[str, MeasureName] = {
        "recency_days": "days_since_last", "frequency": frequency, "monetary": rfm.monetary
    }  # fmt: skip
    measures = {name: hidden_measure(measured(rfm, kind)) for name, kind in kinds.items()}
    count = measures["frequency"].name
    return [
        *(MeasureStep(measure, path) for measure in measures.values()),
        *(
            RowStep(rfm_column(table, name), frozenset({m.name, count}), _if_any(m.name, count), path)
            for name, m in measures.items()
        ),
    ]


def _if_any(value: str, count: str) -> Callable[[Dtypes], pl.Expr]:
    return lambda _: pl.when(pl.col(count) > 0).then(pl.col(value))


def fitted(table: str, rfm: Rfm, customers: pl.DataFrame) -> Layers:
    """The scores that cuts over customers with all three values give; the others have none."""
    return _scores(table, rfm, fit(table, rfm, customers.filter(_scored(table))))


def again(table: str, rfm: Rfm, told: Told, schema: Dtypes) -> Layers | None:
    """The scores that the cuts of an earlier run give; None where it has not told them all."""
    cuts = kept(table, rfm, [one for one in told if isinstance(one, Threshold)], schema)
    return None if cuts is None else _scores(table, rfm, cuts)


def _scored(table: str) -> pl.Expr:
    return pl.all_horizontal(pl.col(rfm_column(table, name)).is_not_null() for name in RAW.values())


def _scores(table: str, rfm: Rfm, cuts: Sequence[Cuts]) -> Layers:
    scored = _scored(table)
    scores = [pl.when(scored).then(cut.score()).alias(rfm_column(table, SCORES[cut.measure])) for cut in cuts]
    # Nested scores come after those that they are nested in.
    layers = [[score] for score in scores] if any(cut.outer for cut in cuts) else [scores]
    named = [code(table, rfm.bins), segment(table, rfm)]
    return Layers([*layers, named], [t for cut in cuts for t in cut.thresholds()])


def code(table: str, bins: int) -> pl.Expr:
    """The three scores as text: `545`, or `10-5-5` with ten bins."""
    scores = [pl.col(rfm_column(table, name)).cast(pl.String) for name in SCORES.values()]
    return pl.concat_str(scores, separator="-" if bins == 10 else "").alias(rfm_column(table, "rfm_code"))


def segment(table: str, rfm: Rfm) -> pl.Expr:
    """The segment that the map gives to the scores; one lookup over all codes, whichever the map."""
    recency, frequency, monetary = (pl.col(rfm_column(table, name)) for name in SCORES.values())
    codes = {r * 10_000 + f * 100 + m: name for (r, f, m), name in map_codes(rfm).items()}
    number = recency * 10_000 + frequency * 100 + monetary
    names = number.replace_strict(codes, default=None, return_dtype=pl.String)
    return names.alias(rfm_column(table, "rfm_segment"))
