"""All counts of a run add up: those of some customers and those of the others make those of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from segkit.gates.ledger import Line
from segkit.operations import decide
from segkit.operations.summary.count import tally_of_customers
from segkit.operations.tally import Tally
from segkit.rules.model.file import RuleFile
from tests.desk import Desk

RULES = """
version = 1
as_of = 2024-03-31
[customers]
path = "customers.csv"
key = "id"
types = { income = "number" }
[output]
profile = ["income", "age"]
[[score.lead.rule]]
demographic.age.min = 30
points = 10
[score.lead.grades]
warm = 10
cold = 0
[segment.all]
everyone = true
each = ["country", "age"]
holdout = 20
[segment.rich]
demographic.income.min = 500
split = { A = 50, B = 50 }
limit = 40
[segment.young]
demographic.age.below = 30
write = false
[segment.none]
demographic.age.above = 200
"""


def customers(count: int) -> pl.DataFrame:
    numbers = range(count)
    return pl.DataFrame(
        {
            "id": [f"c{n:03d}" for n in numbers],
            "age": [None if n % 7 == 0 else 18 + n % 50 for n in numbers],
            "income": [None if n % 5 == 0 else f"{(n * 7919) % 1000}.{n % 10}5" for n in numbers],
            "country": [["FR", "DE", None, "Fr"][n % 4] for n in numbers],
        }
    )


@pytest.mark.parametrize("pieces", [1, 2, 3, 11])
def test_pieces_add_up(desk: Desk, pieces: int, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put("customers.csv", customers(150))
    desk.apply(RULES, "-o", desk / "whole")

    def in_pieces(rules: RuleFile, rows: pl.DataFrame, lines: Mapping[str, Line], chosen: Sequence[str]) -> Tally:
        total = Tally()
        for piece in range(pieces):
            here = pl.int_range(len(rows), eager=True) % pieces == piece
            some = {name: _some(line, here) for name, line in lines.items()}
            total = total.add(tally_of_customers(rules, rows.filter(here), some, chosen))
        return total

    monkeypatch.setattr(decide, "tally_of_customers", in_pieces)
    desk.apply(RULES, "-o", desk / "pieces")
    assert _told(desk / "pieces") == _told(desk / "whole")


def test_no_digit_is_lost() -> None:
    amounts = [Decimal("1234567890123456789.1234567891"), Decimal("0.0000000001"), Decimal("-0.0000000003")]
    total = Tally()
    for amount in amounts:
        total = total.add(Tally({("total", "x"): amount}))
    assert total.numbers["total", "x"] == Decimal("1234567890123456789.1234567889")


def _some(line: Line, here: pl.Series) -> Line:
    masks: dict[str, Any] = {
        name: mask if mask is None else mask.filter(here)
        for name, mask in line._asdict().items()
        if name in ("matched", "written", "held", "variants")
    }
    return line._replace(**masks, stopped={reason: mask.filter(here) for reason, mask in line.stopped.items()})


def _told(folder: Path) -> dict[str, bytes]:
    """Every file, and the manifest without its times."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    manifest = files.pop("manifest.json").decode()
    return {**files, "manifest.json": manifest.split('"times"')[0].encode()}
