"""What a cut finds is small and can be sent; it is found in the columns that the cut asks for and in nothing else."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segkit.columns.bucket import Bucket
from segkit.columns.features.groups import means, quantiles, shares
from segkit.columns.features.steps import CutStep, Fitted
from segkit.criteria.context import share_of
from segkit.rules.model.computed.traits import Bands
from segkit.rules.model.conditions import Share
from tests.desk import Desk

ORDERS = 6_000
HEAD = """
version = 1
as_of = 2024-12-31
[customers]
path = "customers.csv"
key = "id"
[events.orders]
path = "orders.csv"
time = "day"
amount = "amount"
id = "no"
[output]
columns = [COLUMNS]
[segment.all]
everyone = true
"""
RFM = '"rfm_code", "rfm_segment", "recency_days", "monetary"'
CUTS = {
    "scores": (RFM, '[rfm]\nevents = "orders"\n'),
    "split by key": (RFM, '[rfm]\nevents = "orders"\nties = "split"\n'),
    "nested": (RFM, '[rfm]\nevents = "orders"\nmethod = "nested"\n'),
    "cutoffs": (
        RFM,
        '[rfm]\nevents = "orders"\nmethod = "cutoffs"\nbins = 3\n'
        "[rfm.cutoffs]\nrecency = [30, 90]\nfrequency = [2, 4]\nmonetary = [50, 100.5]\n",
    ),
    "shares of all": (
        '"age"',
        "[segment.top.demographic]\nage.top_percent = 10\n[segment.low.demographic]\nage.bottom_percent = 7.5\n",
    ),
    "shares of groups": (
        '"age"',
        "[segment.top.demographic]\nage.top_percent = { percent = 10, per = ['town', 'size'] }\n"
        "[segment.low.demographic]\nage.bottom_percent = { percent = 7.5, per = 'town' }\n",
    ),
    "quantiles": (
        '"decile", "third"',
        '[trait.decile]\nbands = { of = "age", quantiles = 10, per = ["town", "size"] }\n'
        '[trait.third]\nbands = { of = "age", quantiles = 3, labels = ["low", "middle", "high"] }\n',
    ),
    "means": (
        '"mean", "of_all", "above"',
        '[trait.mean]\nmean_of = "age"\nper = "town"\n[trait.of_all]\nmean_of = "age"\n'
        '[trait.above]\nsql = "age > mean"\n',
    ),
    "predictions": (
        '"p_alive", "expected_orders", "clv"',
        '[value]\nevents = "orders"\npredict = { horizon = "12 months" }\n',
    ),
}

KINDS = [pytest.param(kind, marks=[pytest.mark.extra("predict")] * (kind == "predictions")) for kind in CUTS]


def fill(desk: Desk) -> None:
    numbers = range(1_000)
    people = {
        "id": numbers,
        "age": [18 + (n * 31) % 60 if n % 11 else None for n in numbers],
        "town": [f"town {n % 7}" if n % 7 else None for n in numbers],
        "size": [n * n % 3 for n in numbers],
    }
    desk.put("customers.csv", pl.DataFrame(people))
    orders = range(ORDERS)
    days = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 12, 31), eager=True)
    desk.put(
        "orders.csv",
        pl.DataFrame(
            {
                "no": orders,
                "id": [(n * n * 7 + n % 13) % 900 for n in orders],
                "day": [days[(n * 7919 + n * n) % 366] for n in orders],
                "amount": [f"{(n * 104729) % 200 + 1}.{n % 100:02d}" for n in orders],
            }
        ),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_cut_finds_can_be_sent(desk: Desk, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    columns, section = CUTS[kind]
    rules = HEAD.replace("COLUMNS", columns) + section
    fill(desk)
    desk.apply(rules, "-o", desk / "here")
    sizes: list[int] = []
    advance = Bucket.advance

    def sent(bucket: Bucket, fitted: Mapping[CutStep, Fitted]) -> list[CutStep]:
        packed = {cut: pickle.dumps(found) for cut, found in fitted.items()}
        sizes.extend(map(len, packed.values()))
        return advance(bucket, {cut: pickle.loads(found) for cut, found in packed.items()})

    monkeypatch.setattr(Bucket, "advance", sent)
    desk.apply(rules, "-o", desk / "there")
    assert files(desk / "there") == files(desk / "here")
    assert sizes and max(sizes) < 30_000, sizes


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_sees_what_it_asks_for(desk: Desk, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    columns, section = CUTS[kind]
    fill(desk)
    seen: list[tuple[CutStep, list[str]]] = []
    asked = Bucket.asked

    def noted(bucket: Bucket, cut: CutStep) -> pl.DataFrame:
        frame = asked(bucket, cut)
        seen.append((cut, frame.columns))
        return frame

    monkeypatch.setattr(Bucket, "asked", noted)
    desk.apply(HEAD.replace("COLUMNS", columns) + section, "-o", desk / "out")
    assert seen
    for cut, names in seen:
        assert set(names) - {"\x1fkey:"} == cut.needs
        assert ("\x1fkey:" in names) == cut.by_key == (kind == "split by key")
        for field in dataclasses.fields(cut):
            value: Any = getattr(cut, field.name)
            assert not isinstance(value, (pl.DataFrame, pl.Series, pl.LazyFrame))


NUMBERS = st.none() | st.sampled_from([-0.0, 0.0, 0.1, 0.3, 1.0, 2.5]) | st.integers(-3, 3).map(float)
GROUPS = st.sampled_from(["a", "b", "", None])
FITS: dict[str, Callable[[pl.DataFrame], Fitted]] = {
    "top": lambda frame: shares(
        share_of("x", "top_percent", Share(percent=Decimal("12.5"), per=("g", "h"))), "c", frame
    ),
    "low": lambda frame: shares(share_of("x", "bottom_percent", Share(percent=40)), "c", frame),
    "bands": lambda frame: quantiles(Bands(of="x", quantiles=7, per=("g",)), "c", frame),
    "labels": lambda frame: quantiles(Bands(of="x", quantiles=2, labels=("l", "h"), per=("h", "g")), "c", frame),
    "bands of all": lambda frame: quantiles(Bands(of="x", quantiles=100), "c", frame),
    "mean": lambda frame: means("x", ("g", "h"), "c", frame),
    "mean of all": lambda frame: means("x", (), "c", frame),
}


@pytest.mark.parametrize("kind", FITS)
@given(data=st.data())
@settings(deadline=None)
def test_a_cut_holds_for_any_of_the_customers(kind: str, data: st.DataObject) -> None:
    """Some customers get from it what they get among all, in any order; so do none."""
    values = data.draw(st.lists(st.tuples(NUMBERS, GROUPS, GROUPS), max_size=30))
    schema = {"x": pl.Float64, "g": pl.String, "h": pl.String}
    frame = pl.DataFrame(values, schema=schema, orient="row").with_row_index("n")
    found = FITS[kind](frame)
    of_all = found.add(frame.lazy()).collect()
    some = frame.sample(fraction=0.5, shuffle=True, seed=len(values))
    apart = found.add(some.lazy()).collect()
    assert apart.columns == [*frame.columns, "c"]
    assert apart.rows() == some.join(of_all, on="n", maintain_order="left").select(*apart.columns).rows()
    shuffled = FITS[kind](frame.sample(fraction=1, shuffle=True, seed=1))
    assert shuffled.add(frame.lazy()).collect().equals(of_all)
    assert shuffled.told == found.told


@given(
    st.lists(NUMBERS, min_size=1, max_size=60),
    st.integers(2, 100),
    st.sampled_from([pl.Float64, pl.Int64, pl.Decimal(38, 10)]),
)
@settings(deadline=None)
def test_bands_by_cuts_are_those_of_the_formula(
    values: list[float | None], count: int, dtype: pl.DataType | type[pl.DataType]
) -> None:
    """(rank - 1) * n div N + 1, with the lowest rank of equal values among the N customers who have one."""
    frame = pl.DataFrame({"x": pl.Series(values).cast(pl.Float64).cast(dtype)})
    known = frame["x"].drop_nulls().to_list()
    ranks = [None if value is None else 1 + sum(other < value for other in known) for value in frame["x"]]
    expected = [None if rank is None else (rank - 1) * count // len(known) + 1 for rank in ranks]
    found = quantiles(Bands(of="x", quantiles=count), "c", frame).add(frame.lazy()).collect()
    assert found["c"].to_list() == expected


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix == ".csv"}
