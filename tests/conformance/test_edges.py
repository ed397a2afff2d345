"""What a reader of the code, or of the documents, once broke."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import polars as pl
import pytest

from tests.desk import Desk, event_table, head

HEAD = head()
EVENTS = event_table("o", "o.csv", 'amount = "total"')
EVENTS_OF_O = 'events = "o"'
ALL = "[segment.s]\neveryone = true\n"


def each_files(desk: Desk, customers: str, each: str = '"g"') -> dict[str, list[str]]:
    """The keys in each file that `each` makes."""
    desk.put("c.csv", customers)
    desk.apply(HEAD + f"[segment.s]\neveryone = true\neach = {each}\n")
    names = [name for name in desk.tree() if name != "manifest.json"]
    return {name: [row["id"] for row in desk.read(f"segments/{name}")] for name in names}


def test_each_keeps_values_apart_whose_names_are_alike(desk: Desk) -> None:
    files = each_files(desk, "id,g\n1,F\n2,f\n3,f-2\n4,m\n5,\n")
    assert files == {
        "s.f-f67ab1.csv": ["1"], "s.f-252f10.csv": ["2"], "s.f-2.csv": ["3"], "s.m.csv": ["4"], "s.missing.csv": ["5"],
    }  # fmt: skip


def test_a_file_name_of_each_does_not_depend_on_the_other_values(desk: Desk) -> None:
    """Night after night: a value comes before, after or between those whose names are alike."""
    nights = [
        {"1": "Nord-Est", "2": "nord est"},
        {"1": "Nord-Est", "2": "nord est", "3": "NORD EST"},
        {"1": "Nord-Est", "2": "nord est", "5": "Nord.Est", "4": "Sud"},
        {"2": "nord est", "4": "Sud", "1": "Nord-Est"},
    ]
    seen: dict[str, str] = {}
    for night in nights:
        files = each_files(desk, "id,g\n" + "".join(f"{key},{value}\n" for key, value in night.items()))
        assert len(files) == len(night)
        for name, keys in files.items():
            for key in keys:
                assert seen.setdefault(key, name) == name
    assert len(set(seen.values())) == len(seen) == 5


def test_a_text_that_reads_like_a_missing_value_has_its_own_file(desk: Desk) -> None:
    files = each_files(desk, "id,g,h\n1,missing,x\n2,,x\n3,missing,\n4,,\n", '["g", "h"]')
    assert sorted(files.values()) == [["1"], ["2"], ["3"], ["4"]]


ORDERED = "id,day,total\na,2024-02-20,5\n"


@pytest.mark.parametrize(
    ("where", "customers"),
    [('plan = "free"', 1), ('plan = ["free", "none"]', 2), ("id = 'c'", 1), ("id = 'nobody'", 0)],
)
def test_customers_that_where_leaves_out_may_be_those_with_events(desk: Desk, where: str, customers: int) -> None:
    desk.put("c.csv", "id,plan\na,pro\nb,free\nc,none\n")
    desk.put("o.csv", ORDERED)
    text = HEAD + f"where.{where}\n" + EVENTS + '[segment.s]\nbehavioural.did_not = { events = "o" }\n'
    done = desk.json(text)
    assert done["customers"] == done["segments"][0]["written"] == customers
    assert {t["name"]: t["left_out"] for t in done["tables"]}["o"]["unknown_customer"] == 1


def test_keys_that_match_nobody_are_an_error_with_where_too(desk: Desk) -> None:
    desk.put("c.csv", "id,plan\na,pro\nb,free\n")
    desk.put("o.csv", ORDERED.replace("\na,", "\nA-1,"))
    text = HEAD + 'where.plan = "free"\n' + EVENTS + '[segment.s]\nbehavioural.did = { events = "o" }\n'
    assert "no key of `o` is a key of the customers: `A-1` there, `b`" in desk.apply(text, code=3).stderr


# first, last, days on which the window is not empty, and some on which it is; none: never
WINDOWS = [
    ('since = "30 days", before = "1 month"', ["2024-03-01", "2023-03-01"], ["2024-04-15", "2024-07-15", "2024-08-01"]),
    ('since = "1 month", before = "30 days"', ["2024-08-01"], ["2024-07-15", "2024-03-01"]),
    ('between = ["30 days", "1 month"]', ["2024-07-15", "2024-03-01"], ["2024-08-01"]),
    ('since = "12 months", before = "365 days"', ["2024-12-31"], ["2023-12-31", "2024-02-28"]),
    ('since = 2024-02-01, before = "1 month"', ["2024-04-01"], ["2024-03-01", "2024-02-15"]),
    ('since = "1 month", before = 2024-02-01', ["2024-02-29"], ["2024-03-01"]),
    ('between = ["30 days", "30 days"]', ["2024-04-15"], []),
    ('between = ["3 months", "1 quarter"]', ["2024-04-15"], []),
    ('since = "27 days", before = "1 month"', [], None),
    ('since = "28 days", before = "1 month"', [], None),  # begins, at the latest, on the day before which it ends
    ('since = "1 month", before = "31 days"', [], None),
    ('since = "1 quarter", before = "3 months"', [], None),
    ('since = "30 days", before = "30 days"', [], None),
    ("since = 2024-02-01, before = 2024-02-01", [], None),
    ('between = ["6 months", "12 months"]', [], None),
    ('between = ["1 year", "367 days"]', [], None),
    ('between = ["1 year", "366 days"]', ["2024-12-31"], ["2023-12-31"]),
]


@pytest.mark.parametrize(("window", "days", "empty"), WINDOWS)
def test_a_window_is_refused_only_where_it_is_always_empty(
    desk: Desk, window: str, days: list[str], empty: list[str] | None
) -> None:
    desk.put("c.csv", "id\na\n")
    every_day = pl.date_range(pl.date(2022, 1, 1), pl.date(2024, 12, 31), eager=True)
    desk.put("o.csv", pl.DataFrame({"id": "a", "day": every_day, "total": 1}))
    trait = f"[trait.n]\n{EVENTS_OF_O}\n" + window.replace(", before", "\nbefore") + "\n"

    def rules(as_of: str) -> str:
        return head(as_of=as_of) + EVENTS + trait

    if empty is None:
        done = desk.apply(rules("2024-07-15") + ALL, code=2)
        assert "the window is empty" in done.stderr
        return
    for as_of in days:
        assert int(desk.columns(rules(as_of), "n")["a"]) > 0
        assert desk.json(rules(as_of) + ALL)["warnings"] == []
    for as_of in empty:
        assert desk.columns(rules(as_of), "n") == {"a": "0"}
        (warning,) = desk.json(rules(as_of) + ALL)["warnings"]
        assert warning["message"] == f"the window has no day when `as_of` is {as_of}, so nothing is counted"


@pytest.mark.parametrize("more", ["[segment.c]\neveryone = true\n", f'{ALL}[output]\ncombined = "c.csv"\n'])
def test_outputs_never_take_the_place_of_inputs(desk: Desk, more: str) -> None:
    desk.put("c.csv", "id\n1\n")
    done = desk.apply(HEAD + more, "-o", desk.folder, code=4)
    assert "is an input" in done.stderr
    assert (desk / "c.csv").read_text() == "id\n1\n"


def test_rfm_does_not_overwrite_its_input(desk: Desk) -> None:
    text = "customer_id,date,amount\n1,2024-01-01,5\n"
    path = desk.put("o.csv", text)
    assert "is an input" in desk.segkit("rfm", path, "-o", path, code=4).stderr
    assert path.read_text() == text


def test_what_is_no_number_is_missing(desk: Desk) -> None:
    desk.put("c.csv", "id,x\na,-1\nb,0\nc,1\nd,100\n")
    head = HEAD + '[trait.l]\nsql = "ln(x)"\n[trait.inverse]\nsql = "1 / x"\n'
    found = desk.members(
        head,
        {
            "missing": "behavioural.l.missing = true",
            "top": "behavioural.l.top_percent = 50",
            "sql": 'sql = "ln(x) > 0"',
            "by zero": "behavioural.inverse.missing = true",
        },
    )
    assert found == {"missing": ["a", "b"], "top": ["d"], "sql": ["d"], "by zero": ["b"]}


def test_dividing_money_by_zero_is_missing(desk: Desk) -> None:
    desk.put("c.csv", "id\na\nb\n")
    desk.put("o.csv", "id,day,total\na,2024-01-01,10\n")
    head = HEAD + EVENTS + '[trait.sum]\nevents = "o"\nmeasure = "sum"\n[trait.n]\nevents = "o"\n'
    assert desk.members(head, {"s": 'sql = "sum / n = 10"', "m": 'sql = "(sum / n) is null"'}) == {
        "s": ["a"],
        "m": ["b"],
    }


def test_the_difference_of_dates_is_refused(desk: Desk) -> None:
    desk.put("c.csv", "id,born\na,2000-01-01\n")
    done = desk.apply(HEAD + '[segment.s]\nsql = "as_of - born > 30"\n', code=2)
    assert "is not a number" in done.stderr


def test_customers_of_an_event_table_count_what_is_left_out(desk: Desk) -> None:
    desk.put("o.csv", "id,day,total\na,2024-01-01,1\n,2024-01-02,1\nb,,1\nc,2024-09-01,1\n")
    head = HEAD.replace('path = "c.csv"', 'from = "o"') + EVENTS
    (table,) = [t for t in desk.json(head + ALL)["tables"] if t["name"] == "o"]
    assert table["rows"] == 4
    assert table["left_out"] == {"no_key": 1, "no_time": 1, "after_as_of": 1}


def test_customers_of_an_event_table_with_a_bad_date(desk: Desk) -> None:
    desk.put("o.csv", "id,day,total\na,2024-01-01,1\nb,2024-02-31,1\n")
    head = HEAD.replace('path = "c.csv"', 'from = "o"') + EVENTS
    done = desk.apply(head + ALL, code=3)
    assert "`2024-02-31`" in done.stderr
    assert "o.csv:3" in done.stderr


def test_money_made_by_sql_stays_exact_as_a_column_of_the_customers(desk: Desk) -> None:
    desk.put("o.csv", "id,day,quantity,price\na,2024-01-01,18,0.3\nb,2024-01-01,25,19.99\n")
    head = HEAD.replace('path = "c.csv"', 'from = "o"\ncolumns = ["total", "price"]')
    events = EVENTS.replace('amount = "total"', 'amount = "total"\nderive.total = "quantity * price"')
    assert desk.columns(head + events, "total") == {"a": "5.4", "b": "499.75"}
    assert desk.members(head + events, {"s": "needs.total = 5.4"}) == {"s": ["a"]}


def test_large_integers_add_up(desk: Desk) -> None:
    desk.put("c.csv", "id\na\n")
    desk.put("o.csv", "id,day,total,n\n" + "a,2024-01-01,1,900000000000000000\n" * 12)
    trait = '[trait.n]\nevents = "o"\nmeasure = "sum"\nof = "n"\n'
    assert desk.columns(HEAD + EVENTS + trait, "n") == {"a": "10800000000000000000"}


@pytest.mark.parametrize("length", ["9999 years", "99999999999 days"])
def test_a_very_long_window_is_all_time(desk: Desk, length: str) -> None:
    desk.put("c.csv", "id\na\n")
    desk.put("o.csv", "id,day,total\na,1990-01-01,1\n")
    did = f'behavioural.did = {{ events = "o", within = "{length}" }}'
    assert desk.members(HEAD + EVENTS, {"s": did}) == {"s": ["a"]}


def test_shares_of_all_customers_have_no_place_in_where(desk: Desk) -> None:
    desk.put("c.csv", "id\na\n")
    desk.put("o.csv", "id,day,total\na,2024-01-01,1\n")
    trait = '[trait.n]\nevents = "o"\nwhere.total.top_percent = 10\n'
    assert "`top_percent` ranks all customers" in desk.apply(HEAD + EVENTS + trait + ALL, code=2).stderr


@pytest.mark.parametrize("sql", ["REGEXP_LIKE(name, '(')", "name ~ '('"])
def test_a_bad_regular_expression_in_sql(desk: Desk, sql: str) -> None:
    desk.put("c.csv", "id,name\na,x\n")
    assert "cannot use the SQL" in desk.apply(f'{HEAD}[segment.s]\nsql = "{sql}"\n', code=2).stderr


def test_standard_input_is_in_the_manifest(desk: Desk) -> None:
    text = b"id\na\nb\n"
    desk.apply(head(path="-") + ALL, "-o", desk / "out", input=text)
    (source,) = json.loads((desk / "out/manifest.json").read_text())["inputs"]
    assert source["bytes"] == len(text)


def test_nothing_to_write_to_standard_output_is_a_header(desk: Desk) -> None:
    desk.put("c.csv", "id,g\na,x\n")
    assert desk.rows(HEAD + '[segment.s]\ndemographic.g = "y"\neach = "g"\n') == []


def test_rfm_of_a_file_with_a_strange_name(desk: Desk) -> None:
    path = desk.put("o ${X} 😀.csv", "customer_id,date,amount\n1,2024-01-01,5\n")
    assert json.loads(desk.segkit("rfm", path, "--json").stdout)["customers"] == 1


def test_profile_of_what_is_too_large(desk: Desk) -> None:
    desk.put("c.parquet", pl.DataFrame({"id": ["a", "b"], "x": [1e30, 2.0]}))
    found = desk.json(head(path="c.parquet") + ALL + '[output]\nprofile = ["x"]\n')
    assert found["segments"][0]["profile"]["x"]["total"] == 2


def test_the_thresholds_of_shares_are_told(desk: Desk) -> None:
    desk.put("c.csv", "id,x\na,1\nb,2\nc,3\nd,4\n")
    found = desk.json(HEAD + "[segment.s]\nvalue_.x.top_percent = 50\n".replace("value_", "demographic"))
    assert [(t["column"], t["values"], t["falls"]) for t in found["thresholds"]] == [("x (top 50 %)", [3], False)]


def test_a_lookup_by_a_computed_column(desk: Desk) -> None:
    desk.put("c.csv", "id\na\nb\n")
    desk.put("o.csv", "id,day,total,shop\na,2024-01-01,1,7\na,2024-02-01,1,8\n")
    desk.put("l.csv", "shop,city\n7,Lyon\n8,Metz\n")
    head = HEAD + EVENTS + '[trait.last_shop]\nevents = "o"\nmeasure = "last"\nof = "shop"\n'
    head += '[lookup.shops]\npath = "l.csv"\non = { last_shop = "shop" }\ncolumns = ["city"]\n'
    assert desk.columns(head, "city") == {"a": "Metz", "b": ""}


def test_columns_without_a_value_take_the_type_that_is_asked(desk: Desk) -> None:
    desk.put("c.csv", "id,age,born,vip\na,,,\nb,,,\n")
    segments = {
        "number": "demographic.age.min = 3",
        "date": 'demographic.born.within = "3 days"',
        "boolean": "demographic.vip = true",
        "missing": "demographic.age.missing = true",
    }
    assert desk.members(HEAD, segments) == {"number": [], "date": [], "boolean": [], "missing": ["a", "b"]}


@pytest.mark.parametrize(
    "sql",
    ["x > 1", "id > 1", "n = '5'", "abs(x)", "upper(n + 1)", "lower(d)", "n BETWEEN 'a' AND 'b'", "d >= '2014-01-01'",
     "interval '1 day'", "n *"],
)  # fmt: skip
def test_sql_that_mixes_types_is_a_fault_of_the_rule_file(desk: Desk, sql: str) -> None:
    desk.put("c.csv", "id,x,n,d\n1,a,5,2024-01-01\n3,b,,2024-02-01\n")
    trait = f'[trait.q]\nsql = "{sql}"\n[output]\ncolumns = ["q"]\n'
    done = desk.apply(HEAD + trait + ALL, code=2)
    assert done.stderr.count("error:") == 1
    assert "rules.toml:7:1" in done.stderr


def test_a_derived_column_may_be_the_key(desk: Desk) -> None:
    desk.put("c.csv", "id,name\n1,x\n2,y\n")
    desk.put("o.csv", "id,day,total\n1.0,2024-01-01,5\n")
    head = HEAD + EVENTS + 'key = "k"\nderive = { k = "id" }\n[trait.n]\nevents = "o"\n'
    assert desk.columns(head.replace('key = "id"\n[events', 'key = "k"\nderive = { k = "id" }\n[events'), "n") == {
        "1": "1",
        "2": "0",
    }


def test_an_unknown_rfm_segment(desk: Desk) -> None:
    desk.put("c.csv", "id\na\n")
    desk.put("o.csv", "id,day,total\na,2024-01-01,1\n")
    done = desk.apply(HEAD + EVENTS + '[rfm]\nevents = "o"\n[segment.s]\nrfm = "champion"\n')
    assert "warning: the RFM map has no segment `champion`" in done.stdout
    assert "did you mean `champions`?" in done.stdout


def test_a_list_column_of_numbers(desk: Desk) -> None:
    desk.put("c.csv", "id,n\na,1\n")
    done = desk.apply(HEAD + 'lists = { n = "," }\n[segment.s]\ndemographic.n.has_any = ["1"]\n', code=2)
    assert "column `n` is a number" in done.stderr


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["--time", "land"], 2, "`time` asks for a date"),
        (["--key", "nobody"], 3, "has no column `nobody`"),
        (["-o", "x.xls"], 2, "does not write this format"),
    ],
)
def test_rfm_options_that_do_not_fit(desk: Desk, args: list[str], code: int, says: str) -> None:
    path = desk.put("o.csv", "customer_id,date,amount,land\n1,2024-01-01,5,FR\n2,2024-01-02,5,DE\n")
    assert says in desk.segkit("rfm", path, *args, code=code).stderr


def test_the_price_of_a_piece_is_not_the_money_of_a_row(desk: Desk) -> None:
    path = desk.put("o.csv", "CustomerID,InvoiceDate,Quantity,UnitPrice\n1,2024-01-01,3,2.5\n")
    assert "Quantity * UnitPrice" in desk.segkit("rfm", path, code=3).stderr
    assert json.loads(desk.segkit("rfm", path, "--amount", "Quantity * UnitPrice", "--json").stdout)["segments"]


def test_the_combined_file_follows_the_format(desk: Desk) -> None:
    desk.put("c.csv", "id\na\n")
    desk.apply(HEAD + ALL + '[output]\ncombined = "all.csv"\n', "--format", "parquet")
    assert sorted(desk.tree()) == ["all.parquet", "manifest.json", "s.parquet"]


LEFT_OUT = HEAD + '[events.o]\npath = "o.parquet"\n'


def test_a_sum_does_not_mind_what_is_left_out(desk: Desk) -> None:
    """Together, the amounts of rows that are left out are more than a decimal holds."""
    huge, money = Decimal("9" * 28), pl.Decimal(38, 10)
    rows = {"id": ["a"] + ["b"] * 20, "day": [dt.date(2024, 1, 1)] * 21, "kind": ["ok"] + ["bad"] * 20}
    amounts = pl.Series("amount", [Decimal(5), *[huge] * 20], money)
    desk.put("c.csv", "id\na\nb\n")
    desk.put("o.parquet", pl.DataFrame(rows).with_columns(amounts))
    text = LEFT_OUT + 'time = "day"\namount = "amount"\nwhere.kind = "ok"\n'
    text += '[trait.sum]\nevents = "o"\nmeasure = "sum"\n[trait.last_year]\nevents = "o"\nmeasure = "sum"\nwithin = "1 year"\n'
    assert desk.columns(text, "sum", "last_year") == {"a": ("5", "5"), "b": ("0", "0")}


def test_amounts_that_no_money_holds(desk: Desk) -> None:
    """Decimals of other systems may have more digits than money: an error, and no crash."""
    amounts = pl.Series("amount", [Decimal(5), Decimal("9" * 37)], pl.Decimal(38, 0))
    desk.put("c.csv", "id\na\n")
    desk.put("o.parquet", pl.DataFrame({"id": ["a", "a"], "day": [dt.date(2024, 1, 1)] * 2}).with_columns(amounts))
    text = LEFT_OUT + 'time = "day"\namount = "amount"\n{}[trait.sum]\nevents = "o"\nmeasure = "sum"\n'
    text += "[segment.s]\nbehavioural.sum.min = 1\n"
    done = desk.apply(text.format(""), code=3)
    assert "as an amount of at most 10 decimals in row 2 of column `amount`" in " ".join(done.stderr.split())
    assert desk.columns(text.format('bad_values = "missing"\n'), "sum") == {"a": "5"}


def test_keys_that_look_like_reasons_are_keys(desk: Desk) -> None:
    names = ["\x1fleft out:x", "\x1fleft out:no_key", "a"]
    desk.put("c.csv", "id,n\n" + "".join(f"{name},1\n" for name in names) + ",2\n")
    done = desk.json(LEFT_OUT.partition("[events")[0] + "[segment.s]\ndemographic.n = 1\n")
    assert done["segments"][0]["written"] == 3
    assert done["tables"][0]["left_out"] == {"no_key": 1}


@pytest.mark.parametrize("measure", [None, "last", "distinct"])
def test_customers_from_events_whose_keys_are_blank_beyond_the_sample(desk: Desk, measure: str | None) -> None:
    """Counted alike, whether they are measured or not, and in one pass or in two."""
    days = [dt.date(2024, 1, 1)] * 4_003
    desk.put("o.parquet", pl.DataFrame({"id": ["a"] * 4_000 + ["   ", " a", None], "day": days, "n": [1] * 4_003}))
    text = LEFT_OUT.replace('path = "c.csv"', 'from = "o"') + 'time = "day"\n'
    trait = f'[trait.t]\nevents = "o"\nmeasure = "{measure}"\nof = "n"\n' if measure else ""
    segment = "behavioural.t.min = 1" if measure else "everyone = true"
    done = desk.json(text + trait + f"[segment.s]\n{segment}\n")
    assert done["segments"][0]["written"] == 1
    (counts,) = [t["left_out"] for t in done["tables"] if t["name"] == "o"]
    assert {reason: n for reason, n in counts.items() if n} == {"no_key": 2}


def test_a_thread_that_may_not_give_way(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.setpriority", refuse)
    desk.put("c.csv", "id\na\n")
    desk.apply(LEFT_OUT.partition("[events")[0] + "[segment.s]\neveryone = true\n")
    assert b'"sha256"' in desk.tree()["manifest.json"]


EMPTY = 'between = ["1 year", "366 days"]\n'
"""Two days of a leap year, none of another."""


@pytest.mark.parametrize(
    "section",
    [
        f'[trait.n]\nevents = "o"\n{EMPTY}{ALL}',
        f'[rfm]\nevents = "o"\n{EMPTY}{ALL}',
        f'[value]\nevents = "o"\n{EMPTY}{ALL}',
        f'[frequency_cap]\nevents = "o"\nmax = 1\n{EMPTY}{ALL}',
        f'[segment.s]\nbehavioural.did = {{ events = "o", {EMPTY.strip()} }}\n',
    ],
    ids=["trait", "rfm", "value", "cap", "did"],
)
def test_an_empty_window_is_told_wherever_it_stands(desk: Desk, section: str) -> None:
    desk.put("c.csv", "id\na\n")
    desk.put("o.csv", "id,day,total\na,2023-01-01,1\n")
    warnings = desk.json(HEAD.replace("2024-03-01", "2023-12-31") + EVENTS + section)["warnings"]
    empty = [w for w in warnings if w["message"].startswith("the window has no day when `as_of` is 2023-12-31")]
    assert len(empty) == 1 and empty[0]["line"]


@pytest.mark.parametrize(
    ("null", "values"), [("-1", ["-1", " -1 ", "5"]), ("1900-01-01", [" 1900-01-01", "2024-01-01"])]
)
def test_a_text_that_means_nothing_does_so_with_spaces_around_it(desk: Desk, null: str, values: list[str]) -> None:
    desk.put("c.csv", "id,v\n" + "".join(f"{value.strip()}-{i},{value}\n" for i, value in enumerate(values)))
    rules = head(f'null_values = "{null}"') + "[segment.s]\ndemographic.v.missing = false\n"
    assert [row["v"] for row in desk.rows(rules)] == values[-1:]


@pytest.mark.parametrize(("time", "fits"), [("24:00", True), ("24:00:00", True), ("24:59", False), ("24:00:01", False)])
def test_a_day_has_no_hour_after_its_24th(desk: Desk, time: str, fits: bool) -> None:
    desk.put("c.csv", f"id,d\na,2024-06-30 10:00\nb,2024-06-30 {time}\n")
    rules = head('types = { d = "date" }') + "[segment.s]\ndemographic.d = 2024-07-01\n"
    if fits:
        assert [row["id"] for row in desk.rows(rules, "--as-of", "2024-07-05")] == ["b"]
    else:
        assert f"`2024-06-30 {time}`" in desk.apply(rules, code=3).stderr


def test_the_hour_that_clocks_leave_out_in_spring_is_the_next_one(desk: Desk) -> None:
    """Only beside values with zones: elsewhere, an hour is as it is written."""
    desk.put("c.csv", "id,d\na,2024-03-30T01:30:00Z\nb,2024-03-31T02:30:00\n")
    rules = 'timezone = "Europe/Berlin"\n' + head('derive.h = "EXTRACT(HOUR FROM d)"', as_of="2024-04-01")
    assert desk.columns(rules, "h") == {"a": "2", "b": "3"}


def test_a_decimal_of_a_typed_file_is_not_rounded(desk: Desk) -> None:
    amounts = pl.Series("total", ["0.000000000010", "1"]).cast(pl.Decimal(30, 12))
    orders = pl.DataFrame({"id": ["a", "a"], "day": [dt.date(2024, 1, 1)] * 2, "total": amounts})
    desk.put("o.parquet", orders)
    desk.put("c.csv", "id\na\n")
    rules = HEAD + EVENTS.replace("o.csv", "o.parquet") + '[trait.t]\nevents = "o"\nmeasure = "sum"\n' + ALL
    told = desk.apply(rules + '[output]\ncolumns = ["t"]\n', code=3).stderr
    assert "at most 10 decimals" in told


def test_columns_of_any_type_go_out(desk: Desk) -> None:
    desk.put("c.parquet", pl.DataFrame({"id": ["a"], "took": [dt.timedelta(hours=2)], "raw": [b"\x00\xff"]}))
    rules = head(path="c.parquet") + ALL
    assert desk.rows(rules) == [{"id": "a", "segment": "s", "took": "PT2H", "raw": "00ff"}]
    line = json.loads(desk.apply(rules, "-o", "-", "--summary", "none", "--format", "ndjson").stdout)
    assert (line["took"], line["raw"]) == ("PT2H", "00ff")


@pytest.mark.parametrize("names", [("id,n", "id,n,more"), ("id,n,more", "id,n"), ("id,n", "id,N")])
def test_files_of_a_source_that_differ_in_columns_are_told(desk: Desk, names: tuple[str, str]) -> None:
    for number, header in enumerate(names):
        desk.put(f"c/{number}.csv", f"{header}\n" + header.lower() + "\n")
    told = desk.apply(head(path="c/*.csv") + ALL, code=3).stderr
    assert "all files of a source have the same columns" in told


@pytest.mark.parametrize("rows", [1, 3])
def test_a_hundredth_is_the_nearest_number(desk: Desk, rows: int) -> None:
    desk.put("c.csv", "id,p\n" + "".join(f"{i},{p}%\n" for i, p in enumerate((7, 29, 57)[:rows])))
    found = desk.columns(head('percent = "divide"', 'derive.q = "p * 1"'), "q")
    assert list(found.values()) == ["0.07", "0.29", "0.57"][:rows]


def test_utf_16_without_a_mark_is_told_what_it_is_called(desk: Desk) -> None:
    text = "id,name\na,Zoë\n"
    desk.put("c.csv", text.encode("utf-16-le"))
    told = desk.apply(HEAD + ALL, code=3).stderr
    assert 'encoding = "utf-16-le"' in told
    assert desk.rows(head('encoding = "utf-16-le"') + ALL) == [{"id": "a", "segment": "s", "name": "Zoë"}]
    desk.put("c.csv", text.encode("utf-16")[:-1])
    assert "its end may be cut off" in desk.apply(HEAD + ALL, code=3).stderr


def test_rfm_says_where_a_key_of_a_source_is_written(desk: Desk) -> None:
    data = desk.put("o.csv", "id,day,total\na,05/06/2024,5\nb,07/08/2024,6\n")
    told = desk.segkit("rfm", data, "--key", "id", code=3).stderr
    assert "date_format = " in told
    assert "a key of a rule file, which has `[rfm]` too" in told


def test_two_digits_of_a_year_in_times_to_come(desk: Desk) -> None:
    """1964 reads as 2064: told, with what mends it."""
    desk.put("c.csv", "id,b\n1,31.01.64\n2,01.01.90\n")
    text = head().replace("[customers]", "[customers]\ndate_format = '%d.%m.%y'") + "[segment.s]\neveryone = true\n"
    age = '[output]\ncolumns = ["age"]\n[trait.age]\nyears_since = "COLUMN"\n'
    (warning,) = desk.json(text + age.replace("COLUMN", "b"))["warnings"]
    assert "1 date of `b` lies 20 years after `as_of`" in warning["message"]
    derive = warning["hint"].partition("`")[2].rpartition("`")[0].replace("past", "born")
    mended = text.replace("[customers]", f"[customers]\n{derive}") + age.replace("COLUMN", "born")
    assert desk.json(mended)["warnings"] == []
    assert [row["age"] for row in desk.rows(mended)] == ["60", "34"]


@pytest.mark.parametrize("window", ["since = 2025-06-01", "between = [2025-03-01, 2025-06-01]"])
def test_a_window_that_lies_after_the_day_of_the_run(desk: Desk, window: str) -> None:
    desk.put("c.csv", "id\n1\n")
    desk.put("o.csv", "id,day,amount\n1,2024-01-01,5\n")
    text = head() + '[events.o]\npath = "o.csv"\ntime = "day"\namount = "amount"\n[segment.s]\neveryone = true\n'
    (warning,) = desk.json(f'{text}[value]\nevents = "o"\n{window}\n')["warnings"]
    assert "the window has no day" in warning["message"]


def test_lists_of_typed_files_are_trimmed(desk: Desk) -> None:
    desk.put("c.parquet", pl.DataFrame({"id": ["1", "2"], "x": [["a ", "b"], ["c"]]}))
    text = head(path="c.parquet") + '[segment.s]\ndemographic.x.has_any = ["a"]\n'
    assert [row["id"] for row in desk.rows(text)] == ["1"]


def test_a_column_that_date_format_names_must_be_there(desk: Desk) -> None:
    desk.put("c.csv", "id,day\n1,01.02.24\n")
    text = (
        head().replace("[customers]", '[customers]\ndate_format = { dayy = "%d.%m.%y" }')
        + "[segment.s]\neveryone = true\n"
    )
    assert "did you mean `day`?" in desk.apply(text, code=3).stderr


def test_the_time_of_day_has_the_year_of_its_day(desk: Desk) -> None:
    """Of two formats, `%Y` reads the 24 of 05.06.24 as a year, too: neither the day nor the timestamp is that."""
    desk.put("c.csv", "id,t\n1,05.06.24 10:30\n2,25.06.2024 11:30\n")
    formats = 'date_format = ["%d.%m.%Y %H:%M", "%d.%m.%y %H:%M"]'
    derive = 'derive = { y = "EXTRACT(EPOCH FROM t)", h = "EXTRACT(HOUR FROM t)" }'
    found = desk.columns(head(formats, derive), "y", "h")
    assert found == {"1": ("1717583400", "10"), "2": ("1719315000", "11")}


def test_another_column_does_not_mend_a_two_digit_year(desk: Desk) -> None:
    desk.put("c.csv", "id,b,ab\n1,31.01.64,31.01.64\n")
    mended = "derive = { past = \"CASE WHEN ab > as_of THEN ab - INTERVAL '100 years' ELSE ab END\" }"
    text = (
        head("date_format = '%d.%m.%y'", mended)
        + "[segment.s]\ndemographic.b.after = 2000-01-01\ndemographic.past.before = 2000-01-01\n"
    )
    assert [w["message"].split(" lies")[0] for w in desk.json(text)["warnings"]] == ["1 date of `b`"]
