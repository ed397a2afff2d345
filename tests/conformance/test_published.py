"""Results that others have published, from the same data."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from tests.desk import Desk

# The vignette of the R package rfm: name, ranges of r, f and m, customers.
VIGNETTE = [
    ("Champions", (5, 5), (5, 5), (5, 5), 35),
    ("Potential Loyalist", (3, 5), (3, 5), (2, 5), 342),
    ("Loyal Customers", (2, 4), (2, 4), (2, 4), 170),
    ("Promising", (3, 4), (1, 3), (3, 5), 9),
    ("New Customers", (4, 5), (1, 3), (1, 5), 104),
    ("Can't Lose Them", (1, 2), (3, 4), (4, 5), 47),
    ("At Risk", (1, 2), (2, 5), (4, 5), 28),
    ("Need Attention", (1, 3), (3, 5), (3, 5), 10),
    ("About To Sleep", (2, 3), (1, 3), (1, 4), 102),
    ("Lost", (1, 1), (1, 5), (1, 5), 148),
]


def test_the_vignette_of_r_rfm(desk: Desk, examples: Path) -> None:
    rows = "".join(
        f"[[rfm.segment]]\nname = {json.dumps(name)}\nr = {list(r)}\nf = {list(f)}\nm = {list(m)}\n"
        for name, r, f, m, _ in VIGNETTE
    )
    segments = "".join(
        f"[segment.s{i}]\nlabel = {json.dumps(name)}\nrfm = {json.dumps(name)}\n"
        for i, (name, *_) in enumerate(VIGNETTE)
    )
    text = f"""version = 1
as_of = 2006-12-31
[customers]
from = "orders"
key = "customer_id"
[events.orders]
path = "{examples / "rfm/rfm_data_orders.csv"}"
time = "order_date"
amount = "revenue"
[rfm]
events = "orders"
method = "cutoffs"
[rfm.cutoffs]
recency = [115, 181, 297.4, 482]
frequency = [4, 5, 6, 8]
monetary = [255.8, 382, 506.4, 666]
{rows}
{segments}
[segment.all]
rfm.frequency.min = 1
[segment.other]
rfm = "other"
[output]
profile = ["monetary", "frequency"]
"""
    done = desk.json(text)
    written = {s["label"]: s["written"] for s in done["segments"]}
    assert written == {name: count for name, *_, count in VIGNETTE} | {"all": 995, "other": 0}
    everybody = next(s for s in done["segments"] if s["name"] == "all")
    assert everybody["profile"]["monetary"]["total"] == 464_158
    assert everybody["profile"]["frequency"]["total"] == 4_906
    assert done["tables"][-1]["rows"] == 4_906


def test_the_shipped_rule_file_gives_the_vignette(desk: Desk, examples: Path) -> None:
    """By whichever names the example gives its segments."""
    done = json.loads(desk.segkit("apply", examples / "rfm/rules.toml", "-o", desk / "out", "--json").stdout)
    written = sorted(s["written"] for s in done["segments"] if s["write"])
    assert sorted(count for *_, count in VIGNETTE) == [n for n in written if n in {count for *_, count in VIGNETTE}]
    assert done["customers"] == 995


def test_adventureworks(desk: Desk, examples: Path) -> None:
    folder = examples / "adventureworks"
    text = f"""version = 1
