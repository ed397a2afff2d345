"""All counts of a run add up: those of some customers and those of the others make those of all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from segkit.gates.ledger import Line
from segkit.io.read import Workspace
from segkit.io.write import FORMATS
from segkit.operations import decide
from segkit.operations.evaluation.counts import tally_of_lookups, tally_of_tables
from segkit.operations.evaluation.evaluate import Evaluated, evaluate
from segkit.operations.progress import silent
from segkit.operations.summary.count import tally_of_customers
from segkit.operations.summary.tally import Tally
from segkit.rules.model.file import RuleFile
from segkit.rules.text.loader import load_rules
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


TABLES = """
version = 1
as_of = 2024-03-31
[customers]
path = "customers.csv"
key = "id"
duplicates = "first"
latitude = "latitude"
longitude = "longitude"
[events.orders]
path = "orders.csv"
time = "day"
[lookup.kinds]
into = "orders"
path = "kinds.csv"
on = "product"
[lookup.regions]
path = "regions.csv"
on = "country"
duplicates = "first"
[consent]
suppress = "out.csv"
suppress_on = "email"
[segment.near]
geographic.near = { latitude = 48.9, longitude = 2.3, km = 900 }
[segment.buyers]
behavioural.did = { events = "orders", where.kind = "a" }
[segment.north]
geographic.region = "north"
"""


def put_piece(desk: Desk, piece: int | None, pieces: int) -> Path:
    """Some of 60 customers, or all, and their orders; those of nobody and whoever comes twice are in the first piece."""
    place = "whole" if piece is None else str(piece)
    here = [n for n in [*range(60), 0] if piece in (None, n % pieces)]
    ordered = {n: (n * 37) % 70 for n in range(200)}
    theirs = {n: who for n, who in ordered.items() if piece in (None, who % pieces if who < 60 else 0)}
    people = [f"c{n},{['FR', 'DE', 'XX'][n % 3]},{48 + n % 9 if n % 7 else ''},2,c{n}@x.org" for n in here]
    orders = [f"c{who},{f'2024-0{n % 5 + 1}-11' if n % 9 else ''},{'ABC'[n % 3]}" for n, who in theirs.items()]
    files = {
        "customers": ["id,country,latitude,longitude,email", *people],
        "orders": ["id,day,product", *orders],
        "kinds": ["product,kind", "A,a", "B,b"],
        "regions": ["country,region", "FR,north", "DE,south", "DE,east"],
        "out": ["email", "c1@x.org", "c8@x.org", "", "nobody@x.org"],
    }
    for name, lines in files.items():
        desk.put(f"{place}/{name}.csv", "\n".join(lines) + "\n")
    return desk.put(f"{place}/rules.toml", TABLES)


@pytest.mark.parametrize("pieces", [2, 5])
def test_tables_add_up(desk: Desk, pieces: int) -> None:
    whole = evaluated(put_piece(desk, None, pieces)).tally
    parts = [evaluated(put_piece(desk, piece, pieces)) for piece in range(pieces)]
    total = tally_of_lookups(parts[0].plan)
    for part in parts:
        total = total.add(tally_of_tables(part.plan, part.computed))
    assert total.numbers == whole.numbers
    assert {entry[-1] for entry, number in whole.numbers.items() if number} >= {
        "customers", "rows", "unknown_customer", "no_time", "after_as_of", "duplicate_key", "located", "email",
    }  # fmt: skip


def evaluated(rules: Path) -> Evaluated:
    """All computed columns of a rule file."""
    with Workspace() as ws:
        return evaluate(load_rules(rules, formats=FORMATS), dt.date(2024, 3, 31), ws, silent)


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
    files = {path.name: path.read_bytes() for path in folder.rglob("*.*")}
    manifest = files.pop("manifest.json").decode()
    return {**files, "manifest.json": manifest.split('"times"')[0].encode()}
