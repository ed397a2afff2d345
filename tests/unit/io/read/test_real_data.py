"""The real files that these readers were made for; skipped where they are not."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from segkit.errors import DataError
from segkit.io.read import Table
from tests.unit.io.read.fixture_types import Opener

DATA = Path(__file__).parents[5] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real data (../shared/data) is not on this machine")


@pytest.fixture
def real(opened: Opener) -> Opener:
    return lambda path, **source: opened(path=path, base=DATA, **source)


def kinds(table: Table, *names: str) -> list[str]:
    return [str(table.columns[name].type) + "~" * table.columns[name].mixed for name in names]


def collected(table: Table, *names: str) -> pl.DataFrame:
    frame = table.frame.select(table.value(name) for name in names).collect(engine="streaming")
    tests = [test.sum() for name in names if (test := table.bad(name)) is not None]
    assert not any(sum(counts) for counts in table.frame.select(tests).collect(engine="streaming").rows())
    return frame


def test_adventureworks(real: Opener) -> None:
    table = real("adventureworks/AdventureWorks_Customers.csv")
    assert table.detected["encoding"] == "cp1252"
    names = ("CustomerKey", "BirthDate", "AnnualIncome", "TotalChildren", "HomeOwner")
    assert kinds(table, *names) == ["integer", "date", "integer", "integer", "text"]
    frame = collected(table, *names, "Gender")
    assert frame.height == 18148
    assert frame["AnnualIncome"].max() == 170_000
    assert str(frame["BirthDate"].min()) == "1910-08-13"
    assert frame["Gender"].null_count() + (frame["Gender"] == "NA").sum() == 130
    assert collected(real("adventureworks/*_Sales_*.csv"), "OrderDate", "OrderQuantity").height == 56046


def test_online_retail(real: Opener) -> None:
    table = real("retail/online_retail.csv.gz")
    assert kinds(table, "InvoiceNo", "InvoiceDate", "UnitPrice") == ["integer~", "date", "number"]
    keys = table.frame.select(table.key("CustomerID")).collect(engine="streaming")["CustomerID"]
    assert (len(keys), keys.null_count(), keys[0]) == (541_909, 135_080, "17850.0")
    frame = collected(table, "InvoiceDate", "Quantity", "UnitPrice")
    assert (frame["Quantity"] < 0).sum() == 10_624
    assert str(frame["InvoiceDate"].max()) == "2011-12-09"


def test_cdnow(opened: Opener) -> None:
    table = opened(path="clv/CDNOW_master.txt", base=DATA, time_columns=("date",))
    assert table.detected["delimiter"] == "runs of spaces"
    frame = collected(table, "customer_id", "date", "number_of_cds", "dollar_value")
    assert (frame.height, frame["customer_id"][0], str(frame["date"].max())) == (69_659, "00001", "1998-06-30")


def test_marketing_campaign(real: Opener) -> None:
    table = real("customers/marketing_campaign.tsv")
    frame = collected(table, "Dt_Customer", "Income", "Year_Birth")
    assert (frame.height, frame["Income"].null_count(), frame["Year_Birth"].min()) == (2240, 24, 1893)
    assert str(frame["Dt_Customer"].max()) == "2014-06-29"


def test_telco_blanks_are_missing(real: Opener) -> None:
    frame = collected(real("customers/telco_churn.csv"), "TotalCharges", "Churn")
    assert frame["TotalCharges"].null_count() == 11


def test_leads_has_an_empty_last_column(real: Opener) -> None:
    table = real("leads/Leads.csv")
    assert list(table.columns)[-1] == f"column_{len(table.columns)}"
    assert table.frame.select(pl.len()).collect().item() == 9240


def test_communes_keep_their_zeros(real: Opener) -> None:
    table = real("geo/fr_communes_2026.csv")
    assert kinds(table, "code", "codesPostaux", "population", "latitude") == ["text", "text", "number", "number"]
    assert collected(table, "latitude")["latitude"].null_count() == 20


MALFORMED = {
    "customers_malformed.csv": (8, "24 lines have too many or too few fields"),
    "orders_malformed.csv": (4, "176 lines have too many or too few fields"),
    "orders_with_lines.csv": (1, "columns 1 and 15 are both named `OrderID`"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_northwind_malformed(real: Opener, name: str) -> None:
    line, message = MALFORMED[name]
    with pytest.raises(DataError) as raised:
        real(f"northwind/{name}")
    location = raised.value.diagnostics[0].location
    assert location is not None and location.line == line
    assert raised.value.diagnostics[-1].message == message


def test_rfm_r(real: Opener) -> None:
    table = real("rfm_r/rfm_data_orders.csv")
    assert collected(table, "order_date", "revenue")["revenue"].sum() == 464_158
