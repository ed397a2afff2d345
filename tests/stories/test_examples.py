"""The shipped examples, from end to end, checked by counting in another way: DuckDB over the same files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.desk import Desk

RULES = [
    "adventureworks/rules.toml", "adventureworks/rhythm.toml", "rfm/rules.toml", "leads/rules.toml",
    pytest.param("leads/predict.toml", marks=pytest.mark.extra("predict")),
]  # fmt: skip


@pytest.mark.parametrize("rules", RULES)
def test_the_rule_file_has_nothing_wrong_with_it(desk: Desk, examples: Path, rules: str) -> None:
    done = desk.segkit("check", examples / rules, "--data", "--fail-on", "warning", "--json")
    assert {one["severity"] for one in json.loads(done.stdout)["diagnostics"]} <= {"note"}


@pytest.fixture(scope="module")
def bicycles(new_desk: Callable[[], Desk], examples: Path) -> tuple[Desk, dict[str, Any]]:
    desk = new_desk()
    done = desk.segkit("apply", examples / "adventureworks/rules.toml", "-o", desk / "out", "--json")
    return desk, {s["name"]: s for s in json.loads(done.stdout)["segments"]}


@pytest.fixture(scope="module")
def shop(examples: Path) -> duckdb.DuckDBPyConnection:
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
def test_who_is_in_a_segment(bicycles: tuple[Desk, dict[str, Any]], shop: duckdb.DuckDBPyConnection, name: str) -> None:
    desk, summary = bicycles
    expected = [k for (k,) in shop.execute(f"select CustomerKey from customers where {SEGMENTS[name]}").fetchall()]
    rows = desk.read(f"out/{name}.csv")
    assert sorted(r["CustomerKey"] for r in rows) == sorted(expected)
    assert summary[name]["written"] == len(expected) > 0
    assert {r["segment"] for r in rows} == {name}


@pytest.fixture(scope="module")
def rhythm(new_desk: Callable[[], Desk], examples: Path) -> Desk:
    desk = new_desk()
    desk.segkit("apply", examples / "adventureworks/rhythm.toml", "-o", desk / "out")
    return desk


LINES = "lines b join lines s on s.k = b.k and s.id <> b.id and s.d > b.d"
DAYS_OF = "(select k, min(d) a, max(d) z, count(distinct d) n from lines group by k)"
SPENT = "(select CustomerKey k, coalesce(total, 0) total from customers left join (select k, sum(total) total from lines group by k) on k = CustomerKey)"
AGE = """date_diff('year', strptime(BirthDate, '%m/%d/%Y')::date, date '2017-07-01')
    - (strftime(strptime(BirthDate, '%m/%d/%Y'), '%m%d') > '0701')::int"""
RHYTHM = {
    "bike-then-clothing": f"select b.k from {LINES} where b.category = 'Bikes' and s.category = 'Clothing' "
    "and s.d <= b.d + 60",
    "bike-alone": """select k from lines b where category = 'Bikes' and d >= date '2016-07-01'
        and d + 90 <= date '2017-07-01'
        and not exists (from lines s where s.k = b.k and s.id <> b.id and s.d between b.d and b.d + 90)""",
    "every-quarter": """select k from lines where d > date '2016-07-01' group by k
        having count(distinct (d > date '2016-10-01')::int + (d > date '2017-01-01')::int + (d > date '2017-04-01')::int) = 4""",
    "every-month": """select k from lines where d > date '2017-01-01' group by k having count(distinct
        (d > date '2017-02-01')::int + (d > date '2017-03-01')::int + (d > date '2017-04-01')::int
        + (d > date '2017-05-01')::int + (d > date '2017-06-01')::int) = 6""",
    "second-in-time": """select k from (select k, d, lag(d) over (partition by k order by d, id) first,
        row_number() over (partition by k order by d, id) place from (select k, id, min(d) d from lines group by k, id))
        where place = 2 and d between first + 30 and first + 60""",
    "came-back-soon": """select k from (select k, d, row_number() over (partition by k order by d, id) place
        from (select k, id, min(d) d from lines group by k, id)) where place = 2 and d >= date '2017-06-01'""",
    "later-than-usual": f"""select k from {DAYS_OF} where n > 1 and (z - a) / (n - 1) >= 14
        and (date '2017-07-01' - z) >= 2 * (z - a) / (n - 1)""",
    "best-of-their-age": f"""select k from (select k, total, ceil(0.1 * count(*) over (partition by band)) most,
        rank() over (partition by band order by total desc) place from (select *, case when age < 35 then 1 when age < 50
        then 2 when age < 65 then 3 else 4 end band from (select CustomerKey k, {AGE} age from customers)
        join {SPENT} using (k))) where place <= most""",
    "dressed-by-us": """select k from lines group by k
        having sum(total) filter (category = 'Clothing') > sum(total) / 2""",
    "earn-more": """select CustomerKey from (select *, avg(income) over (partition by Occupation) usual from
        (select *, replace(replace(trim(AnnualIncome), '$', ''), ',', '')::int income from customers))
        where income > 1.5 * usual""",
}


@pytest.mark.parametrize("name", RHYTHM)
def test_who_is_in_a_segment_of_time(rhythm: Desk, shop: duckdb.DuckDBPyConnection, name: str) -> None:
    expected = {
        str(k)
        for (k,) in shop.execute(f"select CustomerKey from customers where CustomerKey in ({RHYTHM[name]})").fetchall()
    }
    found = [row["CustomerKey"] for row in rhythm.read(f"out/{name}.csv")]
    assert set(found) == expected and len(found) == len(expected) > 0


POINTS = """
    select l.*,
      greatest(0, least(100,
          case when l.origin in ('Quote form', 'Sample box') then 20 else 0 end
        + case when l.source = 'Recommendation' then 10 else 0 end
        + case when l.role in ('Office manager', 'Managing director', 'Purchasing') then 20 else 0 end
        + case when l.employees::int between 10 and 249 then 10 else 0 end
        - case when l.role = 'Student' then 30 else 0 end
        + least(15, 3 * coalesce(v.n, 0))
        + least(15, 0.025 * coalesce(v.s, 0))
        + case when v.prices then 20 else 0 end
        + case when e.clicked then 10 else 0 end
        - case when e.gone then 15 else 0 end)) points,
      o.n is not null customer, v.n is not null or coalesce(e.interest, false) interested, coalesce(o.n, 0) orders,
      coalesce(o.total, 0) revenue
    from read_csv('{folder}/leads.csv', all_varchar = true) l
    left join (
      select lead_id, count(*) n, sum(seconds::int) s, bool_or(page = '/prices' and d >= {day} - interval 30 day) prices
      from (select *, visited_at::timestamp::date d from read_csv('{folder}/visits.csv', all_varchar = true))
      where d between {day} - interval 90 day and {day} group by 1) v using (lead_id)
    left join (
      select lead_id, bool_or(result = 'clicked' and d >= {day} - interval 90 day) clicked,
        bool_or(result in ('bounced', 'unsubscribed')) gone,
        bool_or(result in ('opened', 'clicked') and d >= {day} - interval 90 day) interest
      from (select *, sent_on::date d from read_csv('{folder}/emails.csv', all_varchar = true))
      where d <= {day} group by 1) e using (lead_id)
    left join (
      select lead_id, count(distinct order_id) n, sum(total::decimal(18, 2)) total
      from read_csv('{folder}/orders.csv', all_varchar = true) where order_date::date <= {day} group by 1) o using (lead_id)
    where l.created::date <= {day}"""
GRADES = """select *, case when points >= 60 then 'A' when points >= 40 then 'B' when points >= 20 then 'C' else 'D' end grade
    from ({points})"""
DAYS = ["2024-06-30", "2024-03-31"]
Leads = tuple[Desk, dict[str, Any], duckdb.DuckDBPyConnection]


@pytest.fixture(scope="module")
def leads(new_desk: Callable[[], Desk], examples: Path) -> dict[str, Leads]:
    """A day -> the summary of the leads on it, and the same leads in DuckDB."""
    desk, folder, found = new_desk(), examples / "leads", {}
    for day in DAYS:
        done = desk.segkit("apply", folder / "rules.toml", "--as-of", day, "-o", desk / day, "--json")
        db = duckdb.connect()
        points = POINTS.format(folder=folder, day=f"date '{day}'")
        db.execute(f"create table leads as {GRADES.format(points=points)}")
        found[day] = desk, json.loads(done.stdout), db
    return found


@pytest.mark.parametrize("day", DAYS)
def test_the_grades_and_stages_of_leads(leads: dict[str, Leads], day: str) -> None:
    _, summary, db = leads[day]
    counted = {d["column"]: {v["value"]: v["customers"] for v in d["values"]} for d in summary["distributions"]}
    assert counted["lead_grade"] == dict(db.execute("select grade, count(*) from leads group by 1").fetchall())
    stage = """case when customer then 'customer' when grade in ('A', 'B') then 'qualified'
        when interested then 'prospect' else 'lead' end"""
    assert counted["lifecycle"] == dict(db.execute(f"select {stage}, count(*) from leads group by 1").fetchall())


def test_the_best_leads_are_called(leads: dict[str, Leads], examples: Path) -> None:
    desk, _, db = leads["2024-06-30"]
    visits = (
        "(select lead_id from read_csv('{}/visits.csv') where visited_at::date between '2024-06-23' and '2024-06-30')"
    )
    best = db.execute(
        f"""select lead_id from leads where not customer and grade in ('A', 'B') and phone is not null
        and lead_id in {visits.format(examples / "leads")} order by points desc, lead_id limit 10"""
    ).fetchall()
    assert {r["lead_id"] for r in desk.read("2024-06-30/call-today.csv")} == {k for (k,) in best}
    assert len(best) == 10


def test_customers_who_cost_more_than_they_brought(leads: dict[str, Leads]) -> None:
    desk, _, db = leads["2024-06-30"]
    poor = db.execute(
        """select lead_id from leads where orders > 0 and email_opt_in = 'yes'
        and revenue * 0.4 - cost::decimal(18, 2) < 0 order by lead_id"""
    ).fetchall()
    assert [r["lead_id"] for r in desk.read("2024-06-30/not-paid-back.csv")] == [k for (k,) in poor]


def test_more_leads_of_a_better_grade_became_customers(leads: dict[str, Leads]) -> None:
    _, summary, db = leads["2024-03-31"]
    profiles = {s["name"]: s["profile"]["won"] for s in summary["segments"]}
    shares = []
    for grade in "DCBA":
        row = db.execute(
            f"select count(won_on), count(*) from leads where grade = '{grade}' and not customer"
        ).fetchone()
        assert row is not None
        won, open_leads = row
        found = profiles[f"grade-{grade.lower()}"]
        assert (found["total"], found["mean"]) == (won, pytest.approx(won / open_leads, abs=1e-6))
        shares.append(won / open_leads)
    assert shares == sorted(shares) and shares[-1] > 10 * shares[0]


def test_nightly_runs(desk: Desk) -> None:
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

    def lists() -> dict[str, list[str]]:
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
