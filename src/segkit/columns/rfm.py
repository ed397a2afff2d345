"""RFM: three measures, the cuts that turn them into scores, and the map from scores to segments.

A cut is a value and whether it belongs to the upper side. Quantiles are order statistics without interpolation, so
quantile and own cutoffs are one mechanism: a score is 1 + the number of cuts that a value passes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import Any

import polars as pl

from segkit.columns.hidden import KEY
from segkit.columns.steps import CutStep, MeasureStep, RowStep, Step, hidden_measure, measured
from segkit.criteria.kinds import Schema, exact
from segkit.results import Threshold
from segkit.rules.features import RFM_COLUMNS, Cutoffs, MapRow, Rfm, RfmColumns
from segkit.rules.findings import Path
from segkit.rules.measures import Measure as MeasureName

RAW = {"recency": "recency_days", "frequency": "frequency", "monetary": "monetary"}
SCORES = {"recency": "r_score", "frequency": "f_score", "monetary": "m_score"}
FALLING = frozenset({"recency"})
"""Measures of which low values score high."""
OTHER = "other"


@dataclass(frozen=True)
class Cuts:
    """The cuts of one measure, rising with the score; `falling` when low values score high, as with recency.

    With `keys`, equal values are told apart by key: a cut is the pair of both.
    """

    measure: str
    values: tuple[Any, ...]
    inclusive: bool
    falling: bool
    keys: tuple[str, ...] = ()

    def score(self) -> pl.Expr:
        """1 + the number of cuts that the value passes; missing where the value is."""
        value = pl.col(RAW[self.measure])
        passed = [self._passes(value, position) for position in range(len(self.values))]
        count = pl.sum_horizontal([pl.lit(0, pl.Int64), *(p.cast(pl.Int64) for p in passed)])
        return pl.when(value.is_not_null()).then(1 + count).alias(SCORES[self.measure])

    def _passes(self, value: pl.Expr, position: int) -> pl.Expr:
        given = self.values[position]
        cut = exact(given) if isinstance(given, Decimal) else given
        beyond: pl.Expr = value < cut if self.falling else value > cut
        if self.keys:
            return beyond | (value.eq(cut) & (pl.col(KEY) >= self.keys[position]))
        return beyond | value.eq(cut) if self.inclusive else beyond

    def threshold(self) -> Threshold:
        """The cuts as the summary shows them, values rising."""
        values = [_exact(v) for v in self.values]
        turned = slice(None, None, -1) if self.falling else slice(None)
        keys = tuple(self.keys[turned])
        return Threshold(RAW[self.measure], tuple(values[turned]), self.inclusive, keys, self.falling)


def _exact(value: Any) -> Decimal:
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize()


def rfm_steps(rfm: Rfm) -> list[Step]:
    """The three values of a customer, and the scores that their cuts give."""
    path: Path = ("rfm",)
    values = _own_values(rfm.columns, path) if rfm.columns else _values(rfm, path)
    types = {name: pl.Int64() if name.endswith("_score") else pl.String() for name in RFM_COLUMNS[3:]}
    scores = CutStep(RFM_COLUMNS[3:], frozenset(RAW.values()), types, lambda frame: _fitted(rfm, frame), path)
    return [*values, scores]


def _own_values(columns: RfmColumns, path: Path) -> list[Step]:
    own = {name: getattr(columns, name) for name in RAW.values()}
    return [
        RowStep(name, frozenset({column}), _column(column), (*path, "columns", name))
        for name, column in own.items()
        if name != column
    ]


def _column(name: str) -> Callable[[Schema], pl.Expr]:
    return lambda _: pl.col(name)


def _values(rfm: Rfm, path: Path) -> list[Step]:
    """Measured over the events; customers without one have no values, not even a frequency of 0."""
    frequency: MeasureName = "count" if rfm.frequency == "events" else "active_days"
    kinds: dict[str, MeasureName] = {
        "recency_days": "days_since_last", "frequency": frequency, "monetary": rfm.monetary
    }  # fmt: skip
    measures = {name: hidden_measure(measured(rfm, kind)) for name, kind in kinds.items()}
    count = measures["frequency"].name
    return [
        *(MeasureStep(measure, path) for measure in measures.values()),
        *(RowStep(name, frozenset({m.name, count}), _if_any(m.name, count), path) for name, m in measures.items()),
    ]


def _if_any(value: str, count: str) -> Callable[[Schema], pl.Expr]:
    return lambda _: pl.when(pl.col(count) > 0).then(pl.col(value))


def _fitted(rfm: Rfm, customers: pl.DataFrame) -> tuple[list[list[pl.Expr]], list[Threshold]]:
    """Cuts over the customers that have all three values; the others have no score."""
    scored = pl.all_horizontal(pl.col(name).is_not_null() for name in RAW.values())
    needed = [*([KEY] if rfm.ties == "split" else []), *RAW.values()]
    cuts = fit(rfm, customers.select(needed).filter(scored))
    scores = [pl.when(scored).then(cut.score()).alias(SCORES[cut.measure]) for cut in cuts]
    return [scores, [code(rfm.bins), segment(rfm)]], [cut.threshold() for cut in cuts]


def fit(rfm: Rfm, customers: pl.DataFrame) -> list[Cuts]:
    """The cuts of the three measures over customers that have them all (columns as `[rfm]` names them, and the key)."""
    if rfm.cutoffs:
        return [_own(rfm.cutoffs, measure) for measure in RAW]
    if rfm.ties == "split":
        by_key = {m: customers.sort(RAW[m], KEY, descending=[m in FALLING, False]) for m in RAW}
        return [_split(measure, rfm.bins, ranked[RAW[measure]], ranked[KEY]) for measure, ranked in by_key.items()]
    ranked = customers.lazy().select(pl.col(name).sort(descending=m in FALLING) for m, name in RAW.items()).collect()
    return [_quantiles(measure, rfm.bins, rfm.ties, ranked[name]) for measure, name in RAW.items()]


def _own(cutoffs: Cutoffs, measure: str) -> Cuts:
    values = getattr(cutoffs, measure)
    if measure in FALLING:
        return Cuts(measure, tuple(reversed(values)), inclusive=False, falling=True)
    return Cuts(measure, values, inclusive=True, falling=False)


def _quantiles(measure: str, bins: int, ties: str, ranked: pl.Series) -> Cuts:
    """Score k + 1 is for values beyond that of rank ceil(k N / bins); high: from that of rank k N // bins + 1 on."""
    n, high = len(ranked), ties == "high"
    at = [k * n // bins if high else -(-k * n // bins) - 1 for k in range(1, bins)] if n else []
    return Cuts(measure, tuple(ranked[at]), inclusive=high, falling=measure in FALLING)


def _split(measure: str, bins: int, ranked: pl.Series, keys: pl.Series) -> Cuts:
    """Score k + 1 is for those with ceil(k N / bins) customers or more ranked before them, equal values by key."""
    n = len(ranked)
    at = [before for k in range(1, bins) if (before := -(-k * n // bins)) < n]
    return Cuts(measure, tuple(ranked[at]), inclusive=False, falling=measure in FALLING, keys=tuple(keys[at]))


def code(bins: int) -> pl.Expr:
    """The three scores as text: `545`, or `10-5-5` with ten bins."""
    separator = "-" if bins == 10 else ""
    return pl.concat_str([pl.col(name).cast(pl.String) for name in SCORES.values()], separator=separator).alias(
        "rfm_code"
    )


def segment(rfm: Rfm) -> pl.Expr:
    """The segment that the map gives to the scores; one lookup over all codes, whichever the map."""
    names = map_codes(rfm)
    number = pl.col("r_score") * 10_000 + pl.col("f_score") * 100 + pl.col("m_score")
    codes = {r * 10_000 + f * 100 + m: name for (r, f, m), name in names.items()}
    return number.replace_strict(codes, default=None, return_dtype=pl.String).alias("rfm_segment")


def map_codes(rfm: Rfm) -> dict[tuple[int, int, int], str]:
    """The segment of every code, scores from 1 to `bins`."""
    scores = range(1, rfm.bins + 1)
    if rfm.segment:
        return {code: _first_match(rfm.segment, code) for code in product(scores, scores, scores)}
    published = STANDARD if rfm.map == "standard" else RF
    scaled = {score: (score * 5 + rfm.bins - 1) // rfm.bins for score in scores}
    return {(r, f, m): published[scaled[r], scaled[f], scaled[m]] for r, f, m in product(scores, scores, scores)}


def _first_match(rows: Sequence[MapRow], code: tuple[int, int, int]) -> str:
    for row in rows:
        ranges = (row.r, row.f, row.m)
        if all(wanted is None or wanted[0] <= score <= wanted[1] for wanted, score in zip(ranges, code, strict=True)):
            return row.name
    return OTHER


_STANDARD_TEXT = """
champions 555 554 544 545 454 455 445
loyal 543 444 435 355 354 345 344 335
potential_loyalist 553 551 552 541 542 533 532 531 452 451 442 441 431 453 433 432 423 353 352 351 342 341 333 323
new 512 511 422 421 412 411 311
promising 525 524 523 522 521 515 514 513 425 424 413 414 415 315 314 313
need_attention 535 534 443 434 343 334 325 324
about_to_sleep 331 321 312 221 213 231 241 251
at_risk 255 254 245 244 253 252 243 242 235 234 225 224 153 152 145 143 142 135 134 133 125 124
cant_lose 155 154 144 214 215 115 114 113
hibernating 332 322 233 232 223 222 132 123 122 212 211
lost 111 112 121 131 141 151
"""

STANDARD: dict[tuple[int, int, int], str] = {
    (int(code[0]), int(code[1]), int(code[2])): line.split()[0]
    for line in _STANDARD_TEXT.strip().splitlines()
    for code in line.split()[1:]
}
"""The usual map of eleven segments, a partition of the 125 codes."""

_RF_ROWS = (
    MapRow(name="hibernating", r=(1, 2), f=(1, 2)),
    MapRow(name="at_risk", r=(1, 2), f=(3, 4)),
    MapRow(name="cant_lose", r=(1, 2), f=(5, 5)),
    MapRow(name="about_to_sleep", r=(3, 3), f=(1, 2)),
    MapRow(name="need_attention", r=(3, 3), f=(3, 3)),
    MapRow(name="loyal", r=(3, 4), f=(4, 5)),
    MapRow(name="promising", r=(4, 4), f=(1, 1)),
    MapRow(name="new", r=(5, 5), f=(1, 1)),
    MapRow(name="potential_loyalist", r=(4, 5), f=(2, 3)),
    MapRow(name="champions", r=(5, 5), f=(4, 5)),
)

RF: dict[tuple[int, int, int], str] = {
    code: _first_match(_RF_ROWS, code) for code in product(range(1, 6), range(1, 6), range(1, 6))
}
"""A map of ten segments that looks at recency and frequency alone, a partition of the 25 cells."""
