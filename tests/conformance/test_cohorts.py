"""`segkit cohorts`: periods and their edges, who counts where, rule files, files, and what is shown."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import tomli

from segkit.operations import cohorts as operation
from tests.desk import Desk, event_table, head
from tests.properties.cohorts import Event, cohorts

BY = ("week", "month", "quarter")


def done(desk: Desk, *args: object) -> Any:
    return json.loads(desk.segkit("cohorts", *args, "--json").stdout, parse_float=Decimal)


def orders(desk: Desk, rows: Sequence[str], columns: str = "key,day,total", name: str = "o.csv") -> Path:
    return desk.put(name, "\n".join([columns, *rows]) + "\n")


OF_ORDERS = ("--key", "key", "--time", "day")


def active(found: Any) -> dict[str, list[int]]:
    """Customers of each period, by cohort."""
    return {c["cohort"]: [cell["customers"] for cell in c["cells"]] for c in found["cohorts"]}


EDGES = [
    # by, as_of, the days of one customer; cohort, customers of its periods, whether the last is open
    ("week", "2010-01-10", ["2009-12-28", "2010-01-03"], "2009-W53", [1, 0], False),  # both in the last ISO week
    ("week", "2010-01-10", ["2010-01-03", "2010-01-04"], "2009-W53", [1, 1], False),  # Sunday and Monday
    ("week", "2010-01-09", ["2010-01-01"], "2009-W53", [1, 0], True),
    ("week", "2008-12-31", ["2008-12-29"], "2009-W01", [1], True),  # the ISO year begins before the year
    ("week", "2021-01-04", ["2021-01-03", "2021-01-04"], "2020-W53", [1, 1], True),
    ("week", "1970-01-11", ["1969-12-28", "1970-01-01"], "1969-W52", [1, 1, 0], False),
    ("week", "2024-03-03", ["2024-02-29"], "2024-W09", [1], False),
    ("month", "2024-02-28", ["2024-02-01"], "2024-02", [1], True),  # a leap year has one more day
    ("month", "2024-02-29", ["2024-02-01", "2024-02-29"], "2024-02", [1], False),
    ("month", "2023-02-28", ["2023-02-28"], "2023-02", [1], False),
    ("month", "2024-03-30", ["2024-02-29", "2024-03-01"], "2024-02", [1, 1], True),
    ("month", "2024-01-01", ["2023-12-31", "2024-01-01"], "2023-12", [1, 1], True),
    ("month", "2024-12-31", ["2023-12-31", "2024-12-31"], "2023-12", [1] + [0] * 11 + [1], False),
    ("month", "1970-01-31", ["1969-12-31"], "1969-12", [1, 0], False),
    ("quarter", "2024-04-01", ["2024-03-31", "2024-04-01"], "2024-Q1", [1, 1], True),
    ("quarter", "2024-03-31", ["2024-01-01", "2024-03-31"], "2024-Q1", [1], False),
    ("quarter", "2024-03-30", ["2024-01-01"], "2024-Q1", [1], True),
    ("quarter", "2024-12-31", ["2023-12-31", "2024-10-01"], "2023-Q4", [1, 0, 0, 0, 1], False),
    ("quarter", "2024-06-29", ["2024-02-29"], "2024-Q1", [1, 0], True),
]


@pytest.mark.parametrize(("by", "as_of", "days", "cohort", "customers", "is_open"), EDGES)
def test_the_edges_of_periods(
    desk: Desk, by: str, as_of: str, days: list[str], cohort: str, customers: list[int], is_open: bool
) -> None:
    path = orders(desk, [f"a,{day},5" for day in days])
    found = done(desk, path, *OF_ORDERS, "--by", by, "--as-of", as_of)
    assert active(found) == {cohort: customers}
    cells = found["cohorts"][0]["cells"]
    assert [cell["open"] for cell in cells] == [False] * (len(cells) - 1) + [is_open]
    assert (found["open_period"] is not None) is is_open
    wanted = [Event("a", date.fromisoformat(day), None, Decimal(5)) for day in days]
    assert found["cohorts"] == cohorts(wanted, date.fromisoformat(as_of), by)


@pytest.mark.parametrize(("by", "label"), [("week", "9999-W52"), ("month", "9999-12"), ("quarter", "9999-Q4")])
def test_the_last_day_of_the_calendar_is_the_end_of_its_period(desk: Desk, by: str, label: str) -> None:
    path = orders(desk, ["a,9999-12-31,5"])
    assert active(done(desk, path, *OF_ORDERS, "--by", by, "--as-of", "9999-12-31")) == {label: [1]}


WHO_COUNTS = [
    # what, rows of key, day, amount and status; customers by cohort, as of 2024-03-31 and with status 'ok'
    ("an order", ["a,2024-01-05,5,ok"], {"2024-01": [1, 0, 0]}),
    ("twice in a month", ["a,2024-01-05,5,ok", "a,2024-01-06,5,ok"], {"2024-01": [1, 0, 0]}),
    ("comes back", ["a,2024-01-05,5,ok", "a,2024-03-31,5,ok"], {"2024-01": [1, 0, 1]}),
    ("rows in any order", ["a,2024-03-31,5,ok", "a,2024-01-05,5,ok"], {"2024-01": [1, 0, 1]}),
    ("first one left out", ["a,2024-01-05,5,no", "a,2024-02-05,5,ok"], {"2024-02": [1, 0]}),
    ("all left out", ["a,2024-01-05,5,no", "b,2024-02-05,5,ok"], {"2024-02": [1, 0]}),
    ("status missing", ["a,2024-01-05,5,", "a,2024-02-05,5,ok"], {"2024-02": [1, 0]}),
    ("no key", [",2024-01-05,5,ok", "b,2024-02-05,5,ok"], {"2024-02": [1, 0]}),
    ("no day", ["a,,5,ok", "a,2024-02-05,5,ok"], {"2024-02": [1, 0]}),
    ("after the day", ["a,2024-02-05,5,ok", "a,2024-04-01,5,ok"], {"2024-02": [1, 0]}),
    ("only after the day", ["a,2024-04-01,5,ok", "b,2024-02-05,5,ok"], {"2024-02": [1, 0]}),
    ("no amount", ["a,2024-01-05,,ok", "a,2024-02-05,,ok", "b,2024-01-01,1,ok"], {"2024-01": [2, 1, 0]}),
    ("cancelled", ["a,2024-01-05,5,ok", "a,2024-02-05,-5,ok"], {"2024-01": [1, 1, 0]}),
    ("a month without anybody new", ["a,2024-01-05,5,ok", "b,2024-03-05,5,ok"], {"2024-01": [1, 0, 0], "2024-03": [1]}),
    ("keys with spaces", ["a,2024-01-05,5,ok", " a ,2024-02-05,5,ok"], {"2024-01": [1, 1, 0]}),
]


@pytest.mark.parametrize(("what", "rows", "customers"), WHO_COUNTS, ids=[what for what, _, _ in WHO_COUNTS])
def test_who_counts_in_which_period(desk: Desk, what: str, rows: list[str], customers: Any) -> None:
    path = orders(desk, rows, "key,day,total,status")
    found = done(desk, path, *OF_ORDERS, "--amount", "total", "--where", "status = 'ok'", "--as-of", "2024-03-31")
    assert active(found) == customers
    fields = [row.split(",") for row in rows]
    events = [
        Event(k.strip(), date.fromisoformat(d) if d else None, None, Decimal(a) if a else None, s == "ok")
        for k, d, a, s in fields
    ]
    assert found["cohorts"] == cohorts(events, date(2024, 3, 31), "month")
    assert (found["customers"], found["without_events"]) == (sum(c[0] for c in customers.values()), 0)


@pytest.mark.parametrize("rows", [[], ["a,2024-04-01,5"], ["a,,5"]])
def test_nobody_at_all(desk: Desk, rows: list[str]) -> None:
    path = orders(desk, rows)
    args = (path, *OF_ORDERS, "--amount", "total", "--as-of", "2024-03-31")
    found = done(desk, *args)
    assert (found["cohorts"], found["customers"], found["events"]) == ([], 0, 0)
    assert "0 customers, 0 events" in desk.segkit("cohorts", *args).stdout
    assert desk.segkit("cohorts", *args, "-q", "-o", "-").stdout == "cohort,customers,open_period\n"


def test_an_order_with_several_lines_is_one_order(desk: Desk) -> None:
    rows = ["a,2024-01-31,5,x", "a,2024-01-31,7,x", "a,2024-02-01,1,x", "b,2024-02-03,2,y", "b,2024-02-03,2,"]
    found = done(desk, orders(desk, rows, "key,day,total,order_id"), *OF_ORDERS, "--as-of", "2024-02-29")
    assert (found["events"], found["guesses"]) == (3, {"id": "order_id", "amount": "total"})
    # An order with lines on two days counts on both, and each line's money where the line is.
    assert active(found) == {"2024-01": [1, 1], "2024-02": [1]}
    assert [[c["revenue"] for c in cohort["cells"]] for cohort in found["cohorts"]] == [[12, 1], [4]]


def test_revenue_is_exact(desk: Desk) -> None:
    rows = [f"a,2024-01-{day:02},0.1" for day in range(1, 31)] + ["a,2024-01-31,0.0000000001", "a,2024-02-01,-7.25"]
    text = desk.segkit("cohorts", orders(desk, rows), *OF_ORDERS, "--as-of", "2024-02-29", "--json").stdout
    assert re.findall(r'"revenue": (\S+),', text) == ["3.0000000001", "-7.25"]


def test_as_of_is_today_where_nothing_is_said(desk: Desk) -> None:
    found = done(desk, orders(desk, ["a,2024-01-05,5"]), *OF_ORDERS)
    assert date.fromisoformat(found["as_of"]) > date(2024, 1, 5)
    assert "the last event of `data` was on 2024-01-05" in found["warnings"][0]["message"]
    assert found["warnings"][0]["hint"].endswith("`--as-of 2024-01-05`")


def test_several_files_are_one_table(desk: Desk) -> None:
    one = orders(desk, ["a,2024-01-05,5"], name="jan.csv")
    two = orders(desk, ["a,2024-02-05,5", "b,2024-02-05,5"], name="feb.csv")
    assert active(done(desk, one, two, *OF_ORDERS, "--as-of", "2024-02-29")) == {"2024-01": [1, 1], "2024-02": [1]}
    assert operation.cohorts([one, two], key="key", time="day").customers == 2


def test_what_rfm_guesses_and_tells_is_guessed_and_told(desk: Desk) -> None:
    rows = ["a,2024-01-05,5", "a,2024-01-05,5", ",2024-02-05,5"]
    path = orders(desk, rows, "customer_id,order_date,amount")
    ours, of_rfm = (
        done(desk, path, "--as-of", "2024-03-01"),
        json.loads(desk.segkit("rfm", path, "--as-of", "2024-03-01", "--json").stdout),
    )
    for field in ("guesses", "rows_are_orders", "warnings", "events", "customers"):
        assert ours[field] == of_rfm[field], field
    left_out = [{t["name"]: t["left_out"] for t in result["tables"]} for result in (ours, of_rfm)]
    assert left_out[0] == left_out[1]
    assert "share customer and time" in ours["warnings"][0]["message"]


NO_MONEY = "key,day,quantity,price"


def test_without_an_amount_there_is_no_revenue(desk: Desk) -> None:
    path = orders(desk, ["a,2024-01-05,2,5", "a,2024-02-05,1,5"], NO_MONEY)
    found = done(desk, path, *OF_ORDERS, "--as-of", "2024-02-29")
    assert [cell["revenue"] for cell in found["cohorts"][0]["cells"]] == [None, None]
    told = desk.segkit("cohorts", path, *OF_ORDERS, "--show", "revenue", code=3).stderr
    assert "holds the money of each row" in told and "name it with `--amount`" in told
    args = ("--amount", "quantity * price", "--show", "revenue", "--as-of", "2024-02-29", "-o", "-", "-q")
    assert desk.segkit("cohorts", path, *OF_ORDERS, *args).stdout.splitlines()[1] == "2024-01,1,,10,5"


RULES = head() + event_table("orders", "o.csv", 'id = "no"', 'amount = "total"') + event_table("visits", "v.csv")
SEGMENT = "[segment.all]\neveryone = true\n"


def shop(desk: Desk) -> None:
    desk.put("c.csv", "id,country\na,FR\nb,FR\nc,DE\nd,DE\n")
    desk.put(
        "o.csv",
        "id,day,no,total,status\na,2024-01-05,1,5,paid\na,2024-02-05,2,7,open\nb,2024-02-09,3,1,paid\n"
        "c,2024-01-31,4,2,paid\nc,2024-02-29,5,2,paid\nx,2024-01-01,6,9,paid\n",
    )
    desk.put("v.csv", "id,day\nd,2023-12-31\na,2024-02-01\n")


def of_rules(desk: Desk, more: str, *args: object) -> Any:
    return done(desk, desk.put("rules.toml", RULES + more + SEGMENT), *args)


CHOICES = [
    # sections, options, the table
    ('[value]\nevents = "visits"\n[rfm]\nevents = "orders"\n', (), None),  # `[value]` needs money, which visits lack
    ('[value]\nevents = "orders"\n', (), "orders"),
    ('[value]\nevents = "orders"\n', ("--events", "visits"), "visits"),
    ('[rfm]\nevents = "orders"\n', (), "orders"),
    ('[rfm.a]\nevents = "orders"\n[rfm.b]\nevents = "orders"\nwithin = "1 year"\n', (), "orders"),
    ("", ("--events", "orders"), "orders"),
    ("", (), None),
]


@pytest.mark.parametrize(("sections", "args", "table"), CHOICES)
def test_which_table_of_a_rule_file_is_looked_at(desk: Desk, sections: str, args: Any, table: str | None) -> None:
    shop(desk)
    rules = desk.put("rules.toml", RULES + sections + SEGMENT)
    if table is None:
        desk.segkit("cohorts", rules, *args, code=2)
    else:
        assert done(desk, rules, *args)["table"] == table


def test_value_outranks_rfm_and_one_table_needs_no_name(desk: Desk) -> None:
    shop(desk)
    both = RULES + '[value]\nevents = "orders"\n[rfm]\nevents = "sales"\n'
    both += event_table("sales", "o.csv", 'amount = "total"')
    assert done(desk, desk.put("rules.toml", both + SEGMENT))["table"] == "orders"
    only = head() + event_table("visits", "v.csv")
    assert done(desk, desk.put("rules.toml", only + SEGMENT))["table"] == "visits"
    columns = only + '[rfm.columns]\nrecency_days = "n"\nfrequency = "n"\nmonetary = "n"\n'
    desk.put("c.csv", "id,n\na,1\nd,2\n")
    assert done(desk, desk.put("rules.toml", columns + SEGMENT))["table"] == "visits"


def test_customers_of_a_rule_file_without_events_are_counted(desk: Desk) -> None:
    shop(desk)
    found = of_rules(desk, "", "--events", "orders")
    assert (found["customers"], found["events"], found["without_events"]) == (3, 5, 1)
    assert active(found) == {"2024-01": [2, 2, 0], "2024-02": [1, 0]}
    assert found["tables"][1]["left_out"]["unknown_customer"] == 1  # x is nobody
    assert (
        "1 customer without an event, so in no cohort"
        in desk.segkit("cohorts", desk / "rules.toml", "--events", "orders").stdout
    )


def test_the_where_of_the_table_counts_and_that_of_sections_does_not(desk: Desk) -> None:
    shop(desk)
    section = '[value]\nevents = "orders"\nwhere.status = "open"\nwithin = "1 day"\n'
    assert active(of_rules(desk, section)) == {"2024-01": [2, 2, 0], "2024-02": [1, 0]}
    paid = RULES.replace('amount = "total"\n', 'amount = "total"\nwhere.status = "paid"\n')
    found = done(desk, desk.put("rules.toml", paid + SEGMENT), "--events", "orders")
    assert active(found) == {"2024-01": [2, 1, 0], "2024-02": [1, 0]}


def test_as_of_is_that_of_the_file_or_the_option(desk: Desk) -> None:
    shop(desk)
    assert of_rules(desk, "", "--events", "orders")["as_of"] == "2024-03-01"
    found = of_rules(desk, "", "--events", "orders", "--as-of", "2024-01-31")
    assert (active(found), found["open_period"]) == ({"2024-01": [2]}, None)


def test_only_who_matches_a_segment(desk: Desk) -> None:
    shop(desk)
    german = '[segment.german]\nwrite = false\ndemographic.country = "DE"\n'
    sampled = '[segment.two]\nin_segment = "german"\nlimit = { count = 1 }\n'
    found = of_rules(desk, german + sampled, "--events", "orders", "--segment", "german")
    assert (active(found), found["without_events"], found["segment"]) == ({"2024-01": [1, 1, 0]}, 1, "german")
    # Who matches, not who is written: limits and consent do not change what somebody did.
    again = of_rules(desk, german + sampled, "--events", "orders", "--segment", "two")
    assert active(again) == active(found)
    nobody = '[segment.nobody]\ndemographic.country = "US"\n'
    assert of_rules(desk, nobody, "--events", "orders", "--segment", "nobody")["cohorts"] == []


def test_keys_are_compared_as_elsewhere(desk: Desk) -> None:
    desk.put("c.csv", "id\n0012\nab\n")
    desk.put("o.csv", "id,day,no,total\n12,2024-01-05,1,5\n0012,2024-02-05,2,5\nAB,2024-02-06,3,5\n")
    spelled = head('normalise_keys = ["zeros", "case"]') + RULES.partition('key = "id"\n')[2]
    desk.put("v.csv", "id,day\n")
    found = done(desk, desk.put("rules.toml", spelled + SEGMENT), "--events", "orders")
    assert (active(found), found["customers"]) == ({"2024-01": [1, 1, 0], "2024-02": [1, 0]}, 2)


def test_an_amount_that_each_line_repeats_counts_once(desk: Desk) -> None:
    shop(desk)
    lines = ["a,2024-01-31,1,5", "a,2024-02-01,1,5", "a,2024-02-02,1,", "a,2024-02-02,,3", "b,2024-02-03,2,4"]
    desk.put("o.csv", "id,day,no,total\n" + "\n".join(lines) + "\n")
    rules = RULES.replace('amount = "total"\n', 'amount = "total"\namount_per = "event"\n')
    found = done(desk, desk.put("rules.toml", rules + SEGMENT), "--events", "orders")
    assert [[c["revenue"] for c in cohort["cells"]] for cohort in found["cohorts"]] == [[5, 3, 0], [4, 0]]
    assert active(found) == {"2024-01": [1, 1, 0], "2024-02": [1, 0]}
    events = [
        Event(key, date.fromisoformat(day), no or None, Decimal(total) if total else None)
        for key, day, no, total in (line.split(",") for line in lines)
    ]
    assert found["cohorts"] == cohorts(events, date(2024, 3, 1), "month", once=True)


def test_customers_may_be_those_of_the_events(desk: Desk) -> None:
    shop(desk)
    rules = 'version = 1\nas_of = 2024-02-29\n[customers]\nfrom = "orders"\nkey = "id"\n'
    rules += event_table("orders", "o.csv", 'where.status = "paid"') + SEGMENT
    found = done(desk, desk.put("rules.toml", rules))
    assert active(found) == {"2024-01": [3, 1], "2024-02": [1]}
    assert (found["without_events"], found["open_period"]) == (0, None)


def test_what_a_rule_file_writes_is_of_no_account(desk: Desk) -> None:
    shop(desk)
    output = '[output]\ncolumns = ["country"]\nprofile = ["n"]\n[trait.n]\nevents = "orders"\n'
    assert active(of_rules(desk, output, "--events", "orders")) == active(of_rules(desk, "", "--events", "orders"))
    assert not (desk / "segments").exists()


WRONG = [
    # arguments, exit code, what is told
    (["rules.toml"], 2, ["has several event tables", "name one with `--events`: `orders` or `visits`"]),
    (["rules.toml", "--events", "order"], 2, ["has no `[events.order]`", "did you mean `orders`?"]),
    (["rules.toml", "--events", "orders", "--segment", "al"], 2, ["has no segment `al`", "did you mean `all`?"]),
    (["rules.toml", "--events", "visits", "--show", "revenue"], 2, ["`[events.visits]`", "names none", "amount = "]),
    (["rules.toml", "--key", "id"], 2, ["`--key` goes with a file of events", "take `--key` out"]),
    (["rules.toml", "--where", "total > 1"], 2, ["`--where` goes with a file of events"]),
    (["rules.toml", "o.csv"], 2, ["`rules.toml` is a rule file, and stands beside another file"]),
    (["none.toml"], 2, ["the rule file `none.toml` does not exist"]),
    (["o.csv", "--events", "orders"], 2, ["`--events` names what a rule file has", "give a rule file (.toml)"]),
    (["o.csv", "--segment", "all"], 2, ["`--segment` names what a rule file has"]),
    (["o.csv", "--by", "year"], 2, ["`year` is not one of"]),
    (["o.csv", "--key", "kee"], 3, ["has no column `kee`, which `--key` names"]),
    (["o.csv", "--where", "total"], 2, ["column `where in SQL` is a number"]),
    (["o.csv", "-o", "x.xls"], 2, ["segkit does not write this format"]),
    (["o.csv", "-o", "o.csv"], 4, ["`o.csv` is an input"]),
    (["none.csv"], 3, ["none.csv"]),
    ([], 2, ["missing argument"]),
]


@pytest.mark.parametrize(("args", "code", "told"), WRONG)
def test_what_is_wrong_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, args: list[str], code: int, told: list[str]
) -> None:
    shop(desk)
    desk.put("rules.toml", RULES + SEGMENT)
    monkeypatch.chdir(desk.folder)
    message = desk.segkit("cohorts", *args, code=code).stderr
    for part in told:
        assert part in message
    assert "the options" not in message


def test_a_rule_file_without_an_event_table_is_an_error(desk: Desk) -> None:
    shop(desk)
    told = desk.segkit("cohorts", desk.put("rules.toml", head() + SEGMENT), code=2).stderr
    assert "has no event table" in told and "[events.orders]" in told


def test_a_hint_for_a_rule_file_says_that_it_is_one(desk: Desk) -> None:
    path = orders(desk, ["a,2024-01-05,1.250", "b,2024-01-06,1.500"], "customer_id;date;amount".replace(";", ","))
    told = desk.segkit("cohorts", desk.put("o.csv", path.read_text().replace(",", ";")), code=3).stderr
    assert "that is a key of a rule file, which `segkit cohorts` takes, too" in told


SHOWN = [
    ("percent", ["2024-01,2,2,100,100,0", "2024-02,1,1,100,0,"]),
    ("customers", ["2024-01,2,2,2,2,0", "2024-02,1,1,1,0,"]),
    ("revenue", ["2024-01,2,2,7,9,0", "2024-02,1,1,1,0,"]),
]


@pytest.mark.parametrize(("show", "lines"), SHOWN)
def test_a_file_has_one_row_a_cohort(desk: Desk, show: str, lines: list[str]) -> None:
    shop(desk)
    rules = desk.put("rules.toml", RULES + SEGMENT)
    args = (rules, "--events", "orders", "--show", show)
    written = desk.segkit("cohorts", *args, "-q", "-o", "-").stdout.splitlines()
    assert written == ["cohort,customers,open_period,period_0,period_1,period_2", *lines]
    shown = desk.segkit("cohorts", *args, "-o", desk / "cohorts.parquet").stdout
    assert "One row a cohort in" in shown
    frame = pl.read_parquet(desk / "cohorts.parquet")
    types = {"percent": pl.Float64, "customers": pl.Int64, "revenue": pl.Decimal}
    assert frame.schema["period_0"] == types[show] and frame["open_period"].to_list() == [2, 1]
    assert json.loads(desk.segkit("cohorts", *args, "--json", "-o", desk / "found.csv").stdout)["path"].endswith(
        "found.csv"
    )
    assert (desk / "found.csv").read_text().splitlines() == written


def test_standard_input_and_output(desk: Desk) -> None:
    text = b"customer_id,date,amount\na,2024-01-05,5\n"
    result = desk.segkit("cohorts", "-", "--as-of", "2024-01-31", "-o", "-", input=text)
    assert result.stdout == "cohort,customers,open_period,period_0\n2024-01,1,,100\n"
    assert "1 customer, 1 event on 2024-01-31\n1 cohort by month" in result.stderr


def test_the_same_bytes_whatever_the_order_of_rows(desk: Desk) -> None:
    rows = [f"c{n % 37},2024-{n % 6 + 1:02}-{n % 28 + 1:02},{n}.{n % 7}" for n in range(500)]
    path, back = orders(desk, rows), orders(desk, rows[::-1], name="b.csv")
    for show in ("percent", "customers", "revenue"):
        args = (*OF_ORDERS, "--as-of", "2024-06-30", "--show", show, "-q", "-o", "-")
        assert desk.segkit("cohorts", path, *args).stdout == desk.segkit("cohorts", back, *args).stdout


@pytest.mark.parametrize("by", BY)
def test_the_same_as_in_sql(desk: Desk, examples: Path, by: str) -> None:
    path = examples / "rfm/rfm_data_orders.csv"
    found = done(desk, path, "--by", by, "--as-of", "2006-12-31")
    with duckdb.connect() as connection:
        wanted = connection.execute(
            f"""with o as (select customer_id k, date_trunc('{by}', order_date::date)::date p, revenue::decimal(18, 2) r
                           from read_csv(?)),
                f as (select k, min(p) c from o group by k)
                select c, date_diff('{by}', c, p) n, count(distinct k), sum(r) from o join f using (k) group by all""",
            [str(path)],
        ).fetchall()
    names = {
        c: c.strftime({"week": "%G-W%V", "month": "%Y-%m"}.get(by, f"%Y-Q{(c.month + 2) // 3}")) for c, *_ in wanted
    }
    told = {(c["cohort"], x["period"]): (x["customers"], x["revenue"]) for c in found["cohorts"] for x in c["cells"]}
    assert {key: value for key, value in told.items() if value[0]} == {(names[c], n): (k, r) for c, n, k, r in wanted}
    assert {value for value in told.values() if not value[0]} <= {(0, 0)}


PUBLISHED_ALL = [
    ("2010-12", [948, 362, 317, 367, 341, 376, 360, 336, 336, 374, 354, 474, 260]),
    ("2011-01", [421, 101, 119, 102, 138, 126, 110, 108, 131, 146, 155, 63]),
    ("2011-02", [380, 94, 73, 106, 102, 94, 97, 107, 98, 119, 35]),
    ("2011-03", [440, 84, 112, 96, 102, 78, 116, 105, 127, 39]),
    ("2011-04", [299, 68, 66, 63, 62, 71, 69, 78, 25]),
]
PUBLISHED_PERCENT = {
    "2010-12": "38.1857 33.4388 38.7131 35.9705 39.6624 37.9747 35.4430 35.4430 39.4515 37.3418 50.0000 27.4262",
    "2011-04": "22.7425 22.0736 21.0702 20.7358 23.7458 23.0769 26.0870 8.3612",
}
PUBLISHED_BOUGHT = [
    ("2010-12", [885, 324, 286, 340, 321, 352, 321, 309, 313, 350, 331, 445, 235]),
    ("2011-01", [417, 92, 111, 96, 134, 120, 103, 101, 125, 136, 152, 49]),
]


def test_the_published_cohorts_of_online_retail(desk: Desk, shared: Callable[[str], Path]) -> None:
    """The documentation of the Python package EcommerceTools (`get_cohort_matrix`, by months) shows the first five
    cohorts of UCI Online Retail, as counts and as shares: it leaves out lines without CustomerID and nothing else, so a
    cancellation is an event, and December 2010 has 948 customers. Notebooks that also leave out lines whose quantity is
    not positive, which are the cancellations, have 885.
    """
    path = shared("retail/online_retail.csv.gz")
    args = (path, "--amount", "Quantity * UnitPrice", "--as-of", "2011-12-09")
    found = done(desk, *args)
    assert list(active(found).items())[:5] == PUBLISHED_ALL
    assert {c["cohort"]: c["customers"] for c in found["cohorts"]}.keys() == {"2010-12"} | {
        f"2011-{month:02}" for month in range(1, 13)
    }
    for cohort in found["cohorts"]:
        if wanted := PUBLISHED_PERCENT.get(cohort["cohort"]):
            assert [cell["percent"] for cell in cohort["cells"][1:]] == list(map(Decimal, wanted.split()))
        assert [cell["open"] for cell in cohort["cells"]] == [False] * (len(cohort["cells"]) - 1) + [True]
    assert (found["customers"], found["events"]) == (4372, 22190)
    assert {t["name"]: t["left_out"]["no_key"] for t in found["tables"]}["data"] == 135_080
    bought = done(desk, *args, "--where", "Quantity > 0 AND UnitPrice > 0")
    assert list(active(bought).items())[:2] == PUBLISHED_BOUGHT
    # The published total of these lines.
    assert sum(c["revenue"] for cohort in bought["cohorts"] for c in cohort["cells"]) == Decimal("8911407.904")


def test_a_file_of_customers_is_told(desk: Desk) -> None:
    path = orders(desk, [f"c{n},2024-01-{n % 28 + 1:02},5" for n in range(20)])
    (warning,) = done(desk, path, *OF_ORDERS, "--as-of", "2024-02-29")["warnings"]
    assert warning["message"] == "none of 20 customers has a second event, so nobody can come back"
    path = orders(desk, [f"c{n % 19},2024-01-{n % 28 + 1:02},5" for n in range(20)])
    assert done(desk, path, *OF_ORDERS, "--as-of", "2024-02-29")["warnings"] == []


def test_customers_are_counted_to_the_last_one(desk: Desk) -> None:
    path = orders(desk, [f"c{n % 12_345},2024-01-{n % 28 + 1:02},5" for n in range(13_000)])
    shown = desk.segkit("cohorts", path, *OF_ORDERS, "--as-of", "2024-01-31", "--show", "customers").stdout
    assert "2024-01 12,345" in shown


def test_more_periods_than_anybody_can_look_at_are_refused(desk: Desk) -> None:
    path = orders(desk, ["a,1950-01-05,5", "a,2024-02-05,5"])
    told = desk.segkit("cohorts", path, *OF_ORDERS, "--as-of", "2024-02-29", "--by", "week", code=3).stderr
    assert "there are 3,870 weeks from the first event to 2024-02-29; 1,000 are the most" in told
    assert "the oldest cohort is 1950-W01" in told
    desk.segkit("cohorts", path, *OF_ORDERS, "--as-of", "2024-02-29", "--by", "month")


def test_it_is_read_well_in_80_columns(desk: Desk) -> None:
    rows = [f"c{n % 90},20{20 + n % 4}-{n % 12 + 1:02}-{n % 28 + 1:02},{1000 * (n % 9)}" for n in range(2_000)]
    path = orders(desk, rows)
    for by in BY:
        for show in ("percent", "customers", "revenue"):
            for day in ("2023-12-31", "2024-01-01", "2030-05-05"):
                shown = desk.segkit("cohorts", path, *OF_ORDERS, "--as-of", day, "--by", by, "--show", show).stdout
                assert max(map(len, shown.splitlines())) <= 80
                assert "Not shown:" in shown or by == "quarter"


def test_a_terminal_in_colours(desk: Desk) -> None:
    shop(desk)
    rules = desk.put("rules.toml", RULES + SEGMENT)
    shown = desk.segkit("--color", "always", "cohorts", rules, "--events", "orders").stdout
    assert "48;5;" in shown and "\x1b" not in desk.segkit("cohorts", rules, "--events", "orders").stdout


SHOWN_EXAMPLE = """3 customers, 5 events on 2024-03-01
2 cohorts by month, events of orders
1 customer without an event, so in no cohort

Percent of each cohort with an event, by months since the first event
Cohort  Size   0    1  2
──────────────────────────
2024-01    2 100  100█ 0*
2024-02    1 100    0*
             · 1-20   ░ 21-40   ▒ 41-60   ▓ 61-80   █ 81-100
* 2024-03 is not over on 2024-03-01

Rows of orders                6
  left out: unknown customer  1

"""


def test_what_is_shown(desk: Desk) -> None:
    shop(desk)
    rules = desk.put("rules.toml", RULES + SEGMENT)
    shown = desk.segkit("cohorts", rules, "--events", "orders").stdout
    assert shown.rpartition("Done")[0] == SHOWN_EXAMPLE
    assert desk.segkit("cohorts", rules, "--events", "orders", "-q").stdout == ""
    rows = list(csv.reader(io.StringIO(desk.segkit("cohorts", rules, "--events", "visits", "-o", "-", "-q").stdout)))
    assert rows[1:] == [["2023-12", "1", "3", "100", "0", "0", "0"], ["2024-02", "1", "1", "100", "0", "", ""]]
    assert tomli.loads(rules.read_text())  # the rule file is as it was
