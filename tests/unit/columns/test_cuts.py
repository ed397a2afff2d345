"""What a cut finds is small and can be sent; it is found in the columns that the cut asks for and in nothing else."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from segkit.columns.bucket import Bucket
from segkit.columns.features.steps import CutStep, Fitted
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
    "quantiles": (RFM, '[rfm]\nevents = "orders"\n'),
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
    "predictions": (
        '"p_alive", "expected_orders", "clv"',
        '[value]\nevents = "orders"\npredict = { horizon = "12 months" }\n',
    ),
}

KINDS = [pytest.param(kind, marks=[pytest.mark.extra("predict")] * (kind == "predictions")) for kind in CUTS]


def fill(desk: Desk) -> None:
    numbers = range(1_000)
    desk.put("customers.csv", pl.DataFrame({"id": numbers, "age": [18 + (n * 31) % 60 for n in numbers]}))
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


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix == ".csv"}
