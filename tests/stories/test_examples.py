"""The shipped examples, from end to end, checked by counting in another way: DuckDB over the same files."""

from __future__ import annotations

import csv
import io
import json

import duckdb
import pytest

FOLDERS = ["adventureworks", "rfm"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_rule_file_has_nothing_wrong_with_it(desk, examples, folder):
    done = desk.segkit("check", examples / folder / "rules.toml", "--data", "--fail-on", "warning", "--json")
    assert json.loads(done.stdout)["diagnostics"] == []


@pytest.fixture(scope="module")
def bicycles(new_desk, examples):
    desk = new_desk()
    done = desk.segkit("apply", examples / "adventureworks/rules.toml", "-o", desk / "out", "--json")
    return desk, {s["name"]: s for s in json.loads(done.stdout)["segments"]}


@pytest.fixture(scope="module")
def shop(examples):
    """The same data in DuckDB."""
    folder = examples / "adventureworks"
    db = duckdb.connect()
    customers = (folder / "AdventureWorks_Customers.csv").read_bytes().decode("cp1252")
    header, *rows = csv.reader(io.StringIO(customers, newline=""))
    values = ", ".join("(" + ", ".join("'" + v.replace("'", "''") + "'" for v in row) + ")" for row in rows if row)
    db.execute(f"create table customers as select * from (values {values}) t({', '.join(header)})")
    db.execute(
        f"""create table orders as
        select CustomerKey::varchar k, strptime(OrderDate::varchar, '%m/%d/%Y')::date d, OrderNumber id,
               OrderQuantity q, ProductKey p, TerritoryKey t
        from read_csv('{folder}/AdventureWorks_Sales_*.csv', all_varchar = true)"""
    )
    db.execute(
        f"""create table lines as select o.*, c.CategoryName category, s.SubcategoryName sub,
               o.q::decimal(10, 0) * p.ProductPrice::decimal(18, 4) total
        from orders o
        left join read_csv('{folder}/AdventureWorks_Products.csv', all_varchar = true) p on o.p = p.ProductKey
        left join read_csv('{folder}/AdventureWorks_Product_Subcategories.csv', all_varchar = true) s
          on p.ProductSubcategoryKey = s.ProductSubcategoryKey
        left join read_csv('{folder}/AdventureWorks_Product_Categories.csv', all_varchar = true) c
          on s.ProductCategoryKey = c.ProductCategoryKey
        where o.d <= date '2017-07-01'"""
    )
    return db


BOUGHT = "CustomerKey in (select k from lines where {})"
SEGMENTS = {
    "affluent-homeowners": "replace(replace(trim(AnnualIncome), '$', ''), ',', '')::int >= 100000 and HomeOwner = 'Y'",
    "families": "TotalChildren::int >= 3 and " + BOUGHT.format("d >= date '2016-07-01'"),
    "bike-no-helmet": BOUGHT.format("category = 'Bikes'") + " and not " + BOUGHT.format("sub = 'Helmets'"),
    "tyres-due": BOUGHT.format("category = 'Bikes' and d between date '2016-01-01' and date '2017-01-01'")
    + " and not "
    + BOUGHT.format("sub = 'Tires and Tubes' and d >= date '2017-01-01'"),
    "big-baskets": "CustomerKey in (select k from lines group by k "
    "having count(distinct id) >= 2 and sum(total) / count(distinct id) > 1500)",
    "young-professionals": "Occupation in ('Professional', 'Management') "
    "and date_diff('year', strptime(BirthDate, '%m/%d/%Y')::date, date '2017-07-01') "
    "- (strftime(strptime(BirthDate, '%m/%d/%Y'), '%m%d') > '0701')::int <= 49",
    "birthday-week": "strftime(strptime(BirthDate, '%m/%d/%Y'), '%m%d') between '0701' and '0708'",
    "never-bought": "not " + BOUGHT.format("true"),
}


@pytest.mark.parametrize("name", SEGMENTS)
def test_who_is_in_a_segment(bicycles, shop, name):
    desk, summary = bicycles
    expected = [k for (k,) in shop.execute(f"select CustomerKey from customers where {SEGMENTS[name]}").fetchall()]
    rows = desk.read(f"out/{name}.csv")
    assert sorted(r["CustomerKey"] for r in rows) == sorted(expected)
    assert summary[name]["written"] == len(expected) > 0
    assert {r["segment"] for r in rows} == {name}


def test_nightly_runs(desk):
    """Night after night into one folder: the lists follow the data, and a bad night changes nothing."""
    desk.put("c.csv", "id,mail\n1,a@x\n2,b@x\n")
    desk.put("o.csv", "id,day,total\n1,2024-01-01,10\n")
    rules = desk.put(
        "rules.toml",
        """version = 1
[customers]
path = "c.csv"
key = "id"
[events.o]
path = "o.csv"
time = "day"
amount = "total"
[segment.active]
behavioural.did = { events = "o", within = "30 days" }
[segment.quiet]
not_in_segment = "active"
""",
    )

    def lists():
        return {name: [r["id"] for r in desk.read(f"segments/{name}.csv")] for name in ("active", "quiet")}

    desk.segkit("apply", rules, "--as-of", "2024-01-31", "-q")
    assert lists() == {"active": ["1"], "quiet": ["2"]}
    desk.put("o.csv", "id,day,total\n1,2024-01-01,10\n2,2024-02-01,5\n")
    desk.segkit("apply", rules, "--as-of", "2024-02-01", "-q")
    assert lists() == {"active": ["2"], "quiet": ["1"]}
    before = desk.tree()
    desk.put("o.csv", "id,day,total\n1,2024-02-30,10\n")
    desk.segkit("apply", rules, "--as-of", "2024-02-02", "-q", code=3)
    assert desk.tree() == before