as_of = 2017-07-01
[customers]
path = "{folder / "AdventureWorks_Customers.csv"}"
key = "CustomerKey"
[events.orders]
path = "{folder / "AdventureWorks_Sales_*.csv"}"
key = "CustomerKey"
time = "OrderDate"
id = "OrderNumber"
amount = "total"
derive = {{ total = "OrderQuantity * ProductPrice" }}
[lookup.products]
into = "orders"
path = "{folder / "AdventureWorks_Products.csv"}"
on = "ProductKey"
[trait.orders]
events = "orders"
[trait.revenue]
events = "orders"
measure = "sum"
[segment.buyers]
behavioural.orders.min = 1
[output]
columns = []
profile = ["orders", "revenue"]
"""
    done = desk.json(text)
    (buyers,) = done["segments"]
    assert (done["customers"], buyers["written"]) == (18_148, 17_416)
    assert buyers["profile"]["orders"]["total"] == 25_164
    total = json.loads(desk.apply(text, "--json").stdout, parse_float=Decimal)["segments"][0]["profile"]["revenue"][
        "total"
    ]
    assert total == Decimal("24914586.8193")


def test_online_retail(desk: Desk, shared: Callable[[str], Path]) -> None:
    path = shared("retail/online_retail.csv.gz")
    text = f"""version = 1
as_of = 2011-12-31
[customers]
from = "orders"
key = "CustomerID"
[events.orders]
path = "{path}"
time = "InvoiceDate"
id = "InvoiceNo"
amount = "total"
derive = {{ total = "Quantity * UnitPrice" }}
where.Quantity.above = 0
where.UnitPrice.above = 0
[trait.revenue]
events = "orders"
measure = "sum"
[trait.orders]
events = "orders"
[segment.buyers]
behavioural.orders.min = 1
[output]
columns = []
profile = ["revenue"]
"""
    done = json.loads(desk.apply(text, "--json").stdout, parse_float=Decimal)
    (buyers,) = done["segments"]
    assert buyers["written"] == 4_338
    assert buyers["profile"]["revenue"]["total"] == Decimal("8911407.904")
    orders = next(t for t in done["tables"] if t["name"] == "orders")
    assert orders["rows"] == 541_909
    assert orders["left_out"]["no_key"] == 135_080
    assert orders["rows"] - sum(orders["left_out"].values()) == 397_884


# `segkit rfm FILE` without a rule file: counted independently with DuckDB.
@pytest.mark.parametrize(
    ("name", "options", "guesses", "customers", "events", "revenue"),
    [
        ("rfm_r/rfm_data_orders.csv", [], {"key": "customer_id", "time": "order_date", "amount": "revenue"}, 995, 4_906, "464158"),
        (
            "rfm_r/rfm_data_customer.csv",
            [],
            {"key": "customer_id", "recency_days": "recency_days", "frequency": "number_of_orders", "monetary": "revenue"},
            39_999,
            393_223,
            "37537400",
        ),
        (
            "retail/online_retail.csv.gz",
            ["--amount", "Quantity * UnitPrice"],
            {"key": "CustomerID", "time": "InvoiceDate", "id": "InvoiceNo"},
            4_372,
            22_190,
            "8300065.814",
        ),
        ("clv/CDNOW_master.txt", [], {"key": "customer_id", "time": "date", "amount": "dollar_value"}, 23_570, 69_659, "2500315.63"),
    ],
)  # fmt: skip
def test_rfm_without_a_rule_file(
    desk: Desk,
    shared: Callable[[str], Path],
    name: str,
    options: list[str],
    guesses: dict[str, str],
    customers: int,
    events: int,
    revenue: str,
) -> None:
    done = desk.segkit("rfm", shared(name), "--as-of", "2012-01-01", *options, "--json")
    found = json.loads(done.stdout, parse_float=Decimal)
    assert found["guesses"] == guesses
    assert (found["customers"], found["events"]) == (customers, events)
    assert sum(Decimal(s["revenue"]) for s in found["segments"]) == Decimal(revenue)
    assert sum(s["customers"] for s in found["segments"]) == customers
    assert sum(cell["customers"] for cell in found["grid"]) == customers


def test_rfm_of_the_shipped_orders(desk: Desk, examples: Path) -> None:
    done = desk.segkit("rfm", examples / "rfm/rfm_data_orders.csv", "--as-of", "2006-12-31", "--json")
    found = json.loads(done.stdout)
    assert (found["customers"], found["events"]) == (995, 4_906)
    assert sum(s["revenue"] for s in found["segments"]) == 464_158
